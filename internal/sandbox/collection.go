package sandbox

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mcpgate/specs"
)

// collection is all records of one kind. The paths that mean the same kind share it.
type collection struct {
	name   string      // as the path has it: customers, Account
	title  string      // the schema's name in the document, or ""
	tags   []string    // of its operations
	path   pattern     // of the collection, not of one record
	defs   definitions // of the document it comes from
	schema specs.Schema
	idName string // the property that holds the id; "" where the records show none
	idType string // string or integer
	// above are the collections that a record may lie under, by what their placeholder is called.
	above map[string]*collection

	records []*record // in the order of their creation
	made    int       // how many ids were made up
}

// record is one of them.
type record struct {
	id     string
	fields map[string]any
	// scope has the records it lies under, by the placeholder of the path: {"users": "7"}. Nil means under all of them,
	// as examples are.
	scope map[string]string
	size  int // of what was sent, in bytes
}

// parents says, for one request, which record is meant by each placeholder but the last.
type parents map[string]string

// within reports whether the record lies under these parents.
func (r *record) within(c *collection, p parents) bool {
	for name, id := range p {
		if own, ok := r.scope[name]; ok && own != id {
			return false
		}
		link := text(r.fields[c.linkTo(name)])
		if link == "" || link == id {
			continue
		}
		// An example may name a parent that is nowhere: it lies under all of them.
		if home := c.above[name]; r.scope != nil || home != nil && home.idTaken(link) {
			return false
		}
	}
	return true
}

// linkTo is the property in which a record names that parent: userId for the parent userid; "" where there is none.
func (c *collection) linkTo(parent string) string {
	base := strings.TrimSuffix(parent, "id")
	if base == "" {
		return ""
	}
	for name := range properties(c.schema) {
		if plain(name) == base+"id" && name != c.idName {
			return name
		}
	}
	return ""
}

func (c *collection) find(id string, p parents) *record {
	for _, r := range c.records {
		if r.id == id && r.within(c, p) {
			return r
		}
	}
	// An id in another case, or an external id as eid:..., means the same record.
	external, isExternal := strings.CutPrefix(id, "eid:")
	for _, r := range c.records {
		if isExternal && text(r.fields["externalId"]) == external || strings.EqualFold(r.id, id) {
			if r.within(c, p) {
				return r
			}
		}
	}
	return c.named(id, p)
}

// naturalKeys are the properties by which many APIs let a record be named in a path instead of by its id:
// /repos/{owner}/{repo}, /issues/{issue_number}, /users/{username}.
var naturalKeys = []string{"number", "slug", "login", "key", "code", "username", "full_name", "name"}

// named finds the record that a name means where no id does.
func (c *collection) named(name string, p parents) *record {
	for _, key := range naturalKeys {
		if key == c.idName {
			continue
		}
		for _, r := range c.records {
			if strings.EqualFold(text(r.fields[key]), name) && r.within(c, p) {
				return r
			}
		}
	}
	return nil
}

// under returns the records that lie under these parents.
func (c *collection) under(p parents) []*record {
	var out []*record
	for _, r := range c.records {
		if r.within(c, p) {
			out = append(out, r)
		}
	}
	return out
}

func (c *collection) remove(r *record) {
	c.records = slices.DeleteFunc(c.records, func(other *record) bool { return other == r })
}

// sample is a record that shows what the others look like, nil where there is none.
func (c *collection) sample() *record {
	if len(c.records) == 0 {
		return nil
	}
	return c.records[0]
}

// nextID makes an id up in the manner of those that are there: one higher than the highest. The second result is the
// id as it stands in the record.
func (c *collection) nextID() (string, any) {
	for {
		c.made++
		id := c.makeID()
		if c.idTaken(id) {
			continue
		}
		if c.idType == "integer" || c.idType == "number" {
			return id, json.Number(id)
		}
		return id, id
	}
}

// giveID makes an id up and puts it into the record, where records show theirs.
func (c *collection) giveID(fields map[string]any) string {
	id, v := c.nextID()
	if c.idName != "" {
		fields[c.idName] = v
	}
	return id
}

func (c *collection) idTaken(id string) bool {
	return slices.ContainsFunc(c.records, func(r *record) bool { return r.id == id })
}

func (c *collection) makeID() string {
	idSchema := properties(c.schema)[c.idName]
	if format, _ := idSchema["format"].(string); format == "uuid" {
		return uuid(c.path.text + "#" + strconv.Itoa(c.made))
	}
	highest := ""
	for _, r := range c.records {
		if len(r.id) > len(highest) || len(r.id) == len(highest) && r.id > highest {
			highest = r.id
		}
	}
	if isUUID(highest) {
		return uuid(c.path.text + "#" + strconv.Itoa(c.made))
	}
	if next, ok := increment(highest); ok {
		return next
	}
	if c.idType == "integer" || c.idType == "number" {
		return strconv.Itoa(c.made)
	}
	return strconv.Itoa(1000 + c.made)
}

// increment raises the last number in id by one, keeping its width: INV-0099 -> INV-0100, 001Kp009QAC -> 001Kp010QAC.
func increment(id string) (string, bool) {
	end := strings.LastIndexAny(id, "0123456789") + 1
	if end == 0 {
		return "", false
	}
	start := end
	for start > 0 && id[start-1] >= '0' && id[start-1] <= '9' && end-start < 18 {
		start--
	}
	n, err := strconv.ParseUint(id[start:end], 10, 64)
	if err != nil {
		return "", false
	}
	return fmt.Sprintf("%s%0*d%s", id[:start], end-start, n+1, id[end:]), true
}

// uuid makes a version 4 look-alike out of a text: the same one every time, so that a test can name it.
func uuid(seed string) string {
	b := sha256.Sum256([]byte(seed))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func isUUID(id string) bool {
	return len(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-'
}

// called reports whether name means this collection: its path's name, the schema's, singular or plural, in any case.
func (c *collection) called(name string) bool {
	want := plain(name)
	for _, own := range []string{c.name, c.title} {
		if own != "" && (plain(own) == want || plain(singular(own)) == plain(singular(name))) {
			return true
		}
	}
	return false
}

// clone copies a value, so that what a caller gets never changes under its feet.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		for k, item := range out {
			out[k] = clone(item)
		}
		return out
	case []any:
		out := slices.Clone(v)
		for i, item := range out {
			out[i] = clone(item)
		}
		return out
	}
	return v
}

// text is a scalar as it would stand in a URL; that of an object with an id is the id's.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case map[string]any:
		for _, key := range []string{"id", "Id", "ID"} {
			if id, ok := v[key]; ok {
				return text(id)
			}
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
