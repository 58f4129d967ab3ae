// Package mapping turns operations into tools, arguments into requests, and answers into results. It opens no
// connection and never sees who is calling.
package mapping

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mcpgate/config"
	"mcpgate/specs"
)

// Tool is an operation compiled for the model: nothing about it is left to interpret when a call comes in. It is
// immutable and safe for concurrent use.
type Tool struct {
	Name        string // [A-Za-z0-9_-]{1,64}, unique in the gateway
	Title       string
	Description string
	Upstream    string // its name in gateway.yaml
	Method      string // of the request
	Path        string // of the request, as the document writes it: /pets/{id}
	// Tags are the document's, by which it groups its operations.
	Tags []string
	// Described says that gateway.yaml has an entry for the tool, in tools, records or queries.
	Described   bool
	Annotations Annotations
	// InputSchema is what clients see: JSON Schema 2020-12, an object at the root, no combinator there.
	InputSchema json.RawMessage
	// OutputSchema is that of the tool's results, on success and on failure; nil where response.output_schema does not
	// ask for it.
	OutputSchema json.RawMessage
	// Idempotent says that the request may be repeated: by its method, or because gateway.yaml says so.
	Idempotent bool
	// Timeout of one attempt.
	Timeout time.Duration
	// MaxBytes bounds the answer on the wire, MaxTokens (4 bytes each) what the model gets of it.
	MaxBytes  int64
	MaxTokens int
	// Query is set where the tool runs a query language.
	Query *Query

	names     []string           // of the arguments, by the client's names
	arguments *jsonschema.Schema // the whole schema, with which ParseArguments validates
	together  *jsonschema.Schema // what the properties of a flattened body have to fulfil together; nil where nothing
	parts     map[string]slot    // the properties of a flattened body, by the names that together has for them
	defaults  map[string]any     // client argument -> default
	sent      map[string]sending // of arguments inside which gateway.yaml changes something
	template  template
	responses []specs.Response
	pager     *pager      // nil where the answers are whole
	statement *statement  // how a query is parsed and written; nil where there is none, or no language
	selection *program    // response.select; nil where there is none
	errors    *errorRules // errors: of the upstream; nil where there are none
	record    *verb       // of a tool of records:
	output    *output     // what OutputSchema promises; nil where it is not published
	// xmlAnswers are the shapes of the answers in XML, by their status, in upper case.
	xmlAnswers map[string]*xmlShape
	kinds      *recordKinds // how the fields of several record types are checked; nil where there is one
	reread     *Tool        // with which a record is read once it is written; nil where it isn't
}

// hintBytes is what a tool's entry in a list has besides its texts: keys, braces and hints.
const hintBytes = 172

// Tokens estimates what the tool costs in a model's context: what its entry in a list has in JSON, at 4 bytes a token.
// The title is there twice, as clients of two kinds want it.
func (t *Tool) Tokens() int {
	size := hintBytes + len(t.Name) + 2*quotedLength(t.Title) + quotedLength(t.Description) + escapedLength(string(t.InputSchema))
	if t.OutputSchema != nil {
		size += len(`,"outputSchema":`) + escapedLength(string(t.OutputSchema))
	}
	return (size + 3) / 4
}

// quotedLength is the length of a text as it stands in JSON, between the quotes.
func quotedLength(s string) int {
	return escapedLength(s) + strings.Count(s, `"`) + strings.Count(s, `\`)
}

// escapedLength is the length of JSON once <, > and & are \u003c and the like, which is how lists are written.
func escapedLength(s string) int {
	return len(s) + 5*(strings.Count(s, "<")+strings.Count(s, ">")+strings.Count(s, "&"))
}

// Annotations are hints for clients about what a tool does.
type Annotations struct {
	ReadOnly, Destructive, Idempotent, OpenWorld bool
}

// Query says which argument carries a query, and its language.
type Query struct {
	Argument string // its name on the wire
	Language string // suiteql, soql or none
}

// Arguments are a call's arguments by the client's names: validated, defaulted, numbers as json.Number.
type Arguments map[string]any

// template is the request before its arguments are in. compile.go writes it, request.go reads it: it is the joint of
// the two halves of this package.
type template struct {
	method   string
	base     string // https://api.example/v1 with {name} for a variable; no slash at the end
	path     string // /pets/{id}
	segments []slot // for the {name}s of base and path
	query    []slot //
	// querystring is the whole query as one value, of OpenAPI 3.2; nil where there is none.
	querystring *slot
	headers     []slot         //
	cookies     []slot         //
	static      []staticHeader // from gateway.yaml
	accept      string         // the Accept header
	body        *bodyTemplate  // nil where there is none
}

// slot is a place in the request and what fills it: an argument, or a fixed value.
type slot struct {
	name        string // on the wire
	argument    string // the client's name for it; "" where value is fixed
	value       any    // fixed; nil where argument fills it
	variable    bool   // in base: a server variable, written as it is after its enum was checked
	style       string
	explode     bool
	reserved    bool // allowReserved
	contentType string
	within      []string // of a body: the layers around the property, outermost first
	constant    bool     // value is the only one that the document allows
	edits       []edit   // of gateway.yaml, inside the value
	binary      bool     // of a body: the argument is base64 (items of an array are), the request carries its bytes
}

// sending is how an argument is checked once it is what is sent.
type sending struct {
	slot   slot
	schema *jsonschema.Schema // of an object with the argument in it
}

// staticHeader is a header from gateway.yaml.
type staticHeader struct {
	name  string
	value config.Secret
}

// bodyTemplate says how the body is made.
type bodyTemplate struct {
	mediaType string
	required  bool
	// whole is the client's name of the one argument that is the body, where it could not be flattened.
	whole string
	// edits of gateway.yaml inside whole.
	edits []edit
	// members are the names of the properties that the document declares for a body that is one argument.
	members []string
	// properties are the slots of a flattened object body, where whole is "". With a literal they are what its {name}s
	// may name, also arguments that go elsewhere too.
	properties []slot
	// layers are the objects around the properties that no argument stands for, outermost first.
	layers []layer
	// literal is a body template of gateway.yaml: its strings may hold {name}, the name of a slot in properties.
	literal  any
	encoding map[string]specs.Encoding
	// xml is set where the body is written as XML.
	xml *xmlShape
}

// Page is one answer of an upstream, read whole.
type Page struct {
	Status    int
	Header    http.Header
	MediaType string // without parameters, lower case
	Body      []byte // JSON is valid and compact, text is UTF-8; nil where there is none
}

// Result is what the model gets of a call that went well.
type Result struct {
	Status    int
	Data      json.RawMessage // compact JSON; nil where there is none
	Rest      []byte          // where the list goes on, for Walk; nil where it is at its end. It is not for clients.
	Truncated *Truncated
	Note      string  // about Data, where it needs a word
	Media     []Media // images, audio and other binary answers
}

// Truncated says what was cut from an answer, and how to get it.
type Truncated struct {
	Kept         int    `json:"kept"`
	Total        int    `json:"total,omitempty"` // 0 where nobody says how many there are
	Unit         string `json:"unit"`            // items or bytes
	HowToGetMore string `json:"how_to_get_more"`
}

// Media is a binary answer.
type Media struct {
	Type string // image/png
	Data []byte
}
