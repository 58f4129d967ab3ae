package sandbox

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// lines counts an order's lines and adds them up, as a server would: a line's number, its price where another line sells
// the same thing, its amount, and the total. What was sent stands.
func (c *call) lines(fields map[string]any) {
	declared := properties(c.endpoint.of.schema)
	rows, item := c.lineRows(fields)
	if len(rows) == 0 {
		return
	}
	sum := new(big.Rat)
	for i, v := range rows {
		line, ok := v.(map[string]any)
		if !ok {
			return
		}
		if _, has := item["line"]; has && line["line"] == nil {
			line["line"] = asNumber(i + 1)
		}
		if _, has := item["rate"]; has && line["rate"] == nil {
			if rate := c.sandbox.priceOf(line["item"]); rate != "" {
				line["rate"] = rate
			}
		}
		amount, ok := product(line["quantity"], line["rate"])
		if !ok {
			return
		}
		line["amount"] = money(amount)
		sum.Add(sum, amount)
	}
	for name, property := range declared {
		resolved, _ := c.endpoint.of.defs.resolve(property)
		_, sent := fields[name]
		if p := plain(name); p == "total" && (isReadOnly(resolved) || !sent) || p == "amountremaining" && !sent {
			fields[name] = money(sum)
		}
	}
}

// lineRows finds the lines: a list of objects with a quantity and an amount, in the record or one level down.
func (c *call) lineRows(fields map[string]any) ([]any, map[string]bool) {
	defs := c.endpoint.of.defs
	all := properties(c.endpoint.of.schema)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		resolved, _ := defs.resolve(all[name])
		v := fields[name]
		if inner, ok := v.(map[string]any); ok && typeOf(resolved) == "object" {
			items, has := properties(resolved)["items"]
			if !has {
				continue
			}
			resolved, _ = defs.resolve(items)
			v = inner["items"]
		}
		rows, ok := v.([]any)
		if !ok {
			continue
		}
		item, _ := defs.items(resolved)
		names := map[string]bool{}
		for column := range properties(item) {
			names[column] = true
		}
		if names["quantity"] && names["amount"] {
			return rows, names
		}
	}
	return nil, nil
}

// priceOf is the rate at which a line anywhere sells the item; "" where none does.
func (s *Sandbox) priceOf(item any) json.Number {
	id := text(item)
	for _, c := range s.collections {
		for _, r := range c.records {
			if rate := searchPrice(r.fields, id); rate != "" {
				return rate
			}
		}
	}
	return ""
}

func searchPrice(v any, id string) json.Number {
	switch v := v.(type) {
	case map[string]any:
		if rate, ok := v["rate"].(json.Number); ok && text(v["item"]) == id {
			return rate
		}
		for _, inner := range v {
			if rate := searchPrice(inner, id); rate != "" {
				return rate
			}
		}
	case []any:
		for _, inner := range v {
			if rate := searchPrice(inner, id); rate != "" {
				return rate
			}
		}
	}
	return ""
}

// product multiplies two JSON numbers; false where one is none, or is written with an exponent: 1e999999999 would fill
// the memory.
func product(a, b any) (*big.Rat, bool) {
	var factors [2]*big.Rat
	for i, v := range []any{a, b} {
		written := text(v)
		if !isNumber(v) || len(written) > 40 || strings.ContainsAny(written, "eE") {
			return nil, false
		}
		x, ok := new(big.Rat).SetString(written)
		if !ok {
			return nil, false
		}
		factors[i] = x
	}
	return factors[0].Mul(factors[0], factors[1]), true
}

// money writes a sum with up to two decimals, exactly.
func money(sum *big.Rat) json.Number {
	written := strings.TrimRight(sum.FloatString(2), "0")
	return json.Number(strings.TrimSuffix(written, "."))
}

// takeOver fills a record that is made out of another, as POST /salesOrder/{id}/!transform/invoice makes an invoice:
// what both kinds have is taken over, but dates, which are today's.
func (c *call) takeOver(fields map[string]any) {
	path := c.endpoint.path.segments
	if len(path) < 2 || !strings.HasPrefix(path[len(path)-2].literal, "!transform") {
		return
	}
	from := c.sandbox.parentOf(c.endpoint)
	if from == nil {
		return
	}
	of := c.endpoint.of
	source := from.of.find(c.above(from).id, nil)
	if source == nil {
		return
	}
	for name, property := range properties(of.schema) {
		resolved, _ := of.defs.resolve(property)
		v, known := source.fields[name]
		_, sent := fields[name]
		switch {
		case sent || name == of.idName || isReadOnly(resolved):
		case name == "tranDate":
			fields[name] = c.sandbox.now().UTC().Format("2006-01-02")
		case name == "createdFrom":
			fields[name] = map[string]any{"id": source.id, "refName": c.sourceName(source)}
		case known:
			fields[name] = clone(v)
		}
	}
}

// sourceName is what a record is called where another was made out of it.
func (c *call) sourceName(source *record) string {
	for _, r := range c.endpoint.of.records {
		if from, ok := r.fields["createdFrom"].(map[string]any); ok && from["refName"] != nil {
			return strings.ReplaceAll(text(from["refName"]), text(from["id"]), source.id)
		}
	}
	return source.id
}
