package mapping

import (
	"encoding/json"
	"errors"

	"mcpgate/internal/fault"
)

// getPlan is how a record is read once it is written: by the record's get, whether that is a tool or not.
func (r *record) getPlan() *plan {
	once := *r
	entry := *r.Record
	entry.Fetch = false
	once.Record = &entry
	for _, v := range verbs {
		if v.name == "get" {
			o := once.documented(v)
			used := o != nil && o.used
			p := once.plan(v, o)
			if o != nil {
				o.used = used
			}
			return p
		}
	}
	return nil
}

// Reread returns the tool that reads the record which a call has written, and its arguments; nil where nothing is to be
// read, or where neither the answer nor the call says which record it was.
func (t *Tool) Reread(args Arguments, written Result) (*Tool, Arguments) {
	if t.reread == nil {
		return nil, nil
	}
	id := t.writtenID(args, written)
	if id == "" {
		return nil, nil
	}
	said := map[string]any{}
	last := lastPlaceholder(t.reread.Path)
	for _, s := range t.reread.template.segments {
		value, ok := args[s.argument]
		if s.name == last {
			value, ok = any(id), true
		}
		if s.argument != "" && ok {
			said[s.argument] = value
		}
	}
	raw, err := json.Marshal(said)
	if err != nil {
		return nil, nil
	}
	read, err := t.reread.ParseArguments(raw)
	if err != nil {
		return nil, nil
	}
	return t.reread, read
}

// writtenID is the id of the record that was written: what the answer says, else the one that the call has named.
func (t *Tool) writtenID(args Arguments, written Result) string {
	if answer, ok := decodeLoosely(written.Data); ok {
		if object, ok := answer.(map[string]any); ok {
			for _, name := range []string{"id", "Id", "ID"} {
				if id := scalarText(object[name]); id != "" {
					return id
				}
			}
		}
	}
	if t.Path != t.reread.Path { // which ends with the id that get takes
		return ""
	}
	last := lastPlaceholder(t.Path)
	for _, s := range t.template.segments {
		if s.name == last {
			return scalarText(args[s.argument])
		}
	}
	return ""
}

// lastPlaceholder is the name of a path's last {name}.
func lastPlaceholder(path string) string {
	all := placeholder.FindAllStringSubmatch(path, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}

// Unread is the result of a call that has written a record which could not be read then: that it was written stands
// before why it is not here.
func Unread(written Result, err error) Result {
	object := map[string]any{}
	if answer, ok := decodeLoosely(written.Data); ok {
		if said, ok := answer.(map[string]any); ok {
			object = said
		}
	}
	reason := "the gateway could not read it"
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		reason = f.Message
	}
	object["note"] = "The record was written. Reading it afterwards failed: " + reason
	written.Data = json.RawMessage(compactJSON(object))
	return written
}
