package mapping

import (
	"encoding/json"
	"math/big"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// sampler draws values that fit a schema: small ones, with what is required, or (full) with what is allowed besides.
type sampler struct{ full bool }

// maxSampleDepth keeps recursive schemas finite.
const maxSampleDepth = 12

func (s sampler) value(schema *jsonschema.Schema, depth int) any {
	switch {
	case schema == nil || schema.Bool != nil || depth > maxSampleDepth:
		return "x"
	case schema.Const != nil:
		return *schema.Const
	case schema.Enum != nil:
		return s.enum(schema)
	}
	parts := flattened(schema, nil, depth)
	for _, part := range parts {
		switch {
		case part.Const != nil:
			return *part.Const
		case part.Enum != nil:
			return s.enum(part)
		}
	}
	switch s.kind(parts) {
	case "object":
		return s.object(parts, depth)
	case "array":
		return s.array(parts, depth)
	case "integer", "number":
		return s.number(parts)
	case "boolean":
		return true
	case "null":
		return nil
	}
	return s.text(parts)
}

// flattened returns a schema with all that it refers to and has to fulfil as well; of alternatives the first.
func flattened(schema *jsonschema.Schema, parts []*jsonschema.Schema, depth int) []*jsonschema.Schema {
	if schema == nil || depth > 2*maxSampleDepth || slices.Contains(parts, schema) {
		return parts
	}
	parts = append(parts, schema)
	for _, part := range append(slices.Clone(schema.AllOf), schema.Ref) {
		parts = flattened(part, parts, depth+1)
	}
	for _, branches := range [][]*jsonschema.Schema{schema.AnyOf, schema.OneOf} {
		if len(branches) > 0 {
			parts = flattened(notNull(branches), parts, depth+1)
		}
	}
	return parts
}

func notNull(branches []*jsonschema.Schema) *jsonschema.Schema {
	for _, branch := range branches {
		if branch.Types == nil || !slices.Equal(branch.Types.ToStrings(), []string{"null"}) {
			return branch
		}
	}
	return branches[0]
}

func (s sampler) enum(schema *jsonschema.Schema) any {
	for _, value := range schema.Enum.Values {
		if value != nil && value != "" {
			return value
		}
	}
	return schema.Enum.Values[0]
}

func (s sampler) kind(parts []*jsonschema.Schema) string {
	for _, part := range parts {
		if part.Types == nil {
			continue
		}
		for _, name := range part.Types.ToStrings() {
			if name != "null" {
				return name
			}
		}
		return "null"
	}
	for _, part := range parts {
		switch {
		case len(part.Properties) > 0 || len(part.Required) > 0 || part.MinProperties != nil:
			return "object"
		case part.Items2020 != nil:
			return "array"
		case part.Minimum != nil || part.Maximum != nil:
			return "number"
		}
	}
	return "string"
}

func (s sampler) object(parts []*jsonschema.Schema, depth int) any {
	properties, required := map[string]*jsonschema.Schema{}, map[string]bool{}
	atLeast := 0
	for _, part := range parts {
		for name, property := range part.Properties {
			properties[name] = property
		}
		for _, name := range part.Required {
			required[name] = true
		}
		if part.MinProperties != nil {
			atLeast = max(atLeast, *part.MinProperties)
		}
	}
	out := map[string]any{}
	for _, name := range sortedKeys(properties) {
		if required[name] || s.full && depth < 3 || len(out) < atLeast {
			out[name] = s.value(properties[name], depth+1)
		}
		delete(required, name)
	}
	var others *jsonschema.Schema
	for _, part := range parts {
		if schema, ok := part.AdditionalProperties.(*jsonschema.Schema); ok {
			others = schema
		}
	}
	for name := range required {
		out[name] = s.value(others, depth+1)
	}
	for i := 0; len(out) < atLeast; i++ {
		out["extra"+strings.Repeat("a", i)] = s.value(others, depth+1)
	}
	return out
}

func (s sampler) array(parts []*jsonschema.Schema, depth int) any {
	n := 0
	if s.full && depth < 4 || depth == 1 { // a list in the query that is empty is not there
		n = 1
	}
	var items *jsonschema.Schema
	for _, part := range parts {
		if part.MinItems != nil {
			n = max(n, *part.MinItems)
		}
		if part.Items2020 != nil {
			items = part.Items2020
		}
	}
	out := []any{}
	for range min(n, 50) {
		out = append(out, s.value(items, depth+1))
	}
	return out
}

func (s sampler) number(parts []*jsonschema.Schema) any {
	at := big.NewRat(1, 1)
	for _, part := range parts {
		one := big.NewRat(1, 1)
		if part.Minimum != nil && at.Cmp(part.Minimum) < 0 {
			at.Set(part.Minimum)
		}
		if part.ExclusiveMinimum != nil && at.Cmp(part.ExclusiveMinimum) <= 0 {
			at.Add(part.ExclusiveMinimum, one)
		}
		if part.Maximum != nil && at.Cmp(part.Maximum) > 0 {
			at.Set(part.Maximum)
		}
		if part.ExclusiveMaximum != nil && at.Cmp(part.ExclusiveMaximum) >= 0 {
			at.Sub(part.ExclusiveMaximum, one)
		}
		if part.MultipleOf != nil && !new(big.Rat).Quo(at, part.MultipleOf).IsInt() {
			at.Set(part.MultipleOf)
		}
	}
	if at.IsInt() {
		return json.Number(at.Num().String())
	}
	f, _ := at.Float64()
	return plain(f)
}

// byFormat are texts for formats that validators check.
var byFormat = map[string]string{
	"date-time": "2026-01-02T03:04:05Z", "date": "2026-01-02", "time": "03:04:05Z", "duration": "P1D",
	"uuid": "0f8fad5b-d9cb-469f-a165-70867728950e", "email": "a@example.com", "uri": "https://example.com/a",
	"url": "https://example.com/a", "hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
	"byte": "YQ==", "binary": "YQ==", "ip": "192.0.2.1", "uri-reference": "/a",
}

func (s sampler) text(parts []*jsonschema.Schema) string {
	text, least, most := "text", 0, 1<<20
	for _, part := range parts {
		if part.Format != nil && byFormat[part.Format.Name] != "" {
			text = byFormat[part.Format.Name]
		}
		if part.MinLength != nil {
			least = max(least, *part.MinLength)
		}
		if part.MaxLength != nil {
			most = min(most, *part.MaxLength)
		}
		if part.ContentEncoding != nil {
			text = "YQ=="
		}
		if part.Pattern != nil {
			for repeat := range 40 {
				if found, ok := matching(part.Pattern.String(), repeat); ok && part.Pattern.MatchString(found) {
					if text = found; len(text) >= least {
						break
					}
				}
			}
		}
	}
	for len(text) < least {
		text += text[:max(1, min(len(text), least-len(text)))]
	}
	return text[:min(len(text), most)]
}

// matching writes a text that a pattern matches, with repeat more of what may be repeated.
func matching(pattern string, repeat int) (string, bool) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	write(&b, re, repeat)
	return b.String(), true
}

func write(b *strings.Builder, re *syntax.Regexp, repeat int) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(oneOf(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('a')
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			write(b, sub, repeat)
		}
	case syntax.OpAlternate:
		write(b, re.Sub[0], repeat)
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		low, high := 0, 1<<10
		switch re.Op {
		case syntax.OpPlus:
			low = 1
		case syntax.OpQuest:
			high = 1
		case syntax.OpRepeat:
			low = re.Min
			if re.Max >= 0 {
				high = re.Max
			}
		}
		for range min(low+repeat, high) {
			write(b, re.Sub[0], repeat)
		}
	}
}

// oneOf returns a rune of a class: a letter or digit where there is one.
func oneOf(ranges []rune) rune {
	for _, candidate := range "aA0-_" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if candidate >= ranges[i] && candidate <= ranges[i+1] {
				return candidate
			}
		}
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if unicode.IsGraphic(r) && r < unicode.MaxASCII && r != ' ' {
				return r
			}
		}
	}
	return ranges[0]
}
