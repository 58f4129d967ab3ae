package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"mcpgate/config"
	"mcpgate/specs"
)

// argument is one thing that a call may say: a parameter, a property of the body, or the body as a whole.
type argument struct {
	name        string // the client's
	wire        string // "" for the body as a whole
	in          string // one of places
	description string
	schema      map[string]any // cleaned
	sent        map[string]any // what is sent fits it, where gateway.yaml changes something inside; else nil
	key         string         // its key in gateway.yaml; "" where it has none
	required    bool
	needed      bool // of a property: its object requires it, which may itself be left out
	named       bool // name is gateway.yaml's
	slot        slot

	hidden     bool // the model does not see it
	written    bool // and the gateway writes it: a query made of a template
	fixed      bool // value is sent, and hidden
	value      any
	defaulted  bool // value is sent where the model says nothing
	documented bool // and the default is the document's
}

// plain is the argument's own name on the wire: of a property that lies deeper, the last of its path.
func (a *argument) plain() string {
	if len(a.slot.within) > 0 {
		return a.slot.name
	}
	return a.wire
}

// text is what the document or gateway.yaml says of an argument.
func (a *argument) text() string { return cmp.Or(a.description, described(a.schema)) }

// places in the order in which an argument gets its plain name, where several have one name on the wire.
var places = []string{"template", "variable", "path", "query", "querystring", "header", "cookie", "body", "paging"}

// inputs are the arguments of an operation, and how its body is made of them.
type inputs struct {
	arguments []*argument
	body      *bodyTemplate
	// rest is what flattening the body took off its schema: it is checked against the properties together.
	rest map[string]any
	// coupled are the properties of an object that may be left out, though the model does not see it, each with those
	// that are required beside it.
	coupled map[string]any
}

// collect makes arguments out of an operation's parameters and body.
// entries are what gateway.yaml says of them, by its keys.
func collect(d *definitions, op *specs.Operation, entries map[string]*config.Argument) *inputs {
	in := &inputs{}
	for _, p := range op.Parameters {
		schema := d.cleaned(p.Schema)
		if p.In == "querystring" && !isJSON(p.ContentType) {
			schema = wholeBody(d, schema, "text/plain", false)
		}
		in.arguments = append(in.arguments, &argument{
			wire: p.Name, in: p.In, description: cleanText(p.Description), schema: schema,
			required: p.Required || p.In == "path",
			slot: slot{name: p.Name, style: p.Style, explode: p.Explode, reserved: p.AllowReserved,
				contentType: p.ContentType},
		})
	}
	if op.Body != nil && len(op.Body.Content) > 0 {
		in.collectBody(d, op.Body, meansBody[op.Method], func(key string) bool {
			_, ok := entries[key]
			return ok
		})
	}
	in.sort()
	return in
}

// meansBody are the methods of which a call without a body is worth nothing where its schema requires a property. Few
// documents say that the body is required then: 170 of the 915 bodies that documents were counted for don't.
var meansBody = map[string]bool{http.MethodPost: true, http.MethodPut: true, http.MethodPatch: true}

// collectFor is collect for an entry of gateway.yaml. One that names a property of a body which may be left out has a body
// in mind: it is flattened then, and required.
func collectFor(d *definitions, op *specs.Operation, names map[string]*config.Argument) *inputs {
	in := collect(d, op, names)
	if op.Body == nil || op.Body.Required {
		return in
	}
	meant := collect(d, needsBody(op), names)
	for name := range names {
		a, _ := in.locate(d, name)
		if b, _ := meant.locate(d, name); a == nil && b != nil {
			return meant
		}
	}
	return in
}

// needsBody is the operation with a body that can't be left out.
func needsBody(op *specs.Operation) *specs.Operation {
	if op.Body == nil {
		return op
	}
	out, body := *op, *op.Body
	body.Required = true
	out.Body = &body
	return &out
}

// sort puts the arguments in the order of places.
func (in *inputs) sort() {
	slices.SortStableFunc(in.arguments, func(a, b *argument) int {
		return cmp.Compare(slices.Index(places, a.in), slices.Index(places, b.in))
	})
}

// collectBody makes one argument of each property where that loses nothing, else one of the whole body. meant says that the
// call means its body though the document lets it be left out, named which objects within it are to be arguments.
func (in *inputs) collectBody(d *definitions, body *specs.Body, meant bool, named func(key string) bool) {
	media := chooseMedia(d, body.Content)
	schema := d.cleaned(media.Schema)
	media.Type = concrete(media.Type, d.follow(schema))
	in.body = &bodyTemplate{mediaType: media.Type, required: body.Required, encoding: media.Encoding}
	if isXML(media.Type) {
		in.body.xml = xmlRoot(d.document, media.Schema, true)
	}
	structure := structured(media.Type) || in.body.xml != nil
	if flat, ok := flatten(d, schema); ok && structure && (body.Required || meant || len(flat.required) == 0) {
		needed := len(flat.required) > 0
		in.spread(d, flat, named)
		in.body.required = body.Required || needed && len(in.body.layers) > 0
		return
	}
	if properties, ok := d.follow(schema)["properties"].(map[string]any); ok {
		in.body.members = sortedKeys(properties)
	}
	in.arguments = append(in.arguments, &argument{
		in: "body", schema: wholeBody(d, schema, media.Type, structure), required: body.Required,
		description: cmp.Or(cleanText(body.Description), described(d.follow(schema)), "The body of the request."),
	})
	if !isJSON(media.Type) && in.body.xml == nil {
		last := in.arguments[len(in.arguments)-1]
		last.description = sentence(last.description) + " It is " + baseType(media.Type) + "."
	}
}

