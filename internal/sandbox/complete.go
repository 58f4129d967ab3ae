package sandbox

import (
	"cmp"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"time"

	"mcpgate/specs"
)

// complete adds to a new record what a server would: defaults, times, numbers, links, and sums of lines.
func (c *call) complete(fields map[string]any, id string) {
	of := c.endpoint.of
	c.lines(fields)
	for name, property := range properties(of.schema) {
		if _, sent := fields[name]; sent {
			continue
		}
		resolved, _ := of.defs.resolve(property)
		if v, ok := resolved["const"]; ok {
			fields[name] = clone(v)
		} else if v, ok := resolved["default"]; ok {
			fields[name] = clone(v)
		} else if v, ok := c.derived(name, resolved, fields, id); ok {
			fields[name] = v
		}
	}
	if sample := of.sample(); sample != nil {
		c.likeOthers(fields, id, sample)
		of.promised(fields, id, sample)
	}
	c.sandbox.nameReferences(fields)
}

// derived is what only the server writes: when the record was made, a person's whole name, counts that start at zero.
func (c *call) derived(name string, s specs.Schema, fields map[string]any, id string) (any, bool) {
	p := plain(name)
	if isMoment(p) {
		return c.moment(name, s), true
	}
	if !isReadOnly(s) {
		return nil, false
	}
	if p == "name" {
		whole := strings.TrimSpace(text(value(fields, "FirstName")) + " " + text(value(fields, "LastName")))
		return whole, whole != ""
	}
	if sample := c.endpoint.of.sample(); sample != nil {
		if like, ok := sample.fields[name].(string); ok && strings.Contains(like, sample.id) {
			return strings.ReplaceAll(like, sample.id, id), true
		}
	}
	switch typeOf(s) {
	case "integer", "number":
		return json.Number("0"), true
	case "boolean":
		return false, true
	}
	return nil, false
}

// likeOthers adds what no client writes and no schema describes, but every record has: a constant such as
// {"type": "Account"}, or a text with the record's id in it.
func (c *call) likeOthers(fields map[string]any, id string, sample *record) {
	of := c.endpoint.of
	declared := properties(of.schema)
	for name, like := range sample.fields {
		if _, sent := fields[name]; sent {
			continue
		}
		if _, known := declared[name]; known || len(declared) == 0 {
			continue
		}
		fields[name] = replaceID(clone(like), sample.id, id)
	}
}

// promised adds what the document says that every record has and the client did not send, as another record has it: a
// state, links, and a number that counts on.
func (c *collection) promised(fields map[string]any, id string, sample *record) {
	for _, name := range required(c.schema) {
		like, has := sample.fields[name]
		if _, sent := fields[name]; sent || !has {
			continue
		}
		switch {
		case name == "number":
			fields[name] = c.nextNumber()
		case len(sample.id) < shortID:
			fields[name] = clone(like)
		default:
			fields[name] = replaceID(clone(like), sample.id, id)
		}
	}
}

// shortID is the length from which an id is found in a text by its letters: a "1" is in every other text.
const shortID = 3

// nextNumber is one more than the highest `number` of the records.
func (c *collection) nextNumber() json.Number {
	highest := 0.0
	for _, r := range c.records {
		if n, ok := number(r.fields["number"]); ok {
			highest = max(highest, n)
		}
	}
	return json.Number(strconv.FormatFloat(highest+1, 'f', -1, 64))
}

func replaceID(v any, old, id string) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, old, id)
	case map[string]any:
		for k, inner := range v {
			v[k] = replaceID(inner, old, id)
		}
	case []any:
		for i, inner := range v {
			v[i] = replaceID(inner, old, id)
		}
	}
	return v
}

// isMoment reports whether a property says when its record was made or changed.
func isMoment(p string) bool {
	switch p {
	case "createdat", "created", "createddate", "datecreated", "createdon", "creationdate", "createtime", "createdtime",
		"trandate", "orderdate", "transactiondate":
		return true
	}
	return isChange(p)
}

func isChange(p string) bool {
	switch p {
	case "updatedat", "updated", "updateddate", "lastmodified", "lastmodifieddate", "modifiedat", "modified", "updatedon", "updatetime", "lastupdated":
		return true
	}
	return false
}

// moment is now, written as the others are.
func (c *call) moment(name string, s specs.Schema) any {
	now := c.sandbox.now().UTC()
	switch {
	case typeOf(s) == "integer" || typeOf(s) == "number":
		return json.Number(big.NewInt(now.Unix()).String())
	case s["format"] == "date":
		return now.Format(time.DateOnly)
	}
	if sample := c.endpoint.of.sample(); sample != nil {
		like := text(sample.fields[name])
		for _, layout := range []string{"2006-01-02T15:04:05.000-0700", "2006-01-02T15:04:05.000Z", time.DateOnly, time.DateTime} {
			if _, err := time.Parse(layout, like); err == nil {
				return now.Format(layout)
			}
		}
	}
	return now.Truncate(time.Second).Format(time.RFC3339)
}

// touch says of a changed record that it was changed now.
func (c *call) touch(fields map[string]any) {
	for name, property := range properties(c.endpoint.of.schema) {
		if isChange(plain(name)) {
			resolved, _ := c.endpoint.of.defs.resolve(property)
			fields[name] = c.moment(name, resolved)
		}
	}
	c.lines(fields)
	c.sandbox.nameReferences(fields)
}

// isReference reports whether an object stands for another record: an id and perhaps a name, nothing more.
func isReference(v map[string]any) bool {
	if _, ok := v["id"]; !ok || len(v) > 2 {
		return false
	}
	_, named := v["refName"]
	return len(v) == 1 || named
}

// nameReferences writes the name beside an id, where a record elsewhere names the same one.
func (s *Sandbox) nameReferences(fields map[string]any) {
	for name, v := range fields {
		switch v := v.(type) {
		case map[string]any:
			if isReference(v) && v["refName"] == nil {
				if known := cmp.Or(s.referenceName(name, text(v["id"])), s.onlyName(text(v["id"]))); known != "" {
					v["refName"] = known
				}
				continue
			}
			s.nameReferences(v)
		case []any:
			for _, item := range v {
				if inner, ok := item.(map[string]any); ok {
					s.nameReferences(inner)
				}
			}
		}
	}
}

// referenceName looks for a property of that name with that id in all records.
func (s *Sandbox) referenceName(property, id string) string {
	for _, c := range s.collections {
		for _, r := range c.records {
			if name := searchReference(r.fields, property, id); name != "" {
				return name
			}
		}
	}
	return ""
}

// onlyName is the name of the record with that id, where there is only one of any kind.
func (s *Sandbox) onlyName(id string) string {
	name, found := "", 0
	for _, c := range s.collections {
		r := c.find(id, nil)
		if r == nil {
			continue
		}
		found++
		for _, property := range []string{"companyName", "displayName", "name", "title"} {
			if v, ok := r.fields[property].(string); ok {
				name = v
				break
			}
		}
	}
	if found != 1 {
		return ""
	}
	return name
}

func searchReference(v any, property, id string) string {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			object, ok := inner.(map[string]any)
			if ok && name == property && text(object["id"]) == id && object["refName"] != nil {
				return text(object["refName"])
			}
			if found := searchReference(inner, property, id); found != "" {
				return found
			}
		}
	case []any:
		for _, inner := range v {
			if found := searchReference(inner, property, id); found != "" {
				return found
			}
		}
	}
	return ""
}
