package config

// Tool is an operation of the document, or a request of its own, as the author wants the model to see it.
type Tool struct {
	Name string `yaml:"-"` // its key in gateway.yaml

	// Operation is an operationId, or "METHOD /path", of the upstream's document.
	Operation string `yaml:"operation"`
	// Request is "METHOD /path" of an endpoint that no document describes.
	Request     string               `yaml:"request"`
	Title       string               `yaml:"title"`
	Description string               `yaml:"description"`
	Arguments   map[string]*Argument `yaml:"arguments"`
	// Body is a template of the request's body: strings may hold {argument}. For Request only.
	Body any `yaml:"body"`
	// ContentType of the body: json (the default), form, or a media type. For Request only.
	ContentType string      `yaml:"content_type"`
	Response    Response    `yaml:"response"`
	Paging      Later       `yaml:"paging"`
	Annotations Annotations `yaml:"annotations"`
	// Idempotent says that the call may be repeated although it is a POST or PATCH.
	Idempotent bool  `yaml:"idempotent"`
	Scopes     Later `yaml:"scopes"`
	Allow      Later `yaml:"allow"`
	Confirm    Later `yaml:"confirm"`
	// Timeout of one attempt, instead of the upstream's.
	Timeout Duration `yaml:"timeout"`
}

// Annotations are hints for clients. Default: from the method.
type Annotations struct {
	ReadOnly    *bool `yaml:"read_only"`
	Destructive *bool `yaml:"destructive"`
	Idempotent  *bool `yaml:"idempotent"`
	OpenWorld   *bool `yaml:"open_world"`
}

// Argument changes, or with Request declares, one argument. Its key is the parameter's or property's name on the wire.
type Argument struct {
	// Name is what the model calls it instead.
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	// In is path, query, header, cookie or body. For Request only.
	In string `yaml:"in" enum:"path,query,header,cookie,body"`
	// Type is string, integer, number, boolean, array or object. For Request only. Default string.
	Type   string `yaml:"type" enum:"string,integer,number,boolean,array,object"`
	Format string `yaml:"format"`
	// Items is the JSON Schema of an array's items. For Request only.
	Items    any   `yaml:"items"`
	Required *bool `yaml:"required"`
	// Value is fixed, and hidden from the model.
	Value any `yaml:"value"`
	// Default is sent where the model says nothing.
	Default any `yaml:"default"`
	// Hide takes the argument away; it is never sent unless it has a Value or a Default.
	Hide    bool     `yaml:"hide"`
	Enum    []any    `yaml:"enum"`
	Minimum *float64 `yaml:"minimum"`
	Maximum *float64 `yaml:"maximum"`
	Pattern string   `yaml:"pattern"`
}

// Record is a record type with the usual operations on it.
type Record struct {
	Name string `yaml:"-"` // its key in gateway.yaml

	// Path of the collection, such as /record/v1/customer; a record is at Path/{id}.
	Path string `yaml:"path"`
	// Operations are some of create, get, update, delete, list, upsert. Default: those that the document has at Path,
	// without one all but upsert. expose: read_only does not narrow this list: what is written here is meant.
	Operations []string `yaml:"operations"`
	// Schema points to the record's schema in the document, such as #/components/schemas/customer.
	Schema string `yaml:"schema"`
	// Types of a Path with {record_type}.
	Types Later `yaml:"types"`
	// Description says what the record is; it is put into every tool's description.
	Description string `yaml:"description"`
}

// Query is an endpoint that takes a query language.
type Query struct {
	Name string `yaml:"-"` // its key in gateway.yaml

	// Request is "METHOD /path".
	Request string `yaml:"request"`
	// Argument is the property (POST) or parameter (GET) that carries the query. Default q.
	Argument    string            `yaml:"argument" default:"q"`
	Headers     map[string]Secret `yaml:"headers"`
	Title       string            `yaml:"title"`
	Description string            `yaml:"description"`
	// Language is suiteql, soql or none (the default).
	Language string   `yaml:"language" default:"none" enum:"none,suiteql,soql"`
	Tables   Later    `yaml:"tables"`
	Fields   Later    `yaml:"fields"`
	Limit    Later    `yaml:"limit"`
	Response Response `yaml:"response"`
}
