package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mcpgate/specs"
)

// call is one request on its way to an answer.
type call struct {
	sandbox  *Sandbox
	endpoint *endpoint
	request  *http.Request
	sent     []byte
	parents  parents
	id       string // of the record that the path names; "" where it names none
	body     any    // decoded
}

// reply is an answer before it is written.
type reply struct {
	status   int
	body     any // nil for none; []byte is sent as it is
	media    string
	location string
	allow    []string
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // nothing was read of it that could be lost
	}
}

func readBody(req *http.Request) (sent []byte, tooLarge bool, err error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, false, nil
	}
	defer closeBody(req)
	sent, err = io.ReadAll(io.LimitReader(req.Body, maxBody+1))
	if err != nil {
		return nil, false, fmt.Errorf("reading the request's body: %w", err)
	}
	return sent, len(sent) > maxBody, nil
}

// place says what each placeholder of the path stands for: the record's id, or a record that it lies under.
func (c *call) place(values []string) {
	c.parents = parents{}
	e := c.endpoint
	isOne := e.isOne()
	n := 0
	before := ""
	for i, s := range e.path.segments {
		for _, name := range s.names {
			if isOne && i == len(e.path.segments)-1 {
				c.id = values[n]
			} else {
				c.parents[parentName(before, name)] = values[n]
			}
			n++
		}
		before = s.literal
	}
}

// parentName is what a placeholder is called whatever the path: the record type before an {id}, else its own name.
func parentName(before, name string) string {
	if p := plain(name); before != "" && (p == "id" || p == "uuid" || p == "key") {
		return plain(singular(before)) + "id"
	}
	return plain(name)
}

// locked runs the call alone. A panic, which the gateway survives, must not leave the lock behind.
func (c *call) locked() reply {
	c.sandbox.mu.Lock()
	defer c.sandbox.mu.Unlock()
	return c.run()
}

// run answers; the sandbox is locked.
func (c *call) run() reply {
	if p := c.checkParameters(); p != nil {
		return c.fail(*p)
	}
	if p := c.decodeBody(); p != nil {
		return c.fail(*p)
	}
	if p := c.checkParents(); p != nil {
		return c.fail(*p)
	}
	switch c.endpoint.does {
	case list:
		return c.list()
	case get:
		return c.get()
	case create:
		return c.create()
	case update, replace:
		return c.change()
	case remove:
		return c.remove()
	case alone:
		return c.alone()
	case query:
		return c.query()
	}
	return c.answer()
}

// decodeBody reads JSON and forms; a body of another kind stays what it is.
func (c *call) decodeBody() *problem {
	body := c.endpoint.op.Body
	if len(bytes.TrimSpace(c.sent)) == 0 {
		if body != nil && body.Required {
			return &problem{status: 400, code: "MISSING_BODY", message: "The request needs a body."}
		}
		return nil
	}
	mediaType := c.request.Header.Get("Content-Type")
	switch {
	case strings.HasPrefix(mediaType, "application/x-www-form-urlencoded"):
		if form, err := url.ParseQuery(string(c.sent)); err == nil {
			c.body = c.formBody(form)
		}
	case strings.HasPrefix(mediaType, "multipart/form-data"):
		form, err := parts(c.sent, mediaType)
		if err != nil {
			return &problem{status: 400, code: "INVALID_FORM", message: "The body is not a form of several parts: " + err.Error()}
		}
		c.body = c.formBody(form)
	case mediaType == "" || isJSON(mediaType):
		decoder := json.NewDecoder(bytes.NewReader(c.sent))
		decoder.UseNumber()
		if err := decoder.Decode(&c.body); err != nil {
			return &problem{status: 400, code: "INVALID_JSON", message: "The body is not JSON: " + err.Error()}
		}
		if decoder.More() {
			return &problem{status: 400, code: "INVALID_JSON", message: "The body is not JSON: there is more after its end."}
		}
	}
	return nil
}

// typed reads a text as the schema's type, where it is one.
func typed(s specs.Schema, v string) any {
	switch typeOf(s) {
	case "integer", "number":
		if json.Valid([]byte(v)) {
			return json.Number(v)
		}
	case "boolean":
		if v == "true" || v == "false" {
			return v == "true"
		}
	case "object":
		if object, ok := structured(v).(map[string]any); ok {
			return object
		}
	}
	return v
}

// checkParents answers for a path under a record that isn't there. A parent that no document describes is taken as
// it is, and so is one that the path names by something else than its id ({repo}), and what stands for the caller.
func (c *call) checkParents() *problem {
	for on := c.sandbox.parentOf(c.endpoint); on != nil; on = c.sandbox.parentOf(on) {
		if on.of == c.endpoint.of && on.path.key == c.endpoint.path.key || len(on.of.records) == 0 {
			continue
		}
		outer := c.above(on)
		if slices.Contains([]string{"me", "self", "@me", "current", "-", "~"}, outer.id) {
			continue
		}
		if on.of.find(outer.id, outer.parents) == nil && on.path.endsInID() {
			return c.noRecord(on.of, outer.id)
		}
	}
	return nil
}

// above is a read of the record that on reads and that this call's path lies under.
func (c *call) above(on *endpoint) *call {
	values, _ := on.path.values(requestPath(c.request.URL)[:len(on.path.segments)])
	outer := &call{sandbox: c.sandbox, endpoint: &endpoint{path: on.path, of: on.of, does: get}}
	outer.place(values)
	return outer
}

// response writes the reply.
func (c *call) response(r reply) *http.Response {
	header := http.Header{"X-Sandbox": {"mcpgate"}}
	if r.location != "" {
		header.Set("Location", r.location)
	}
	if len(r.allow) > 0 {
		header.Set("Allow", strings.Join(r.allow, ", "))
	}
	var body []byte
	switch v := r.body.(type) {
	case nil:
	case []byte:
		body = v
		header.Set("Content-Type", r.media)
	default:
		var buffer bytes.Buffer
		encoder := json.NewEncoder(&buffer)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			r.status, buffer = 500, *bytes.NewBufferString(`{"message":"the sandbox could not write its answer"}`)
		}
		body = bytes.TrimRight(buffer.Bytes(), "\n")
		header.Set("Content-Type", cmp.Or(r.media, "application/json"))
	}
	length := int64(len(body))
	if c.request.Method == http.MethodHead {
		body = nil
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)), StatusCode: r.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: length, Request: c.request,
	}
}
