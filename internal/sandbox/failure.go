package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"mcpgate/specs"
)

// problem is what is wrong with a request.
type problem struct {
	status  int
	code    string // such as NOT_FOUND
	message string // for whoever sent it to act on
	field   string // "" where it is about no single one
}

func (c *call) noRecord(of *collection, id string) *problem {
	p := &problem{status: 404, code: "NOT_FOUND", message: fmt.Sprintf("There is no %s with the id %q.", singular(of.name), id)}
	if n := len(of.records); n > 0 {
		p.message = fmt.Sprintf("There is no %s with the id %q; ids here look like %q.", singular(of.name), id, of.records[n-1].id)
	}
	return p
}

// unknown answers for a path or a method that the documents don't have.
func (s *Sandbox) unknown(req *http.Request, allowed []string) *http.Response {
	p := problem{status: 404, code: "NO_SUCH_PATH"}
	if len(allowed) > 0 {
		slices.Sort(allowed)
		allowed = slices.Compact(allowed)
		p.status, p.code = 405, "METHOD_NOT_ALLOWED"
		p.message = fmt.Sprintf("%s is not allowed here; %s is.", req.Method, strings.Join(allowed, ", "))
	} else {
		p.message = fmt.Sprintf("No document has a path %s. There are %s.", req.URL.Path, s.paths())
	}
	c := &call{sandbox: s, endpoint: &endpoint{}, request: req}
	r := c.fail(p)
	r.allow = allowed
	return c.response(r)
}

// paths names the paths that there are, the first ones.
func (s *Sandbox) paths() string {
	var names []string
	for _, e := range s.endpoints {
		if !slices.Contains(names, e.path.text) {
			names = append(names, e.path.text)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	if len(names) > 12 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:12], ", "), len(names)-12)
	}
	return strings.Join(names, ", ")
}

// failure returns the JSON that the document promises for a status, nil where it promises none.
func (e *endpoint) failure(status int) *specs.Media {
	exact, class := fmt.Sprint(status), fmt.Sprintf("%dXX", status/100)
	for _, want := range []string{exact, class, "default"} {
		for _, r := range e.op.Responses {
			if strings.EqualFold(r.Status, want) {
				if media := jsonMedia(r.Content); media != nil && len(media.Schema) > 0 {
					return media
				}
			}
		}
	}
	return nil
}

// declares reports whether the document has an answer with this status.
func (e *endpoint) declares(status string) bool {
	return slices.ContainsFunc(e.op.Responses, func(r specs.Response) bool { return r.Status == status })
}

// fail answers with a problem, in the document's own manner where it has one.
func (c *call) fail(p problem) reply {
	e := c.endpoint
	if p.status == 400 && !e.declares("400") && e.declares("422") {
		p.status = 422
	}
	media, defs := c.sandbox.manner(e, p.status)
	if media != nil {
		told := false
		body := defs.explain(media.Schema, p, &told, 0)
		if told {
			return reply{status: p.status, body: body, media: concrete(media.Type)}
		}
	}
	body := map[string]any{"message": p.message, "code": p.code}
	if p.field != "" {
		body["field"] = p.field
	}
	return reply{status: p.status, body: body}
}

// manner finds how a failure looks: as the document says for this status, else as another failure of the endpoint, since
// most documents describe one kind of error for all, else as one of another endpoint. It is nil where none says.
func (s *Sandbox) manner(e *endpoint, status int) (*specs.Media, definitions) {
	if media := e.failure(status); media != nil {
		return media, e.defs
	}
	for _, r := range e.op.Responses {
		if media := jsonMedia(r.Content); strings.HasPrefix(r.Status, "4") && media != nil && len(media.Schema) > 0 {
			return media, e.defs
		}
	}
	for _, other := range s.endpoints {
		if media := other.failure(status); media != nil {
			return media, other.defs
		}
	}
	return nil, nil
}

// concrete is a media type that can be said of an answer; "" for a range.
func concrete(mediaType string) string {
	if strings.Contains(mediaType, "*") {
		return ""
	}
	return mediaType
}

// explain fills an error's schema by the meaning of its properties. told becomes true once the message has found a
// place in it.
func (d definitions) explain(s specs.Schema, p problem, told *bool, depth int) any {
	s, _ = d.resolve(s)
	if depth > maxDepth {
		return nil
	}
	switch typeOf(s) {
	case "array":
		item, _ := asSchema(s["items"])
		return []any{d.explain(item, p, told, depth+1)}
	case "string":
		*told = true
		return p.message
	case "object", "":
	default:
		return nil
	}
	out := map[string]any{}
	all := properties(s)
	need := required(s)
	for name, property := range all {
		resolved, _ := d.resolve(property)
		if v := d.errorProperty(name, resolved, p, told, depth); v != nil {
			out[name] = v
		} else if slices.Contains(need, name) {
			out[name] = d.generate(resolved, name, 0, depth+1)
		}
	}
	return out
}

func (d definitions) errorProperty(name string, s specs.Schema, p problem, told *bool, depth int) any {
	kind := typeOf(s)
	key := plain(strings.TrimPrefix(name, "o:"))
	switch key {
	case "message", "detail", "details", "description", "errordescription", "errormessage", "reason", "msg", "error", "errors", "errordetails", "fault", "cause":
		switch kind {
		case "string", "":
			*told = true
			return p.message
		case "object", "array":
			return d.explain(s, p, told, depth+1)
		case "boolean":
			return true
		}
	case "title":
		return http.StatusText(p.status)
	case "type":
		if kind == "string" && s["enum"] == nil && s["const"] == nil {
			return "https://www.rfc-editor.org/rfc/rfc9110#section-15.5" // the statuses that say whose mistake it was
		}
	case "status", "statuscode", "httpstatus", "httpstatuscode":
		if kind == "integer" || kind == "number" {
			return p.status
		}
		if kind == "string" && s["enum"] == nil {
			return fmt.Sprint(p.status)
		}
	case "code", "errorcode", "errcode", "kind":
		if kind == "integer" || kind == "number" {
			return p.status
		}
		if list, ok := s["enum"].([]any); ok {
			return closestCode(list, p.status)
		}
		if kind == "string" {
			return p.code
		}
	case "field", "path", "errorpath", "pointer", "parameter", "property", "param":
		if p.field != "" && kind != "array" {
			return p.field
		}
	case "fields":
		if kind == "array" {
			if p.field == "" {
				return []any{}
			}
			return []any{p.field}
		}
	case "success", "ok":
		return false
	}
	return nil
}

// codeWords are parts of the codes that documents list, by the status that they go with.
var codeWords = map[int][]string{
	400: {"badrequest", "invalidrequest", "validation", "invalidparameter", "malformed", "invalid"},
	404: {"notfound", "unknown", "missing"},
	405: {"methodnotallowed", "notallowed"},
	409: {"exists", "duplicate", "conflict"},
	422: {"unprocessable", "validation", "invalid"},
}

// closestCode chooses the one of a closed set of codes that says what the status says; nil where none does.
func closestCode(list []any, status int) any {
	for _, word := range codeWords[status] {
		for _, code := range list {
			if strings.Contains(plain(text(code)), word) {
				return code
			}
		}
	}
	return nil
}
