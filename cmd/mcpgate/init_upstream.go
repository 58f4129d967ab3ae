package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"mcpgate/config"
	"mcpgate/specs"
)

// upstreamPlan is one upstream as the template writes it.
type upstreamPlan struct {
	Name, Title, Spec string
	BaseURL           string
	BaseURLNotes      []string
	Variables         []variablePlan
	Credential        string
	CredentialNotes   []string
	Needs             []string // environment variables without which the API will refuse
	ExposeNote        string
	Withheld          []operationPlan
	MoreWithheld      int
	Example           examplePlan
}

type variablePlan struct{ Name, Value, Note string }

type operationPlan struct{ Key, Note string }

type examplePlan struct{ Tool, Operation string }

// maxListed bounds the withheld operations that are written down; a long document has hundreds.
const maxListed = 12

func planUpstream(document *specs.Document, name, location string) *upstreamPlan {
	plan := &upstreamPlan{Name: name, Title: oneLine(cmp.Or(document.Title, name)), Spec: quoted(location)}
	plan.baseURL(document)
	plan.credential(document)
	plan.operations(document)
	return plan
}

// environment is the name of a variable that belongs to the upstream: PETSTORE_TOKEN.
func (p *upstreamPlan) environment(suffix string) string {
	return strings.ToUpper(p.Name) + "_" + suffix
}

// baseURL takes the document's first server. Without a usable one the sandbox answers, so that the file works as it is.
func (p *upstreamPlan) baseURL(document *specs.Document) {
	var server specs.Server
	if len(document.Servers) > 0 {
		server = document.Servers[0]
	}
	absolute := strings.HasPrefix(server.URL, "https://") || strings.HasPrefix(server.URL, "http://")
	for name, variable := range server.Variables {
		absolute = absolute && variable.Default != "" && strings.Contains(server.URL, "{"+name+"}")
	}
	variables := regexp.MustCompile(`\{[^}]*\}`).FindAllString(server.URL, -1)
	switch {
	case !absolute || len(variables) != len(server.Variables):
		p.BaseURL = quoted(config.SandboxURL)
		p.BaseURLNotes = []string{
			"The document names no address of its own" + ifAny(" but ", server.URL) + ". Put the API's in; until then the built-in sandbox answers.",
		}
	case len(variables) > 0:
		p.BaseURL = quoted(server.URL)
		for _, name := range slices.Sorted(maps.Keys(server.Variables)) {
			variable := server.Variables[name]
			p.Variables = append(p.Variables, variablePlan{
				Name: quoted(name), Value: quoted(variable.Default), Note: ifAny("one of ", oneLine(strings.Join(variable.Enum, ", "))),
			})
		}
	case strings.ContainsAny(server.URL, "$}\""):
		p.BaseURL = quoted(server.URL)
	default:
		p.BaseURL = fmt.Sprintf("${%s:-%s}", p.environment("BASE_URL"), server.URL)
		p.BaseURLNotes = []string{`"sandbox:" instead of an address lets the built-in sandbox answer.`}
	}
}

// credential proposes what most of the document's operations ask for.
func (p *upstreamPlan) credential(document *specs.Document) {
	scheme, ok := usualScheme(document)
	if !ok {
		p.CredentialNotes = []string{"The document asks for no credential. docs/credentials.md has the types."}
		return
	}
	secret := func(suffix string) string {
		variable := p.environment(suffix)
		p.Needs = append(p.Needs, variable)
		return fmt.Sprintf(`"${%s:-}"`, variable)
	}
	p.CredentialNotes = []string{fmt.Sprintf("What the document calls %s (%s).", oneLine(scheme.Name), oneLine(schemeKind(scheme)))}
	switch {
	case scheme.Type == "apiKey":
		if strings.EqualFold(scheme.Key, "Authorization") {
			p.CredentialNotes = append(p.CredentialNotes, "The value is the whole header, with a word such as Bearer or Token where the API wants one.")
		}
		p.Credential = fmt.Sprintf("{type: api_key, in: %s, name: %s, value: %s}", scheme.In, quoted(scheme.Key), secret("API_KEY"))
	case scheme.Type == "http" && strings.EqualFold(scheme.Scheme, "basic"):
		p.Credential = fmt.Sprintf("{type: basic, username: %s, password: %s}", secret("USERNAME"), secret("PASSWORD"))
	case scheme.Type == "http" && strings.EqualFold(scheme.Scheme, "bearer"):
		p.Credential = fmt.Sprintf("{type: bearer, token: %s}", secret("TOKEN"))
	case scheme.Type == "oauth2" && scheme.ClientCredentials && scheme.AuthorizationURL == "" && isEndpoint(scheme.TokenURL):
		p.CredentialNotes = append(p.CredentialNotes, "The gateway gets a token of its own with these.")
		p.Credential = fmt.Sprintf("{type: client_credentials, token_url: %s, client_id: %s, client_secret: %s%s}",
			quoted(scheme.TokenURL), secret("CLIENT_ID"), secret("CLIENT_SECRET"), scopeList(scheme.Scopes))
	case scheme.Type == "oauth2", scheme.Type == "openIdConnect":
		p.CredentialNotes = append(p.CredentialNotes, "This is an access token that you got elsewhere. To let each person use their own login: {type: login, provider: NAME},")
		p.CredentialNotes = append(p.CredentialNotes, "and under providers what docs/oauth.md says"+ifAny(": ", loginEndpoints(scheme)))
		p.Credential = fmt.Sprintf("{type: bearer, token: %s}", secret("TOKEN"))
	default:
		p.CredentialNotes = append(p.CredentialNotes, "mcpgate can't do that yet. docs/credentials.md has what it can.")
	}
}

