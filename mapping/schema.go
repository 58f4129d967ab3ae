package mapping

// compileInput makes the schema that ParseArguments validates with, and the one that clients see. The second is made of
// nothing that the first has not, so that what compiled once is not compiled again here; VetSchema is for the last gate.
func (t *Tool) compileInput(d *definitions, in *inputs) error {
	properties, required := map[string]any{}, []any{}
	for _, a := range in.shown() {
		properties[a.name] = a.schema
		t.names = append(t.names, a.name)
		if a.required && !a.defaulted {
			required = append(required, a.name)
		}
	}
	var err error
	t.arguments, err = d.compile(map[string]any{
		"type": "object", "properties": properties, "required": required, "additionalProperties": false})
	if err != nil {
		return err
	}
	t.sent = map[string]sending{}
	for _, a := range in.shown() {
		if a.sent == nil {
			continue
		}
		schema, err := d.compile(map[string]any{"properties": map[string]any{a.name: a.sent}})
		if err != nil {
			return err
		}
		s := a.slot
		s.argument = a.name
		t.sent[a.name] = sending{s, schema}
	}
	if in.rest != nil || in.coupled != nil {
		if t.together, err = d.compile(in.renamed()); err != nil {
			return err
		}
	}
	for _, l := range levels {
		var stubs bool
		if t.InputSchema, stubs, err = lower(d, l, in, required); err != nil {
			return err
		}
		if len(t.InputSchema) <= maxSchema || l == levels[len(levels)-1] {
			if stubs {
				t.Description = sentence(t.Description) + " " + shortened
			}
			break
		}
	}
	return nil
}

// shown returns the arguments that the model sees.
func (in *inputs) shown() []*argument {
	var out []*argument
	for _, a := range in.arguments {
		if !a.hidden && !a.fixed {
			out = append(out, a)
		}
	}
	return out
}
