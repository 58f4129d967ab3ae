package specs

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Loader reads documents. The zero value reads files and fetches nothing.
type Loader struct {
	// Client fetches http and https locations; nil refuses them.
	Client *http.Client
	// Dir is the folder that relative locations are in; "" is the working directory.
	Dir string
	// MaxBytes bounds each file; 0 means 64 MiB.
	MaxBytes int64
	// Allow decides about a URL that a document (not gateway.yaml) names, as in a $ref; nil refuses all of them. What
	// lies in the folder of a document that was itself fetched needs no leave.
	Allow func(*url.URL) error
	// Overlays are applied to every document, in this order, before anything else.
	Overlays []*Overlay
	// Advice adds to the warnings what kin-openapi says of the document, and bounds the time for it, which is longer than that
	// for loading; 0 asks for none.
	Advice time.Duration
}

// Load reads the document at location: a file, a folder that holds an openapi.yaml (or .yml, .json, or swagger.*), or
// an http(s) URL. A document that can't be read at all is an *Error with its place; an operation that can't be saved
// costs a Warning.
func (l Loader) Load(ctx context.Context, location string) (*Document, []Warning, error) {
	files, err := l.open(location)
	if err != nil {
		return nil, nil, err
	}
	defer files.close()
	root, err := files.root(ctx)
	if err != nil {
		return nil, nil, err
	}
	overlaid, err := files.overlay(root)
	if err != nil {
		return nil, nil, err
	}
	dialect, version, err := detect(root)
	if err != nil {
		return nil, nil, err
	}
	r := newReader(ctx, files, root, dialect)
	r.doc.Location, r.doc.OpenAPI = location, version
	if root.get("openapi") == nil && root.get("swagger") == nil {
		r.warn(root, "neither `openapi` nor `swagger` says which version this is; read as 3.0")
	}
	for _, w := range overlaid {
		r.note(w)
	}
	r.document()
	if err := ctx.Err(); err != nil {
		return nil, nil, &Error{Message: err.Error(), Pos: Position{File: root.file.name}, Cause: err}
	}
	if l.Advice > 0 {
		r.advise()
	}
	if r.missing != nil && len(r.doc.operations) == 0 {
		return nil, r.warnings, r.missing
	}
	return r.doc, r.warnings, nil
}
