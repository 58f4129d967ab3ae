package sandbox

import (
	"encoding/json"
	"slices"
)

// madeUp is how many records a collection starts with where the document gives no examples.
const madeUp = 3

// seed fills a collection with the document's examples, else with records that are made up from the schema.
func (s *Sandbox) seed(c *collection) {
	for _, e := range s.endpoints {
		if e.of == c && e.query == nil {
			s.seedFrom(c, e)
		}
	}
	if len(c.records) == 0 {
		for _, example := range schemaExamples(c) {
			s.seedOne(c, example)
		}
	}
	if len(c.records) > 0 || len(properties(c.schema)) == 0 || !s.isRead(c) {
		return
	}
	for n := range madeUp {
		fields, ok := c.defs.generate(c.schema, "", n, 0).(map[string]any)
		if !ok {
			return
		}
		if id := text(fields[c.idName]); id == "" || c.idTaken(id) {
			c.giveID(fields)
		}
		s.seedOne(c, fields)
	}
}

// seedFrom takes the examples of one endpoint's answers.
func (s *Sandbox) seedFrom(c *collection, e *endpoint) {
	success := e.success()
	if success == nil {
		return
	}
	media := jsonMedia(success.Content)
	if media == nil {
		return
	}
	for _, example := range media.Examples {
		if e.does == list {
			if listed, ok := e.listed(); ok {
				for _, key := range listed.path {
					inner, _ := example.(map[string]any)
					example = inner[key]
				}
			}
			many, _ := example.([]any)
			for _, one := range many {
				s.seedOne(c, one)
			}
			continue
		}
		if schema := e.successSchema(); schema != nil {
			if key, _, _ := e.defs.wrapped(schema); key != "" {
				if outer, ok := example.(map[string]any); ok && outer[key] != nil {
					example = outer[key]
				}
			}
		}
		if _, whole := e.recordSchema(); e.does == get || whole != "" && whole == c.title && e.does == create {
			s.seedOne(c, example)
		}
	}
}

// seedOne adds one example, or adds what it says to the record that it is about.
func (s *Sandbox) seedOne(c *collection, example any) {
	fields, ok := clone(example).(map[string]any)
	if !ok || len(fields) == 0 || s.count >= maxRecords {
		return
	}
	id := text(fields[c.idName])
	if id == "" {
		id = c.giveID(fields)
	}
	if there := c.find(id, nil); there != nil {
		for k, v := range fields {
			if _, known := there.fields[k]; !known {
				there.fields[k] = v
			}
		}
		return
	}
	s.store(c, &record{id: id, fields: fields, size: sizeOf(fields)})
}

func schemaExamples(c *collection) []any {
	list, _ := c.schema["examples"].([]any)
	return list
}

func (s *Sandbox) isRead(c *collection) bool {
	return slices.ContainsFunc(s.endpoints, func(e *endpoint) bool { return e.of == c && (e.does == get || e.does == list) })
}

func (s *Sandbox) store(c *collection, r *record) {
	c.records = append(c.records, r)
	s.count++
	s.held += r.size
}

func (s *Sandbox) full(more int) bool { return s.count >= maxRecords || s.held+more > maxHeld }

func sizeOf(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return 0
	}
	return len(b)
}
