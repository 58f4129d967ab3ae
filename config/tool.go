package config

// Tool is an operation of the document, or a request of its own, as the author wants the model to see it. Its key is the
// tool's name: up to 64 letters, digits, _ and -; no prefix is put before it.
type Tool struct {
	Name string `yaml:"-"` // its key in gateway.yaml

	// Operation is an operationId, or "METHOD /path", of the upstream's document. A tool has either this or a request.
	Operation string `yaml:"operation"`
	// Request is "METHOD /path" of an endpoint that no document describes. Each {name} in the path is an argument with
	// in: path, or a variable.
	Request string `yaml:"request"`
	// Title is the tool's name for people. Default: from the document, or from the tool's name.
	Title string `yaml:"title"`
	// Description is what the model reads to decide whether to call the tool. Default: the document's.
	Description string `yaml:"description"`
	// Arguments by their names on the wire. With Operation they change what the document says, also of a property within
	// one: address.city. With Request they are all there is.
	Arguments map[string]*Argument `yaml:"arguments"`
	// Body is a template of the request's body: strings may hold {argument}. Only with Request.
	Body any `yaml:"body"`
	// ContentType says how the body is written: json, form, multipart, or a media type. Default: json; with Operation, of the
	// media types that the document lists, JSON before a form before others. There it is one of these.
	ContentType string   `yaml:"content_type"`
	Response    Response `yaml:"response"`
	// Paging says how a list of several pages is answered: auto joins them up to the limits, manual gives one page and a
	// next for the one after it, none gives what the API answers. Default: auto, where the document or page shows how.
	Paging      string      `yaml:"paging" enum:"auto,manual,none"`
	Annotations Annotations `yaml:"annotations"`
	// Idempotent says that the call may be repeated although it is a POST or PATCH, such as a query. If it is not true,
	// a retry may order two pizzas.
	Idempotent bool `yaml:"idempotent"`
	// Scopes that a caller needs, all of them. Over stdio nobody is asked.
	Scopes []string `yaml:"scopes"`
	// Allow names the roles that may call the tool: one of them is enough. Whoever has none does not see it. Over stdio
	// nobody is asked.
	Allow []string `yaml:"allow"`
	// Confirm says when a call is planned and approved before it is carried out: never, always, or on a condition (CEL).
	Confirm Later `yaml:"confirm"`
	// Timeout bounds one attempt. Default: the upstream's.
	Timeout Duration `yaml:"timeout"`
}

// Annotations are hints for clients, which decide with them whether to ask the person first. Default: from the method.
type Annotations struct {
	// ReadOnly says that the tool changes nothing.
	ReadOnly *bool `yaml:"read_only"`
	// Destructive says that the tool may delete or overwrite.
	Destructive *bool `yaml:"destructive"`
	// Idempotent says that calling twice does no more than calling once.
	Idempotent *bool `yaml:"idempotent"`
	// OpenWorld says that the tool reaches beyond a closed system, as a web search does.
	OpenWorld *bool `yaml:"open_world"`
}

// Argument changes one argument of the document's, or with request declares one. Its key is the parameter's or property's name on the wire.
type Argument struct {
	// Name is what the model calls it instead.
	Name string `yaml:"name"`
	// Description is what the model reads of it.
	Description string `yaml:"description"`
	// In says where it goes; without it, into the path that has its name. Only with request.
	In string `yaml:"in" enum:"path,query,header,cookie,body"`
	// Type of its values; string where nothing is said. Only with request.
	Type string `yaml:"type" enum:"string,integer,number,boolean,array,object"`
	// Format of its values (JSON Schema), such as email or date. Only with request.
	Format string `yaml:"format"`
	// Items is the JSON Schema of an array's items. Only with request.
	Items any `yaml:"items"`
	// Required says whether the model has to give it. Default: what the document says; with request, only one in the path.
	Required *bool `yaml:"required"`
	// Value is fixed, and hidden from the model.
	Value any `yaml:"value"` // here, in Default, Enum, Items and a tool's Body numbers are json.Number
	// Default is sent where the model says nothing.
	Default any `yaml:"default"`
	// Hide takes the argument away; it is never sent unless it has a Value or a Default.
	Hide bool `yaml:"hide"`
	// Enum lists the only values.
	Enum []any `yaml:"enum"`
	// Minimum of a number.
	Minimum *float64 `yaml:"minimum"`
	// Maximum of a number.
	Maximum *float64 `yaml:"maximum"`
	// Pattern is a regular expression (JavaScript's) that a string has to match.
	Pattern string `yaml:"pattern"`
}

