package specs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
)

// Limits of the advice on one document. GitHub's has 600,000 values and takes 5 s.
const (
	maxAdvised     = 1_000_000 // values, of all its files
	maxAdvisedRefs = 1000      // references that lead through one another: kin-openapi's time grows with their third power
	maxAdvice      = 100       // warnings
	maxAdviceText  = 300       // bytes of one
)

// advise adds what kin-openapi says of the document, which by now is read: nothing depends on it. kin-openapi stops at what
// it can't load; of what it loads it says all that breaks the specification's rules, or would, for its own reading of them.
func (r *reader) advise() {
	defer r.sortWarnings()
	switch {
	case r.files.nodes > maxAdvised:
		r.advice(r.root, fmt.Sprintf("the document has more than %d values: too large for kin-openapi's advice", maxAdvised))
		return
	case (&refDepth{reader: r, seen: map[*node]bool{}}).exceeds(r.root, maxAdvisedRefs):
		r.advice(r.root, fmt.Sprintf("more than %d references lead through one another: too deep for kin-openapi's advice", maxAdvisedRefs))
		return
	}
	loader := openapi3.NewLoader()
	loader.ReadFromURIFunc = r.readAgain
	ctx, cancel := context.WithTimeout(r.ctx, r.files.Advice)
	defer cancel()
	said := make(chan error, 1)
	// kin-openapi's loader can't be stopped. Where it goes on beyond its time it is left behind, with nothing that anybody
	// waits for: who asks for advice is about to end.
	go func() { said <- kinSays(ctx, loader, r.root.value(), r.location()) }()
	select {
	case err := <-said:
		r.each(err)
	case <-ctx.Done():
		r.each(errAdviceTime)
	}
}

// refDepth finds how deep references lead through one another.
type refDepth struct {
	*reader
	seen map[*node]bool
}

// exceeds reports whether, from n on, they go deeper than limit.
func (d *refDepth) exceeds(n *node, limit int) bool {
	if limit < 0 {
		return true
	}
	if pointer, ok := strings.CutPrefix(n.ref(), "#/"); ok {
		if target := d.walk(n.file.root, "/"+pointer); target != nil && !d.seen[target] {
			d.seen[target] = true
			if d.exceeds(target, limit-1) {
				return true
			}
		}
	}
	return slices.ContainsFunc(n.items, func(item *node) bool { return !d.seen[item] && d.exceeds(item, limit) })
}

// kinSays loads and validates a document. Examples and defaults are left out: that one doesn't fit its schema keeps nothing
// from being called. So are patterns, of which kin-openapi knows only Go's.
func kinSays(ctx context.Context, loader *openapi3.Loader, tree any, location *url.URL) (err error) {
	defer func() {
		switch caught := recover(); caught {
		case nil:
		case errAdviceTime:
			err = errAdviceTime
		default:
			err = fmt.Errorf("it can't handle this document: %v", caught)
		}
	}()
	data, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	doc, err := kinLoad(loader, tree, data, location)
	if err != nil {
		return err
	}
	return doc.Validate(impatientContext{ctx}, openapi3.EnableMultiError(), openapi3.DisableExamplesValidation(),
		openapi3.DisableSchemaDefaultsValidation(), openapi3.DisableSchemaPatternValidation())
}

func kinLoad(loader *openapi3.Loader, tree any, data []byte, location *url.URL) (*openapi3.T, error) {
	root, ok := tree.(map[string]any)
	if !ok || root["swagger"] == nil {
		return loader.LoadFromDataWithPath(data, location)
	}
	var old openapi2.T
	if err := json.Unmarshal(data, &old); err != nil {
		return nil, err
	}
	return openapi2conv.ToV3WithLoader(&old, loader, location)
}

var errAdviceTime = errors.New("the advice stops here: it takes too long")

// impatientContext ends a validation. kin-openapi never looks whether its context is done, but it looks for its options in it
// at every schema, and a panic there comes back to kinSays.
type impatientContext struct {
	context.Context
}

// Value panics with errAdviceTime when time is up.
func (c impatientContext) Value(key any) any {
	if c.Err() != nil {
		panic(errAdviceTime)
	}
	return c.Context.Value(key)
}

