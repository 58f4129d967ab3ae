package sandbox

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"mcpgate/specs"
)

// success returns the answer that the document promises where all goes well, nil where there is none.
func (e *endpoint) success() *specs.Response {
	var best *specs.Response
	for i, r := range e.op.Responses {
		if !strings.HasPrefix(r.Status, "2") {
			continue
		}
		if best == nil || r.Status < best.Status {
			best = &e.op.Responses[i]
		}
	}
	if best == nil && len(e.op.Responses) == 1 && e.op.Responses[0].Status == "default" {
		best = &e.op.Responses[0]
	}
	return best
}

// successStatus is the status to answer with.
func (e *endpoint) successStatus() int {
	if r := e.success(); r != nil {
		if status, err := strconv.Atoi(r.Status); err == nil {
			return status
		}
	}
	switch {
	case e.does == create:
		return 201
	case e.does == remove && e.success() == nil:
		return 204
	}
	return 200
}

// jsonMedia returns the JSON of an answer or body, nil where it has none.
func jsonMedia(content []specs.Media) *specs.Media {
	i := slices.IndexFunc(content, func(m specs.Media) bool { return isJSON(m.Type) })
	if i < 0 {
		return nil
	}
	return &content[i]
}

func isJSON(mediaType string) bool {
	mediaType, _, _ = strings.Cut(strings.ToLower(mediaType), ";")
	mediaType = strings.TrimSpace(mediaType)
	return mediaType == "application/json" || mediaType == "text/json" || mediaType == "*/*" || mediaType == "application/*" ||
		strings.HasSuffix(mediaType, "+json")
}

// successSchema is the resolved schema of the answer's JSON, nil where it has none.
func (e *endpoint) successSchema() specs.Schema {
	r := e.success()
	if r == nil {
		return nil
	}
	media := jsonMedia(r.Content)
	if media == nil || len(media.Schema) == 0 {
		return nil
	}
	schema, _ := e.defs.resolve(media.Schema)
	return schema
}

// bodySchema is the resolved schema of the request's body; it may be nil.
func (e *endpoint) bodySchema() specs.Schema {
	if e.op.Body == nil || len(e.op.Body.Content) == 0 {
		return nil
	}
	media := jsonMedia(e.op.Body.Content)
	if media == nil {
		media = &e.op.Body.Content[0]
	}
	schema, _ := e.defs.resolve(media.Schema)
	return schema
}

// recordSchema is the schema of the one record that the endpoint answers with, unwrapped, else of the one that it
// takes; nil where neither says anything. The second result is its name in the document.
func (e *endpoint) recordSchema() (specs.Schema, string) {
	if r := e.success(); r != nil {
		if media := jsonMedia(r.Content); media != nil && e.method != "DELETE" {
			schema, name := e.defs.resolve(media.Schema)
			if key, inner, innerName := e.defs.wrapped(schema); key != "" {
				schema, name = inner, innerName
			}
			if len(properties(schema)) > 0 {
				return schema, name
			}
		}
	}
	if e.method != "PUT" && e.method != "POST" || e.op.Body == nil || len(e.op.Body.Content) == 0 {
		return nil, ""
	}
	schema, name := e.defs.resolve(e.op.Body.Content[0].Schema)
	if len(properties(schema)) == 0 {
		return nil, ""
	}
	return schema, name
}

// wrapperNames are the properties in which answers wrap what they are about.
var wrapperNames = []string{"data", "result", "item", "record", "response", "payload", "value"}

// wrapped finds the property that holds the record itself, as in {"data": {...}}; "" where there is none.
func (d definitions) wrapped(s specs.Schema) (key string, inner specs.Schema, name string) {
	all := properties(s)
	if len(all) > 4 {
		return "", nil, ""
	}
	for _, candidate := range slices.Sorted(maps.Keys(all)) {
		resolved, refName := d.resolve(all[candidate])
		if typeOf(resolved) != "object" || len(properties(resolved)) == 0 {
			continue
		}
		if slices.Contains(wrapperNames, plain(candidate)) || len(all) == 1 && refName != "" {
			return candidate, resolved, refName
		}
	}
	return "", nil, ""
}

// listing is where an answer of many has its records.
type listing struct {
	path []string     // of properties down to the array; empty where the answer is the array
	item specs.Schema // resolved
	name string       // its name in the document
}

// listNames are the properties in which lists usually are, the likeliest first.
var listNames = []string{"items", "data", "results", "records", "value", "values", "entries", "list", "content", "rows", "objects", "elements", "resources", "result"}

// listed finds the records in the endpoint's answer of many. At the path of one record only an array of a telling name
// is a list: another is a part of the record.
func (e *endpoint) listed() (listing, bool) {
	found, ok := e.defs.listed(e.success())
	if ok && e.path.isItem() && len(found.path) > 0 {
		last := plain(found.path[len(found.path)-1])
		ok = slices.Contains(listNames, last) || last == plain(e.path.lastLiteral())
	}
	return found, ok
}

// listed finds the records in an answer of many. The second result is false where it isn't one.
func (d definitions) listed(r *specs.Response) (listing, bool) {
	if r == nil {
		return listing{}, false
	}
	media := jsonMedia(r.Content)
	if media == nil {
		return listing{}, false
	}
	schema, _ := d.resolve(media.Schema)
	return d.listedIn(schema, 0)
}

func (d definitions) listedIn(schema specs.Schema, depth int) (listing, bool) {
	if typeOf(schema) == "array" {
		item, name := d.items(schema)
		return listing{item: item, name: name}, true
	}
	all := properties(schema)
	if hasID(all) {
		return listing{}, false // a record that has lists in it
	}
	var arrays, objects []string
	for name, p := range all {
		resolved, _ := d.resolve(p)
		switch typeOf(resolved) {
		case "array":
			if item, _ := d.items(resolved); typeOf(item) == "object" || slices.Contains(listNames, plain(name)) {
				arrays = append(arrays, name)
			}
		case "object":
			objects = append(objects, name)
		}
	}
	if name, ok := d.likeliest(arrays, all); ok {
		array, _ := d.resolve(all[name])
		item, itemName := d.items(array)
		return listing{path: []string{name}, item: item, name: itemName}, true
	}
	slices.Sort(objects)
	for _, name := range objects {
		if depth > 0 || !slices.Contains(wrapperNames, plain(name)) && plain(name) != "embedded" {
			continue
		}
		inner, _ := d.resolve(all[name])
		if found, ok := d.listedIn(inner, depth+1); ok {
			found.path = append([]string{name}, found.path...)
			return found, true
		}
	}
	return listing{}, false
}

// notRecords are arrays that stand beside the records of an answer.
var notRecords = []string{"errors", "warnings", "links", "messages", "facets", "filters", "sort", "included"}

// likeliest chooses the array that has the records: by its name, else the only one.
func (d definitions) likeliest(arrays []string, all map[string]specs.Schema) (string, bool) {
	for _, usual := range listNames {
		for _, name := range arrays {
			if plain(name) == usual {
				return name, true
			}
		}
	}
	arrays = slices.DeleteFunc(arrays, func(name string) bool { return slices.Contains(notRecords, plain(name)) })
	// A single array among few properties is a list with its counts; among many it is a part of a record.
	if len(arrays) == 1 && len(all) <= 8 {
		return arrays[0], true
	}
	return "", false
}

func hasID(all map[string]specs.Schema) bool {
	for name := range all {
		if p := plain(name); p == "id" || p == "uuid" || p == "guid" {
			return true
		}
	}
	return false
}
