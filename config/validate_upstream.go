package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (v *validator) upstream(u *Upstream) {
	at := u.Path()
	v.unless(nameOfOurs.MatchString(u.Name), at, fmt.Sprintf("%q can't be the name of an upstream", u.Name), "use up to 40 letters, digits, _ and -")
	if len(u.Spec)+len(u.Tools)+len(u.Records)+len(u.Queries) == 0 {
		v.missing(at, "spec", "there is nothing to make tools of", "name a spec, or write tools with a request each")
	}
	v.locations(at.Child("spec"), u.Spec)
	v.locations(at.Child("overlays"), u.Overlays)
	v.unless(len(u.Overlays) == 0 || len(u.Spec) > 0, at.Child("overlays"), "there is no document that they could mend", "name it with spec")
	v.baseURL(u, at)
	v.allowHosts(u, at)
	for _, name := range sortedNames(u.Variables) {
		v.variable(u, at.Child("variables", name), name, u.Variables[name])
	}
	v.credential(u, at.Child("credential"))
	v.login(u, at.Child("credential"))
	v.appToken(u, at.Child("credential"))
	v.forwarded(at.Child("credential"), &u.Credential)
	v.upstreamTLS(at.Child("tls"), &u.TLS)
	v.headers(u, at.Child("headers"), u.Headers)
	v.timeout(at.Child("timeout"), u.Timeout)
	v.retry(at.Child("retry"), &u.Retry)
	v.limits(at.Child("limits"), &u.Limits)
	v.response(at.Child("response"), &u.Response)
	v.page(at.Child("page"), &u.Page)
	v.errors(at.Child("errors"), &u.Errors)
	v.unless(*u.Prefix == "" || !v.given(at.Child("prefix")) || nameOfOurs.MatchString(*u.Prefix), at.Child("prefix"), fmt.Sprintf("%q can't begin a tool's name", *u.Prefix), "use up to 40 letters, digits, _ and -")
	v.patterns(at.Child("include"), u.Include)
	v.patterns(at.Child("exclude"), u.Exclude)
	for _, name := range sortedNames(u.Tools) {
		v.tool(u, u.Tools[name])
	}
	for _, name := range sortedNames(u.Records) {
		v.record(u, u.Records[name])
	}
	for _, name := range sortedNames(u.Queries) {
		v.query(u, u.Queries[name])
	}
}

// locations checks what is to be read from a file or a URL.
func (v *validator) locations(at Path, list []string) {
	for i, location := range list {
		v.unless(!strings.Contains(location, "://") || strings.HasPrefix(location, "http://") || strings.HasPrefix(location, "https://"),
			at.Child(strconv.Itoa(i)), fmt.Sprintf("%q can't be fetched", location), "name a file, or an http or https URL")
	}
}

// defaults checks what holds for every upstream, so that a mistake there is reported there, and once.
func (v *validator) defaults() {
	at := Path{"defaults"}
	v.timeout(at.Child("timeout"), v.cfg.Defaults.Timeout)
	v.retry(at.Child("retry"), &v.cfg.Defaults.Retry)
	v.response(at.Child("response"), &v.cfg.Defaults.Response)
}