// isEndpoint reports whether a URL of a document can stand in gateway.yaml: absolute, and https.
func isEndpoint(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Host != "" && !strings.ContainsAny(text, "{}$\"")
}

// loginEndpoints are what the document knows of a login.
func loginEndpoints(s specs.SecurityScheme) string {
	if issuer, ok := strings.CutSuffix(s.OpenIDConnectURL, "/.well-known/openid-configuration"); ok {
		return "issuer: " + oneLine(issuer)
	}
	if s.AuthorizationURL == "" || s.TokenURL == "" {
		return ""
	}
	return oneLine("authorization_url: " + s.AuthorizationURL + ", token_url: " + s.TokenURL)
}

// scopeList is the scopes as a key of a credential, or nothing.
func scopeList(scopes []string) string {
	var list []string
	for _, scope := range scopes {
		list = append(list, quoted(scope))
	}
	if list == nil {
		return ""
	}
	return ", scopes: [" + strings.Join(list, ", ") + "]"
}

// usualScheme is the first scheme of the alternative that most operations accept; ties go to the first in the document.
func usualScheme(document *specs.Document) (specs.SecurityScheme, bool) {
	counts := map[string]int{}
	var schemes []specs.SecurityScheme
	for _, operation := range document.Operations() {
		for _, alternative := range operation.Security {
			if len(alternative) == 0 {
				continue // the operation may also be called without any
			}
			if scheme := alternative[0]; counts[scheme.Name] == 0 {
				schemes = append(schemes, scheme)
			}
			counts[alternative[0].Name]++
		}
	}
	if len(schemes) == 0 {
		return specs.SecurityScheme{}, false
	}
	return slices.MaxFunc(schemes, func(a, b specs.SecurityScheme) int {
		// A credential that mcpgate can show beats one that it can't.
		return cmp.Or(cmp.Compare(counts[a.Name], counts[b.Name]), cmp.Compare(preference(a), preference(b)))
	}), true
}

// preference puts schemes that need nothing but a text above those that need a login.
func preference(s specs.SecurityScheme) int {
	switch s.Type {
	case "apiKey", "http":
		return 2
	case "oauth2", "openIdConnect":
		return 1
	default:
		return 0
	}
}

func schemeKind(s specs.SecurityScheme) string {
	switch s.Type {
	case "apiKey":
		return "an API key, in " + s.In
	case "http":
		return "HTTP " + s.Scheme
	default:
		return s.Type
	}
}

// operations counts what becomes a tool, and lists what doesn't.
func (p *upstreamPlan) operations(document *specs.Document) {
	all := document.Operations()
	p.Example = examplePlan{Tool: "find_something", Operation: quoted(operationKey(all[0]))}
	withheld := 0
	for _, operation := range all {
		if operation.Method == http.MethodGet || operation.Method == http.MethodHead {
			continue
		}
		withheld++
		if len(p.Withheld) < maxListed {
			key := operationKey(operation)
			note := oneLine(cmp.Or(operation.Summary, operation.Description))
			if key == operation.ID {
				note = operation.Method + " " + operation.Path + ifAny(": ", note)
			}
			p.Withheld = append(p.Withheld, operationPlan{Key: quoted(key), Note: note})
		}
	}
	width := 0
	for _, o := range p.Withheld {
		width = max(width, len(o.Key))
	}
	for i, o := range p.Withheld {
		if o.Note != "" {
			p.Withheld[i].Key = fmt.Sprintf("%-*s", width, o.Key) // so that the notes stand in a column
		}
	}
	p.MoreWithheld = withheld - len(p.Withheld)
	p.ExposeNote = fmt.Sprintf("Become tools: %s that read. Wait: %d that can change something.",
		count(len(all)-withheld, "operation"), withheld)
}

// operationKey is how gateway.yaml names an operation.
func operationKey(operation *specs.Operation) string {
	return cmp.Or(operation.ID, operation.Method+" "+operation.Path)
}

var (
	notInName = regexp.MustCompile(`[^a-z0-9]+`)
	// What a title says beside the API's name: "Swagger Petstore - OpenAPI 3.0", "The Weather REST API v2".
	titleNoise = regexp.MustCompile(`(?i)\b(the|swagger|openapi|open api|rest|restful|api|apis|specification|definition|v?\d+(\.\d+)*)\b`)
	plainYAML  = regexp.MustCompile(`^\.{0,2}[A-Za-z/][A-Za-z0-9_./-]*$`)
	// Words that YAML, or a reader of an older version of it, takes for something else than a string.
	yamlWords = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n)$`)
)

// maxName keeps an upstream's name short, since it stands before every tool's name.
const maxName = 24

// upstreamName makes a name out of a document's title, else of its file's name.
func upstreamName(title, location string) string {
	file := path.Base(strings.ReplaceAll(location, `\`, "/"))
	file, _, _ = strings.Cut(file, ".")
	for _, text := range []string{titleNoise.ReplaceAllString(title, " "), file} {
		name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(text), "_"), "_")
		for len(name) > maxName { // word by word
			cut := strings.LastIndexByte(name, '_')
			if cut <= 0 {
				name = name[:maxName]
				break
			}
			name = name[:cut]
		}
		if name != "" && name[0] >= 'a' && !yamlWords.MatchString(name) {
			return name
		}
	}
	return "api"
}

// plainValue reports whether s may stand in YAML without quotes.
func plainValue(s string) bool { return plainYAML.MatchString(s) && !yamlWords.MatchString(s) }

// oneLine makes a text fit for a comment.
func oneLine(s string) string {
	const maxComment = 90
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxComment {
		s = strings.TrimSpace(string(runes[:maxComment-1])) + "…"
	}
	return s
}

// ifAny is prefix and text, or nothing where there is no text.
func ifAny(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}