// Record is a record type with the usual operations on it. Its key ends the tools' names: create_customer, get_customer.
type Record struct {
	Name string `yaml:"-"` // its key in gateway.yaml

	// Path of the collection, such as /record/v1/customer; a record is at Path/{id}.
	Path string `yaml:"path"`
	// Operations are some of create, get, update, delete, list, upsert. Default: those that the document has at Path,
	// without one all but upsert. expose: read_only does not narrow this list: what is written here is meant.
	Operations []string `yaml:"operations" items:"create,get,update,delete,list,upsert"`
	// Schema points to the record's schema in the document, such as #/components/schemas/customer.
	Schema string `yaml:"schema"`
	// Types of a Path with {record_type}: one set of tools for several types, create_record(record_type, fields). The fields
	// are checked against the type's schema where the document has one.
	Types []string `yaml:"types"`
	// Schemas of Types, such as {salesOrder: "#/components/schemas/salesOrder"}. Default: the schemas with the types' names.
	Schemas map[string]string `yaml:"schemas"`
	// Upsert is "METHOD /path" of creating or changing a record by an id of your own, such as
	// "PUT /record/v1/customer/eid:{externalId}". Default: PUT to Path/{id}.
	Upsert string `yaml:"upsert"`
	// Fetch reads a record once more after create, update and upsert, and answers with what the API made of it. That is one
	// request more; if it fails, the answer says so, and that the record was written.
	Fetch bool `yaml:"fetch"`
	// Description says what the record is; it is put into every tool's description.
	Description string `yaml:"description"`
}

// Query is an endpoint that takes a query language. Its key is the tool's name.
type Query struct {
	Name string `yaml:"-"` // its key in gateway.yaml

	// Request is "METHOD /path", with GET or POST.
	Request string `yaml:"request"`
	// Argument is the property (POST) or parameter (GET) that carries the query.
	Argument string `yaml:"argument" default:"q"`
	// Headers are put on every request, besides the upstream's.
	Headers map[string]Secret `yaml:"headers"`
	// Title is the tool's name for people.
	Title string `yaml:"title"`
	// Description is what the model reads: say which tables and fields there are, and give an example.
	Description string `yaml:"description"`
	// Language that the query is parsed as: one SELECT passes and nothing else, and what is sent is written anew from the
	// parse. With none the model's text goes to the API as it is, with all that the credential may do there.
	Language string `yaml:"language" default:"none" enum:"none,suiteql,soql"`
	// Tables that may be read; any where there is no list. Needs a language.
	Tables []string `yaml:"tables"`
	// Fields that may be read, by table; of a table without a list, any. They hold wherever a name stands: in WHERE, ORDER BY
	// and joins too, and * stands for them. A parent's field in SOQL is listed as Account.Name. Needs a language.
	Fields map[string][]string `yaml:"fields"`
	// Limit is put into a query that has none, or a higher one: the most rows. Needs a language.
	Limit int `yaml:"limit"`
	// Template is a query in which {name} stands for an argument; the model then gives the arguments, and writes no query. A
	// value is quoted as the language does, and can't leave its place. Needs a language.
	Template string `yaml:"template"`
	// Arguments of the template, by the names in it: type (string, integer, number, boolean, or array for IN ({ids})), format
	// (date; date-time in SOQL; identifier for a field's name out of an enum), and what the model reads. All are required,
	// but those with a default.
	Arguments map[string]*Argument `yaml:"arguments"`
	// Paging says how rows on several pages are answered, as at a tool: auto joins them, manual gives one page and a next,
	// none gives what the API answers. It needs a language, but with GET. Default: auto, where the document or page shows how.
	Paging   string   `yaml:"paging" enum:"auto,manual,none"`
	Response Response `yaml:"response"`
}
