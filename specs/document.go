// Package specs reads OpenAPI documents, broken ones too, into a neutral view. It knows nothing of tools or of
// gateway.yaml.
//
// Documents in the wild are broken, and an OpenAPI library refuses the whole of one for a single dangling $ref. So this
// package parses into nodes that know their place (parse.go), follows references itself (reference.go), and reads
// operations one by one: what is wrong with one costs that one, or less, and a warning. kin-openapi reads nothing
// here: it advises (advice.go), and judges in the tests, since it shares no code with the rest.
package specs

import (
	"maps"
	"strings"
)

// Document is one OpenAPI document in the neutral view: Swagger 2.0 and OpenAPI 3.0, 3.1 and 3.2 look alike here.
type Document struct {
	Location    string // the file or URL it was read from
	Title       string
	Description string
	Version     string // the API's own
	OpenAPI     string // the document's, such as 3.1.0
	Servers     []Server
	// Defs are the named schemas: a Schema refers to one as {"$ref": "#/$defs/NAME"}.
	Defs map[string]Schema
	// Lost counts the operations, and the paths, that could not be read; a Warning says why.
	Lost int

	operations []*Operation
	components map[string]string // the document's names of its schemas -> those in Defs
}

// Operations returns what the document offers, in the document's order of paths and then GET, POST, PUT, PATCH, DELETE.
func (d *Document) Operations() []*Operation { return d.operations }

// Definition returns the schema that a pointer into the document names, such as #/components/schemas/customer or
// #/definitions/customer, as a reference into Defs.
func (d *Document) Definition(pointer string) (Schema, bool) {
	for _, section := range []string{"#/components/schemas/", "#/definitions/", refPrefix} {
		if name, ok := strings.CutPrefix(pointer, section); ok {
			if own, ok := d.components[pointerUnescape.Replace(name)]; ok && section != refPrefix {
				name = own
			}
			_, ok = d.Defs[name]
			return Schema{"$ref": refPrefix + name}, ok
		}
	}
	return nil, false
}

// Resolve follows the $ref at the root of s into Defs; what stands beside a $ref wins over what it leads to.
func (d *Document) Resolve(s Schema) Schema {
	for range maxHops {
		name, ok := s["$ref"].(string)
		if !ok {
			return s
		}
		merged := maps.Clone(d.Defs[strings.TrimPrefix(name, refPrefix)])
		if merged == nil {
			merged = Schema{}
		}
		for key, v := range s {
			if key != "$ref" {
				merged[key] = v
			}
		}
		s = merged
	}
	return Schema{}
}

// Schema is a JSON Schema (draft 2020-12) whatever the document's own dialect was. Numbers in it are json.Number, so
// that none loses digits. Its references are {"$ref": "#/$defs/NAME"} into Document.Defs and nothing else; NAME needs no
// escapes. A boolean schema is written {} or {"not": {}}, but for additionalProperties, items, unevaluatedProperties and
// unevaluatedItems, which may be a bool. Schemas inside of a schema are map[string]any, lists []any.
// Several places may share one Schema: copy it before changing it.
type Schema map[string]any

// Server is a base URL; {name} in URL stands for a variable.
type Server struct {
	URL         string
	Description string
	Variables   map[string]ServerVariable
}

// ServerVariable has a default and may have a closed set of values.
type ServerVariable struct {
	Default string
	Enum    []string
}

// Operation is one method of one path.
type Operation struct {
	ID          string // operationId; may be empty
	Method      string // GET, POST, ...
	Path        string // /pets/{id}
	Summary     string
	Description string
	Tags        []string
	Deprecated  bool
	Servers     []Server    // its own or its path's; empty where the document's hold
	Parameters  []Parameter // the path's and its own, merged; Accept, Content-Type and Authorization are left out
	Body        *Body       // nil where there is none
	Responses   []Response
	Security    [][]SecurityScheme // alternatives, each of which demands all of its schemes
	Pos         Position
}

// Position is a place in a document; lines count from 1, 0 is unknown.
type Position struct {
	File   string
	Line   int
	Column int
	// Pointer is the JSON pointer (RFC 6901), such as #/paths/~1pets/get.
	Pointer string
}

// Parameter is an argument in the path, the query, a header or a cookie. Style and Explode are always filled in, with
// the defaults that OpenAPI gives for In.
type Parameter struct {
	Name          string
	In            string // path, query, header, cookie; querystring where its content is the whole query, but no form
	Description   string
	Required      bool
	Deprecated    bool
	Style         string // simple, label, matrix, form, spaceDelimited, pipeDelimited, deepObject; tabDelimited of Swagger 2.0
	Explode       bool
	AllowReserved bool
	ContentType   string // where the parameter is `content`-typed: how its value is written; else empty
	Schema        Schema
}

// Body is a request body; Content has one entry per media type, the document's JSON first where it has one.
type Body struct {
	Description string
	Required    bool
	Content     []Media
}

// Media is a media type with its schema.
type Media struct {
	Type     string // application/json
	Schema   Schema // nil where the document gives none
	Encoding map[string]Encoding
	// Examples are those that the document gives, in its order, as long as they are together below 64 KB; where it gives
	// none beside the schema, the schema's own. Numbers are json.Number.
	Examples []any
}

// Encoding says how one property of a form or multipart body is written.
type Encoding struct {
	ContentType   string
	Style         string
	Explode       bool
	AllowReserved bool
}

// Response is an answer by its status: "200", "2XX" or "default".
type Response struct {
	Status      string
	Description string
	Content     []Media
	Headers     []string // the names it declares, such as Location
}

// SecurityScheme is one entry of securitySchemes that an operation demands.
type SecurityScheme struct {
	Name   string // its key in the document
	Type   string // apiKey, http, oauth2, openIdConnect, mutualTLS
	Scheme string // of http: basic, bearer
	In     string // of apiKey: header, query, cookie
	Key    string // of apiKey: the header's, parameter's or cookie's name
	Scopes []string
	// Of oauth2, and of openIdConnect the last one.
	AuthorizationURL, TokenURL, OpenIDConnectURL string
	ClientCredentials                            bool // of oauth2: a program may get a token of its own
}
