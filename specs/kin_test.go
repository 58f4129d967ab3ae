package specs

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/yaml" // kin-openapi's own
)

// kin reads a document with kin-openapi and returns its outline.
func kin(name string) ([]string, error) {
	doc, err := kinDocument(name)
	if err != nil {
		return nil, err
	}
	var list []string
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			list = append(list, kinOperation(method, path, item, op)...)
		}
	}
	slices.Sort(list)
	return list, nil
}

func kinDocument(name string) (*openapi3.T, error) {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, u *url.URL) ([]byte, error) {
		if u.Scheme != "" && u.Scheme != "file" {
			return nil, fmt.Errorf("%s is not fetched", u)
		}
		return os.ReadFile(u.Path)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if data, err = yaml.YAMLToJSON(data); err != nil || json.Unmarshal(data, &tree) != nil || tree["swagger"] == nil {
		return loader.LoadFromFile(name)
	}
	sayCSV(tree)
	if data, err = json.Marshal(tree); err != nil {
		return nil, err
	}
	var old openapi2.T
	if err := json.Unmarshal(data, &old); err != nil {
		return nil, err
	}
	return openapi2conv.ToV3WithLoader(&old, loader, &url.URL{Path: name})
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

func kinOperation(method, path string, item *openapi3.PathItem, op *openapi3.Operation) []string {
	path, _, _ = strings.Cut(path, "#")
	where := method + " " + path
	list := []string{fmt.Sprintf("%s id=%s", where, strings.TrimSpace(op.OperationID))}
	inputs := map[string]string{}
	for _, name := range pathNames(path) { // what no parameter describes is one all the same
		inputs["path "+strings.ToLower(name)] = fmt.Sprintf("path %s required=true simple explode=false", name)
	}
	for _, parameters := range []openapi3.Parameters{item.Parameters, op.Parameters} {
		for _, ref := range parameters {
			p := ref.Value
			if p.In == "header" && slices.Contains([]string{"accept", "content-type", "authorization"}, strings.ToLower(p.Name)) {
				continue
			}
			if p.In == "querystring" { // a form, which is what an exploded object is
				inputs[p.In] = fmt.Sprintf("query %s required=%t form explode=true", p.Name, p.Required)
				continue
			}
			if p.In == "path" && !strings.Contains(path, "{"+p.Name+"}") {
				continue
			}
			line := fmt.Sprintf("%s %s required=%t", p.In, p.Name, p.Required || p.In == "path")
			if method, err := p.SerializationMethod(); err == nil && len(p.Content) == 0 {
				line += fmt.Sprintf(" %s explode=%t", method.Style, method.Explode)
			}
			inputs[p.In+" "+strings.ToLower(p.Name)] = line
		}
	}
	for _, line := range inputs {
		list = append(list, where+" "+line)
	}
	if op.RequestBody != nil && len(op.RequestBody.Value.Content) > 0 {
		types := slices.Sorted(maps.Keys(op.RequestBody.Value.Content))
		list = append(list, fmt.Sprintf("%s body required=%t %s", where, op.RequestBody.Value.Required, strings.ToLower(strings.Join(types, " "))))
	}
	for status := range op.Responses.Map() {
		list = append(list, where+" response "+strings.ToUpper(status))
	}
	return list
}

// outline writes of a document what kin writes of it.
func outline(doc *Document) []string {
	var list []string
	for _, op := range doc.Operations() {
		where := op.Method + " " + op.Path
		list = append(list, fmt.Sprintf("%s id=%s", where, op.ID))
		for _, p := range op.Parameters {
			line := fmt.Sprintf("%s %s %s required=%t", where, p.In, p.Name, p.Required)
			if p.ContentType == "" {
				line += fmt.Sprintf(" %s explode=%t", p.Style, p.Explode)
			}
			list = append(list, line)
		}
		if op.Body != nil {
			var types []string
			for _, m := range op.Body.Content {
				types = append(types, strings.ToLower(m.Type))
			}
			slices.Sort(types)
			list = append(list, fmt.Sprintf("%s body required=%t %s", where, op.Body.Required, strings.Join(types, " ")))
		}
		for _, response := range op.Responses {
			list = append(list, where+" response "+strings.ToUpper(response.Status))
		}
	}
	slices.Sort(list)
	return list
}