// location is what kin-openapi is told of where the document is; its folder is the root of all.
func (r *reader) location() *url.URL {
	if u := r.files.main.url; u != nil {
		return u
	}
	return &url.URL{Path: "/" + r.files.main.path}
}

// readAgain gives kin-openapi the files that the reader has read, and no others.
func (r *reader) readAgain(_ *openapi3.Loader, u *url.URL) ([]byte, error) {
	key := strings.TrimPrefix(u.Path, "/")
	if r.files.main.url != nil || u.Scheme != "" {
		whole := *u
		whole.Fragment, whole.RawFragment = "", ""
		key = whole.String()
	}
	file := r.files.opened[key]
	switch {
	case file == nil:
		return nil, fmt.Errorf("%s is not read", u.Redacted())
	case file.err != nil:
		return nil, file.err
	}
	return json.Marshal(file.root.value())
}

// each notes what an error of kin-openapi's says. What several places have in common is said once, of the first.
func (r *reader) each(err error) {
	if err == nil {
		return
	}
	var many openapi3.MultiError
	if !errors.As(err, &many) {
		many = openapi3.MultiError{err}
	}
	var order []string
	first, places := map[string]*node{}, map[string]int{}
	for _, e := range many {
		at, message := r.kinPlace(e)
		if places[message]++; places[message] == 1 {
			first[message] = at
			order = append(order, message)
		}
	}
	for i, message := range order {
		if i == maxAdvice {
			r.advice(r.root, fmt.Sprintf("%d more pieces of advice are not shown", len(order)-maxAdvice))
			return
		}
		text := message
		if more := places[message] - 1; more > 0 {
			text += fmt.Sprintf(" (and %d more like this)", more)
		}
		r.advice(first[message], "kin-openapi: "+text)
	}
}

func (r *reader) advice(n *node, message string) {
	r.warnings = append(r.warnings, Warning{Message: message, Pos: n.position(), Kind: Advice}) // maxAdvice holds, not maxWarnings
}

// sections are kin-openapi's names of the components' sections, and the document's.
var sections = map[string]string{
	"schema": "schemas", "parameter": "parameters", "request body": "requestBodies", "response": "responses", "header": "headers",
	"security scheme": "securitySchemes", "example": "examples", "link": "links", "callback": "callbacks",
}

// kinPlace finds the node that an error is about, as far as the error tells, and what it says of it.
func (r *reader) kinPlace(err error) (*node, string) {
	n := r.root
	down := func(token string) {
		if next := n.child(token); next != nil {
			n = next
		}
	}
	for {
		var cause error
		switch e := err.(type) { //nolint:errorlint // the chain is walked link by link
		case *openapi3.SectionValidationError:
			down(e.Section)
			cause = e.Cause
		case *openapi3.ComponentValidationError:
			if section := sections[e.Section]; r.dialect == swagger2 {
				n = r.root
				down(map[string]string{"schemas": "definitions", "securitySchemes": "securityDefinitions"}[section])
				down(section)
			} else {
				down(section)
			}
			down(e.Name)
			cause = e.Cause
		case *openapi3.PathValidationError:
			down(e.Path)
			cause = e.Cause
		case *openapi3.OperationValidationError:
			down(strings.ToLower(e.Method))
			cause = e.Cause
		}
		if cause == nil {
			break
		}
		err = cause
	}
	message := kinText(err.Error())
	if n == r.root {
		if at := r.quotedRef(message); at != nil {
			n = at
		}
	}
	return n, message
}

var quotedPointer = regexp.MustCompile(`"([^"]*#/[^"]*)"`)

// quotedRef finds the first $ref that a message quotes: of a document that doesn't load kin-openapi tells no other place.
func (r *reader) quotedRef(message string) *node {
	quoted := quotedPointer.FindStringSubmatch(message)
	if quoted == nil {
		return nil
	}
	return r.root.search(func(n *node) bool { return n.ref() == quoted[1] })
}

// kinText is an error's text in one line of a bearable length. What it tried as YAML after JSON says the same again.
func kinText(s string) string {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "failed to unmarshal data: json error: "), ", yaml error: ")
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxAdviceText {
		s = string(bytes.ToValidUTF8([]byte(s[:maxAdviceText]), nil)) + "..."
	}
	return s
}