// baseURL checks an upstream's root. Its {names} may be the document's where there is one.
func (v *validator) baseURL(u *Upstream, at Path) {
	path := at.Child("base_url")
	switch {
	case u.Sandbox():
		v.unless(len(u.Spec)+len(u.Tools)+len(u.Records)+len(u.Queries) > 0, path,
			"the sandbox answers from a document or for the tools described here, and this upstream has neither", "add spec: FILE")
		return
	case u.BaseURL == "":
		if len(u.Spec) == 0 && len(u.Tools)+len(u.Records)+len(u.Queries) > 0 {
			v.missing(at, "base_url", "without a spec nothing says where the API is", "add base_url: https://...")
		}
		return
	case unbalanced(u.BaseURL):
		v.add(path, fmt.Sprintf("%q has a brace too many or too few", u.BaseURL), "{name} stands for a variable")
		return
	}
	for _, name := range placeholders(u.BaseURL) {
		switch {
		case strings.HasPrefix(name, "token."):
			v.tokenVariable(u, path, name)
		case !variableName.MatchString(name) || variableName.FindString(name) != name:
			v.add(path, fmt.Sprintf("{%s} is not the name of a variable", name), "use letters, digits and _")
		case u.Variables[name] == nil && len(u.Spec) == 0:
			hint := fmt.Sprintf("write variables: {%s: {value: ...}}", name)
			if near := Nearest(name, sortedNames(u.Variables)); near != "" {
				hint = fmt.Sprintf("did you mean {%s}?", near)
			}
			v.add(path, fmt.Sprintf("nothing says what {%s} is", name), hint)
		}
	}
	v.root(path, withToken(u.BaseURL))
}

// root checks the form of a base_url.
func (v *validator) root(path Path, text string) {
	parsed, err := url.Parse(placeholder.ReplaceAllString(text, "0"))
	switch {
	case strings.Contains(text, "@"): // no message repeats what may be a password
		v.add(path, "the URL holds a user name", "put it under credential: {type: basic, username: ..., password: ...}")
	case err == nil && parsed.Scheme == "sandbox":
		v.add(path, fmt.Sprintf("%q is not the sandbox", text), "write sandbox: and nothing after it")
	case err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Hostname() == "":
		hint := "write it like https://api.example.com/v1, or sandbox:"
		if !strings.Contains(text, "://") && strings.Contains(text, ".") {
			hint = "did you mean https://" + strings.TrimLeft(text, "/") + "?"
		}
		v.add(path, fmt.Sprintf("%q is not the URL of an API", text), hint)
	case parsed.RawQuery != "" || parsed.Fragment != "" || parsed.ForceQuery:
		v.add(path, fmt.Sprintf("%q has a query or a fragment", text), "a parameter that every request needs belongs to credential or to the tools' arguments")
	}
}

func (v *validator) variable(u *Upstream, at Path, name string, variable *Variable) {
	v.unless(variableName.FindString(name) == name && name != "", at, fmt.Sprintf("%q can't be the name of a variable", name), "use letters, digits and _")
	switch {
	case variable.Argument && variable.Value != "":
		v.add(at, "a value and argument: true exclude each other", "leave out the one that you don't mean")
	case variable.Argument && len(variable.Enum) == 0:
		v.missing(at, "enum", "argument: true needs an enum", "the model may choose among these, and only these")
	case !variable.Argument && len(variable.Enum) > 0:
		v.add(at, "an enum is for argument: true", "add it, or leave the enum out")
	case !variable.Argument && variable.Value == "":
		v.missing(at, "value", "the variable has no value", "write value: ..., or argument: true with an enum")
	}
	if !strings.Contains(u.BaseURL, "{"+name+"}") {
		return // it is the document's, or stands in a path, where it is escaped
	}
	authority, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(u.BaseURL, "https://"), "http://"), "/")
	allowed, part := inPath, "a URL"
	if strings.Contains(authority, "{"+name+"}") {
		allowed, part = inHost, "a host's name"
	}
	v.unless(variable.Value == "" || allowed.MatchString(variable.Value), at.Child("value"), fmt.Sprintf("%q can't stand in %s", variable.Value, part), "")
	for i, choice := range variable.Enum {
		v.unless(allowed.MatchString(choice), at.Child("enum", strconv.Itoa(i)), fmt.Sprintf("%q can't stand in %s", choice, part), "")
	}
}

// What a variable may hold: in a host's name nothing that ends it, so that no value can name another host.
var (
	inHost = regexp.MustCompile(`^[A-Za-z0-9._-]+(:[0-9]+)?$`)
	inPath = regexp.MustCompile(`^[^?#@\\{}\s]+$`)
)

