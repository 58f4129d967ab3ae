package specs

// discriminate says what a discriminator says in the words of JSON Schema. It chooses one alternative by name where
// several may fit, so that oneOf becomes anyOf; and where its mapping names an alternative whose own schema leaves the
// property open, that alternative gets the names as the property's only values.
func (r *reader) discriminate(n *node, s map[string]any) {
	discriminator := n.get("discriminator")
	if discriminator == nil {
		return
	}
	for _, keyword := range []string{"oneOf", "anyOf"} {
		alternatives, _ := s[keyword].([]any)
		for i, alternative := range alternatives {
			r.nameAlternative(discriminator, n.get(keyword).items[i], alternative.(map[string]any))
		}
	}
	if oneOf := s["oneOf"]; oneOf != nil && s["anyOf"] == nil {
		s["anyOf"] = oneOf
		delete(s, "oneOf")
	}
}

func (r *reader) nameAlternative(discriminator, n *node, alternative map[string]any) {
	property, ref := discriminator.get("propertyName").scalar(), n.ref()
	if property == "" || ref == "" || alternative["$ref"] == nil || alternative["properties"] != nil {
		return
	}
	target, err := r.resolve(n)
	if err != nil || r.closed(target.get("properties").get(property)) {
		return
	}
	var names []any
	for _, e := range r.entries(discriminator.get("mapping"), "mapping") {
		if to := e.value.scalar(); to == ref || "#/components/schemas/"+to == ref {
			names = append(names, e.key)
		}
	}
	if len(names) > 0 {
		alternative["properties"] = map[string]any{property: map[string]any{"enum": names}}
	}
}

// closed reports whether a property's schema lists its values itself, or is no text.
func (r *reader) closed(n *node) bool {
	if n == nil {
		return false
	}
	target, err := r.resolve(n)
	return err != nil || target.get("enum") != nil || target.get("const") != nil ||
		target.get("type") != nil && target.get("type").scalar() != "string"
}