// described is what a schema says of itself.
func described(schema map[string]any) string {
	text, _ := schema["description"].(string)
	return text
}

func isMultipart(mediaType string) bool { return strings.HasPrefix(baseType(mediaType), "multipart/") }

// takeFile makes an argument of a file of a multipart form, or of a list of them.
func (a *argument) takeFile(d *definitions) {
	text := a.text()
	schema := d.follow(a.schema)
	if items, ok := schema["items"].(map[string]any); ok && isFile(d.follow(items)) {
		a.slot.binary = true
		a.schema = maps.Clone(schema)
		a.schema["items"] = attachmentSchema()
	}
	if isFile(schema) {
		a.slot.binary = true
		a.schema = attachmentSchema()
	}
	a.description = text
}

// hasFile reports whether an object has a file among its properties.
func hasFile(d *definitions, schema map[string]any) bool {
	flat, ok := flatten(d, schema)
	if !ok {
		return false
	}
	for _, property := range flat.properties {
		property = d.follow(property)
		items, _ := property["items"].(map[string]any)
		if isFile(property) || items != nil && isFile(d.follow(items)) {
			return true
		}
	}
	return false
}

func fileSchema() map[string]any {
	return map[string]any{"type": "string", "contentEncoding": "base64"}
}

// attachmentSchema is a file of a form: its bytes alone, or with a name and a media type.
func attachmentSchema() map[string]any {
	text := map[string]any{"type": "string"}
	object := map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{
		"data": fileSchema(), "text": text, "filename": text, "media_type": text}}
	return map[string]any{"anyOf": []any{fileSchema(), object}}
}

// isFile reports whether a schema stands for bytes: OpenAPI 3.0 writes format: binary, 3.1 a contentMediaType alone.
func isFile(schema map[string]any) bool {
	if kind, typed := schema["type"]; typed && kind != "string" {
		return false
	}
	mediaType, _ := schema["contentMediaType"].(string)
	return schema["format"] == "binary" || mediaType != "" && schema["contentEncoding"] == nil && !textual(mediaType) &&
		!isJSON(mediaType)
}

// loosen makes every property of the body optional.
func (in *inputs) loosen() {
	for _, a := range in.arguments {
		if a.in == "body" && a.wire != "" {
			a.required, a.needed = false, false
		}
	}
	in.coupled = nil
}

// wholeBody is the schema of a body that is one argument: what is neither JSON nor a form is text.
func wholeBody(d *definitions, schema map[string]any, mediaType string, structure bool) map[string]any {
	switch {
	case structure:
		return schema
	case isLines(mediaType) && d.follow(schema)["type"] == "array": // an item a line
		return schema
	case textual(mediaType):
		switch d.follow(schema)["type"] {
		case "boolean", "integer", "number", "string":
			return schema
		}
		return map[string]any{"type": "string"}
	}
	return fileSchema()
}

// chooseMedia prefers JSON, then forms, then multipart, then what comes first. A file goes into multipart alone.
func chooseMedia(d *definitions, content []specs.Media) specs.Media {
	rank := func(m specs.Media) int {
		switch mediaType := baseType(m.Type); {
		case structured(mediaType) && !isMultipart(mediaType) && hasFile(d, d.cleaned(m.Schema)):
			return 5
		case mediaType == "application/json":
			return 0
		case isJSON(mediaType):
			return 1
		case mediaType == "*/*" || mediaType == "application/*":
			return 2
		case mediaType == "application/x-www-form-urlencoded":
			return 3
		case mediaType == "multipart/form-data":
			return 4
		}
		return 5
	}
	return slices.MinFunc(content, func(a, b specs.Media) int { return cmp.Compare(rank(a), rank(b)) })
}

// concrete chooses a media type where the document takes any: what its schema looks like.
func concrete(mediaType string, schema map[string]any) string {
	if base := baseType(mediaType); base != "*/*" && base != "application/*" {
		return mediaType
	}
	switch {
	case isFile(schema):
		return "application/octet-stream"
	case schema["type"] == "string":
		return "text/plain"
	}
	return "application/json"
}

// assignNames gives each argument a legal name that no other has. Names from gateway.yaml come first, then a place's
// turn is that of places; what would collide gets its place before it, or a number behind.
func (in *inputs) assignNames() {
	taken := map[string]bool{}
	for _, a := range in.arguments {
		if a.named {
			taken[a.name] = true
		}
	}
	plain := map[*argument]bool{}
	for _, exact := range []bool{true, false} { // in one place, a name that needs no cleaning comes first
		for _, place := range places {
			for _, a := range in.arguments {
				if a.named || plain[a] || a.slot.constant || a.in != place || exact != (clean(a.plain(), notArgumentRune) == a.plain()) {
					continue
				}
				a.name = argumentName(a, taken)
				taken[a.name], plain[a] = true, true
			}
		}
	}
}

func argumentName(a *argument, taken map[string]bool) string {
	name := clean(a.plain(), notArgumentRune)
	if name == "" {
		name = a.in
	}
	name = shorten(name, a.in+" "+a.wire)
	if !taken[name] {
		return name
	}
	prefix := a.in
	if within := a.slot.within; len(within) > 0 {
		prefix = clean(within[len(within)-1], notArgumentRune)
	}
	base := shorten(prefix+"_"+name, a.wire)
	for name, i := base, 2; ; i++ {
		if !taken[name] {
			return name
		}
		name = shorten(fmt.Sprintf("%s_%d", base, i), a.wire)
	}
}
