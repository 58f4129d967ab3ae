package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mcpgate/config"
	"mcpgate/mapping"
	"mcpgate/specs"
)

// outcome is what came of one document.
type outcome struct {
	name       string
	err        error  // it did not load
	version    string // of OpenAPI
	unjudged   error  // kin-openapi refuses the document, so that nothing is judged
	operations int
	tools      int
	warnings   int
	lost       int // operations that are no tools
	renamed    int // tools that are not called as their operationId
	largest    int // bytes of the largest input schema
	requests   int // drawn, required arguments alone and all of them, and not unjudged
	corrected  int // of them, those that took more than one try
	accepted   int // by kin-openapi's validator
	seconds    float64
	rejections []rejection
}

// rejection is a request that was not made, or not accepted.
type rejection struct {
	tool, variant, reason string
}

// documents lists the OpenAPI documents of a folder. In a folder below it, only openapi.* is a document: the others are
// what it refers to.
func documents(folder string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		known := slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(name))
		if known && (filepath.Dir(name) == filepath.Clean(folder) || strings.HasPrefix(filepath.Base(name), "openapi.")) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// recorder is an upstream that keeps the last request as it received it.
type recorder struct {
	*httptest.Server
	last *http.Request
	body []byte
}

func newRecorder() *recorder {
	r := &recorder{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		r.last, r.body = req, body
		w.WriteHeader(http.StatusNoContent)
	}))
	// A parameter called Accept-Encoding is the arguments' alone.
	r.Client().Transport.(*http.Transport).DisableCompression = true
	return r
}

// again returns the recorded request with its body unread.
func (r *recorder) again() (*http.Request, error) {
	req := r.last.Clone(context.Background())
	req.Body = io.NopCloser(bytes.NewReader(r.body))
	return req, nil
}

// measure takes one document through loading, compiling, drawing, sending and judging.
func measure(ctx context.Context, name string, upstream *recorder) outcome {
	start := time.Now()
	o := outcome{name: filepath.Base(name)}
	if o.name == "openapi.yml" || o.name == "openapi.yaml" {
		o.name = filepath.Base(filepath.Dir(name)) + "/" + o.name
	}
	doc, warnings, err := specs.Loader{}.Load(ctx, name)
	if err != nil {
		o.err = err
		return o
	}
	cfg := &config.Config{Upstreams: map[string]*config.Upstream{
		"api": {Name: "api", Expose: "all", BaseURL: upstream.URL},
	}}
	tools, problems := mapping.Compile(cfg, map[string][]*specs.Document{"api": {doc}})
	o.seconds = time.Since(start).Seconds()
	o.version, o.operations, o.tools = doc.OpenAPI, len(doc.Operations()), len(tools)
	o.warnings, o.lost = len(warnings), doc.Lost+o.operations-o.tools
	for _, p := range problems {
		o.rejections = append(o.rejections, rejection{"", "compile", p.Message})
	}
	names := map[string]bool{}
	for _, t := range tools {
		names[t.Name] = true
		o.largest = max(o.largest, len(t.InputSchema))
	}
	for _, op := range doc.Operations() {
		if op.ID != "" && !names[op.ID] {
			o.renamed++
		}
	}
	j, err := newJudge(name)
	if err != nil {
		o.unjudged = err
	}
	for _, t := range tools {
		for _, all := range []bool{false, true} {
			o.roundTrip(ctx, t, all, upstream, j)
		}
	}
	return o
}

// roundTrip draws arguments, sends the request, and has it judged.
func (o *outcome) roundTrip(ctx context.Context, t *mapping.Tool, all bool, upstream *recorder, j *judge) {
	variant := map[bool]string{false: "required", true: "all"}[all]
	tries, err := send(ctx, t, all, upstream)
	if tries > 1 {
		o.corrected++
	}
	if err == nil && j != nil {
		err = j.check(ctx, upstream.last, t.Path, upstream.again)
	}
	if j != nil {
		o.requests++
	}
	if err == nil {
		if j != nil {
			o.accepted++
		}
		return
	}
	o.rejections = append(o.rejections, rejection{t.Name, variant, err.Error()})
}

// send makes the request and has the recorder keep it; tries says how often arguments had to be given.
func send(ctx context.Context, t *mapping.Tool, all bool, upstream *recorder) (tries int, err error) {
	decoder := json.NewDecoder(bytes.NewReader(t.InputSchema))
	decoder.UseNumber()
	var schema map[string]any
	if err := decoder.Decode(&schema); err != nil {
		return 0, fmt.Errorf("the input schema: %w", err)
	}
	raw, args, tries, err := parse(t, draw(schema, all), draw(schema, true))
	if err != nil {
		return tries, err
	}
	req, err := t.NewRequest(ctx, args)
	if err != nil {
		return tries, fmt.Errorf("request for %.300s: %w", raw, err)
	}
	upstream.last = nil
	resp, err := upstream.Client().Do(req)
	if err != nil {
		return tries, err
	}
	if err := resp.Body.Close(); err != nil {
		return tries, err
	}
	if resp.StatusCode != http.StatusNoContent || upstream.last == nil {
		return tries, fmt.Errorf("the recorder answers %s", resp.Status)
	}
	return tries, nil
}
