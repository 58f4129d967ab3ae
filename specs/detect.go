package specs

import (
	"bytes"
	"fmt"
	"strings"
)

// foreign recognises files that are neither JSON nor YAML, before a parser says something unhelpful of them.
func (p *parser) foreign(data []byte) error {
	head := bytes.ToLower(bytes.TrimSpace(data[:min(len(data), 1024)]))
	for _, known := range []struct{ prefix, name string }{
		{"<!doctype html", "HTML"},
		{"<html", "HTML"},
		{"<?xml", "XML"},
		{"<", "HTML or XML"},
		{"\x1f\x8b", "a gzip file"},
		{"PK\x03\x04", "a zip file"},
		{"%pdf", "a PDF file"},
		{"#%raml", "a RAML document"},
		{"format: 1a", "an API Blueprint document"},
		{"syntax = \"proto", "a protobuf file"},
	} {
		if bytes.HasPrefix(head, []byte(known.prefix)) || bytes.HasPrefix(data, []byte(known.prefix)) {
			name := known.name
			if strings.HasPrefix(name, "XML") && bytes.Contains(head, []byte("<html")) {
				name = "HTML"
			}
			return p.fail(1, 1, "this is %s, not an OpenAPI document", name)
		}
	}
	if bytes.IndexByte(head, 0) >= 0 && !bytes.HasPrefix(data, []byte("\xff\xfe")) && !bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return p.fail(1, 1, "this is a binary file, not an OpenAPI document")
	}
	return nil
}

// relatives are other description formats, by a key at their root.
var relatives = []struct{ key, name, way string }{
	{"asyncapi", "an AsyncAPI document", ""},
	{"swaggerVersion", "a Swagger 1.2 document", "; convert it to OpenAPI 3 first"},
	{"overlay", "an OpenAPI Overlay", "; name it under overlays:"},
	{"arazzo", "an Arazzo document", ""},
	{"openrpc", "an OpenRPC document", ""},
	{"discoveryVersion", "a Google discovery document", "; convert it to OpenAPI first"},
	{"__schema", "a GraphQL schema", ""},
	{"upstreams", "a gateway.yaml", "; spec: wants the OpenAPI document"},
	{"_postman_id", "a Postman collection", "; export it as OpenAPI"},
	{"apiVersion", "a Kubernetes manifest", ""},
	{"$schema", "a JSON Schema", ""},
	{"log", "a HAR file", ""},
}

// dialect says how a document is to be read.
type dialect uint8

const (
	swagger2 dialect = iota
	openapi30
	openapi31 // and 3.2: JSON Schema 2020-12
)

// detect finds a document's version. An *Error says what it is instead of OpenAPI.
func detect(root *node) (dialect, string, error) {
	if root.kind != object {
		what := root.kind.String()
		if root.kind == text {
			what = "plain text"
		} else if root.kind == array {
			what = "a JSON array"
		}
		return 0, "", place(root, "this is %s, not an OpenAPI document", what)
	}
	if v := root.get("openapi"); v != nil {
		return detectOpenAPI(v)
	}
	if v := root.get("swagger"); v != nil {
		if version := v.scalar(); strings.HasPrefix(version, "2") {
			return swagger2, "2.0", nil
		}
		return 0, "", place(v, "this is a Swagger %s document; Swagger 2.0 and OpenAPI 3 are read", v.scalar())
	}
	if id := root.get("info").get("_postman_id"); id != nil || strings.Contains(root.get("info").get("schema").scalar(), "getpostman") {
		return 0, "", place(root, "this is a Postman collection, not an OpenAPI document; export it as OpenAPI")
	}
	for _, r := range relatives {
		if root.get(r.key) != nil {
			return 0, "", place(root, "this is %s, not an OpenAPI document%s", r.name, r.way)
		}
	}
	if root.get("paths") != nil {
		return openapi30, "3.0", nil // the caller warns: everything else is there
	}
	keys := root.keys[:min(len(root.keys), 5)]
	return 0, "", place(root, "this is not an OpenAPI document: it has neither `openapi` nor `swagger`, but %s", quoted(keys))
}

func detectOpenAPI(v *node) (dialect, string, error) {
	version := v.scalar()
	switch {
	case strings.HasPrefix(version, "3.0"), version == "3":
		return openapi30, version, nil
	case strings.HasPrefix(version, "3."):
		return openapi31, version, nil
	case strings.HasPrefix(version, "2"):
		return swagger2, version, nil
	}
	return 0, "", place(v, "OpenAPI version %q is not known; 2.0, 3.0, 3.1 and 3.2 are", version)
}

func quoted(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = fmt.Sprintf("%.60q", name)
	}
	return strings.Join(list, ", ")
}