func (v *validator) timeout(at Path, timeout Duration) {
	if timeout <= 0 {
		v.add(at, "an attempt needs time", "")
		return
	}
	whole := v.cfg.Server.CallTimeout
	v.unless(timeout <= whole || !v.given(at), at, fmt.Sprintf("an attempt can't take %s where a whole call may take %s", timeout, whole),
		"raise server.call_timeout, or lower this")
}

var status = regexp.MustCompile(`^[45]\d\d$`)

func (v *validator) retry(at Path, r *Retry) {
	v.unless(r.Attempts >= 1 && r.Attempts <= 20, at.Child("attempts"), fmt.Sprintf("%d is not a number of attempts", r.Attempts), "write 1 (no retry) to 20")
	v.unless(r.MaxBackoff >= r.Backoff, at.Child("max_backoff"), "max_backoff is shorter than backoff", "")
	for i, on := range r.On {
		if slices.Contains([]string{"400", "401", "403", "404"}, on) {
			v.add(at.Child("on", strconv.Itoa(i)), fmt.Sprintf("%q can't be tried again", on), "the same request would fail alike")
			continue
		}
		if status.MatchString(on) || on == "connect" || on == "timeout" {
			continue
		}
		hint := "write a status from 400 to 599, connect or timeout"
		if near := Nearest(on, []string{"connect", "timeout"}); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		v.add(at.Child("on", strconv.Itoa(i)), fmt.Sprintf("%q can't be tried again", on), hint)
	}
}

func (v *validator) limits(at Path, l *Limits) {
	for _, each := range []struct {
		key   string
		value int
	}{{"concurrency", l.Concurrency}, {"burst", l.Burst}, {"queue", l.Queue}} {
		v.unless(each.value >= 0, at.Child(each.key), each.key+" can't be negative", "")
	}
	v.unless(l.Rate.Events > 0 || l.Burst == 0, at.Child("burst"), "burst means nothing without a rate", "write rate: 20/s")
	v.unless(!l.PerCaller || l.Rate.Events > 0 || l.Concurrency > 0, at.Child("per_caller"), "per_caller means nothing without a rate or a concurrency", "")
}

func (v *validator) response(at Path, r *Response) {
	v.unless(r.MaxTokens > 0, at.Child("max_tokens"), "an answer needs room", "")
	v.unless(r.MaxBytes > 0, at.Child("max_bytes"), "an answer needs room", "")
}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// patterns checks include and exclude: an operationId, METHOD /path or tag:NAME.
func (v *validator) patterns(at Path, list []string) {
	for i, text := range list {
		path := at.Child(strconv.Itoa(i))
		method, route, spaced := strings.Cut(text, " ")
		switch {
		case strings.TrimSpace(text) == "" || text == "tag:":
			v.add(path, fmt.Sprintf("%q matches nothing", text), "write an operationId, METHOD /path, or tag:NAME")
		case strings.HasPrefix(text, "tag:"):
		case strings.HasPrefix(text, "/"):
			v.add(path, fmt.Sprintf("%q has no method", text), fmt.Sprintf("write %q, or %q for every method", "GET "+text, "* "+text))
		case spaced && !slices.Contains(methods, strings.ToUpper(method)) && method != "*":
			v.add(path, fmt.Sprintf("%q is not a method", method), "write it like GET /orders/**")
		case spaced && !strings.HasPrefix(strings.TrimSpace(route), "/"):
			v.add(path, fmt.Sprintf("%q is not a path", route), "write it like GET /orders/**")
		}
	}
}

func (v *validator) upstreamTLS(at Path, tls *UpstreamTLS) {
	v.unless((tls.CertFile == "") == (tls.KeyFile == ""), at, "cert_file and key_file belong together", "")
	v.readable(at.Child("cert_file"), tls.CertFile)
	v.readable(at.Child("key_file"), tls.KeyFile)
	v.readable(at.Child("ca_file"), tls.CAFile)
}
