package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/oasdiff/yaml" // kin-openapi's own
)

// judge checks requests against the original document with kin-openapi, which shares no code with what made them.
type judge struct {
	document *openapi3.T
	routes   map[string][]*routers.Route // by method and path; "#..." behind a path is not part of it
}

func init() {
	// What kin-openapi does not know by itself.
	openapi3filter.RegisterBodyDecoder("text/yaml", openapi3filter.YamlBodyDecoder)
	openapi3filter.RegisterBodyDecoder("image/jpeg", openapi3filter.FileBodyDecoder)
}

// newJudge loads a document; the error says why kin-openapi refuses it.
func newJudge(name string) (*judge, error) {
	document, err := load(name)
	if err != nil {
		return nil, err
	}
	if document.Paths == nil {
		return nil, errors.New("it has no paths")
	}
	j := &judge{document: document, routes: map[string][]*routers.Route{}}
	for path, item := range document.Paths.Map() {
		plain, _, _ := strings.Cut(path, "#")
		for method, op := range item.Operations() {
			key := method + " " + plain
			j.routes[key] = append(j.routes[key], &routers.Route{
				Spec: document, Path: path, PathItem: item, Method: method, Operation: op,
			})
			op.Security = openapi3.NewSecurityRequirements() // credentials are no matter of the arguments
		}
	}
	return j, nil
}

// load reads a document with kin-openapi, and what it refuses once more without what it refuses it for.
func load(name string) (*openapi3.T, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if !json.Valid(data) { // YAML does not know JSON's surrogate pairs
		if data, err = yaml.YAMLToJSON(data); err != nil {
			return nil, err
		}
	}
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	if tree["swagger"] != nil {
		sayCSV(tree)
	} else if document, err := loader().LoadFromFile(name); err == nil {
		return document, nil
	}
	if document, err := loadTree(tree, name); err == nil {
		return document, nil
	}
	soften(tree)
	return loadTree(tree, name)
}

// loader reads files and fetches nothing.
func loader() *openapi3.Loader {
	l := openapi3.NewLoader()
	l.IsExternalRefsAllowed = true
	l.ReadFromURIFunc = func(_ *openapi3.Loader, u *url.URL) ([]byte, error) {
		if u.Scheme != "" && u.Scheme != "file" {
			return nil, fmt.Errorf("%s is not fetched", u)
		}
		return os.ReadFile(u.Path)
	}
	return l
}

func loadTree(tree map[string]any, name string) (*openapi3.T, error) {
	data, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	if tree["swagger"] == nil {
		return loader().LoadFromDataWithPath(data, &url.URL{Path: name})
	}
	var old openapi2.T
	if err := json.Unmarshal(data, &old); err != nil {
		return nil, err
	}
	return openapi2conv.ToV3WithLoader(&old, loader(), &url.URL{Path: name})
}

// sayCSV writes out the collectionFormat that Swagger 2.0 has by default, which openapi2conv does not know of.
func sayCSV(v any) {
	switch t := v.(type) {
	case map[string]any:
		if t["in"] == "query" && t["type"] == "array" && t["collectionFormat"] == nil {
			t["collectionFormat"] = "csv"
		}
		for _, item := range t {
			sayCSV(item)
		}
	case []any:
		for _, item := range t {
			sayCSV(item)
		}
	}
}

// check says what is wrong with a request as a server received it, for the operation that it is meant for.
func (j *judge) check(ctx context.Context, req *http.Request, path string, body func() (*http.Request, error)) error {
	routes := j.routes[req.Method+" "+path]
	if len(routes) == 0 {
		return errors.New("kin-openapi does not know the operation")
	}
	params, err := pathParams(path, req.URL.EscapedPath())
	if err != nil {
		return err
	}
	for _, route := range routes {
		fresh, bodyErr := body()
		if bodyErr != nil {
			return bodyErr
		}
		err = openapi3filter.ValidateRequest(ctx, &openapi3filter.RequestValidationInput{
			Request: fresh, PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true},
		})
		if err == nil {
			return nil
		}
	}
	return err
}

var inBraces = regexp.MustCompile(`\\\{(.*?)\\\}`)

// pathParams reads a path's parameters back, as a server's router does: first by segments, then unescaped.
func pathParams(template, escaped string) (map[string]string, error) {
	pattern := "^" + inBraces.ReplaceAllString(regexp.QuoteMeta(template), `([^/]*)`) + "$"
	values := regexp.MustCompile(pattern).FindStringSubmatch(escaped)
	if values == nil {
		// The literal parts may be escaped too.
		pattern = "^" + inBraces.ReplaceAllString(regexp.QuoteMeta((&url.URL{Path: template}).EscapedPath()), `([^/]*)`) + "$"
		pattern = regexp.MustCompile(`%7B(.*?)%7D`).ReplaceAllString(pattern, `([^/]*)`)
		if values = regexp.MustCompile(pattern).FindStringSubmatch(escaped); values == nil {
			return nil, fmt.Errorf("the path %s is not of the form %s", escaped, template)
		}
	}
	params := map[string]string{}
	for i, name := range regexp.MustCompile(`\{(.*?)\}`).FindAllStringSubmatch(template, -1) {
		value, err := url.PathUnescape(values[i+1])
		if err != nil {
			return nil, err
		}
		params[name[1]] = value
	}
	return params, nil
}
