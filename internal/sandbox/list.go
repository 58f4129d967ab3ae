package sandbox

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The names of query parameters that page, in plain letters.
var (
	limitNames  = []string{"limit", "perpage", "pagesize", "size", "count", "top", "maxresults", "pagelimit", "take", "sysparmlimit", "rows"}
	offsetNames = []string{"offset", "skip", "start", "startindex", "startat", "sysparmoffset"}
	pageNames   = []string{"page", "pagenumber", "pageno", "pagenum"}
	cursorNames = []string{"cursor", "after", "startingafter", "pagetoken", "nexttoken", "nextpagetoken", "continuationtoken"}
	sortNames   = []string{"sort", "sortby", "orderby", "order"}
	searchNames = []string{"q", "search", "query", "searchterm", "keyword", "keywords", "term"}
)

// defaultLimit is the size of a page where the document names none.
const defaultLimit = 100

// page is a part of a list.
type page struct {
	rows   []map[string]any
	total  int
	offset int
	limit  int
	number int // of the page, as the upstream counts
}

func (p page) more() bool { return p.offset+len(p.rows) < p.total }

// list answers with the records that the request asks for.
func (c *call) list() reply {
	e := c.endpoint
	rows := make([]map[string]any, 0, len(e.of.records))
	for _, r := range e.of.under(c.parents) {
		rows = append(rows, r.fields)
	}
	for name, values := range c.request.URL.Query() {
		rows = c.filter(rows, name, values)
	}
	for name, value := range c.parents {
		if c.isFilter(name) {
			rows = c.filter(rows, name, []string{value})
		}
	}
	rows = c.sorted(rows)
	p, problem := c.paged(rows)
	if problem != nil {
		return c.fail(*problem)
	}
	return reply{status: e.successStatus(), body: c.envelope(p)}
}

// isFilter reports whether a placeholder at the end of a list's path narrows it, as in /pets/byStatus/{status}.
func (c *call) isFilter(parent string) bool {
	path := c.endpoint.path
	return path.isItem() && plain(path.segments[len(path.segments)-1].names[0]) == parent && c.property(parent) != ""
}

// property finds the records' property that a parameter means; "" where there is none.
func (c *call) property(parameter string) string {
	want := plain(parameter)
	for name := range properties(c.endpoint.of.schema) {
		if plain(name) == want {
			return name
		}
	}
	if sample := c.endpoint.of.sample(); sample != nil {
		for name := range sample.fields {
			if plain(name) == want {
				return name
			}
		}
	}
	return ""
}

// filter keeps what a query parameter asks for: a property's value, one of several, or words anywhere.
func (c *call) filter(rows []map[string]any, parameter string, values []string) []map[string]any {
	key := plain(parameter)
	if isPaging(key) || len(values) == 0 || values[0] == "" {
		return rows
	}
	if name := c.property(strings.TrimSuffix(parameter, "[]")); name != "" {
		var wanted []string
		for _, v := range values {
			wanted = append(wanted, strings.Split(v, ",")...)
		}
		return keep(rows, func(row map[string]any) bool { return oneOf(row[name], wanted) })
	}
	if slices.Contains(searchNames, key) {
		if conditions, ok := parseConditions(values[0]); ok {
			return keep(rows, func(row map[string]any) bool { return allHold(row, conditions) })
		}
		words := strings.ToLower(values[0])
		return keep(rows, func(row map[string]any) bool { return strings.Contains(strings.ToLower(allText(row)), words) })
	}
	return rows
}

func isPaging(key string) bool {
	for _, names := range [][]string{limitNames, offsetNames, pageNames, cursorNames, sortNames} {
		if slices.Contains(names, key) {
			return true
		}
	}
	return false
}

func keep(rows []map[string]any, wanted func(map[string]any) bool) []map[string]any {
	var out []map[string]any
	for _, row := range rows {
		if wanted(row) {
			out = append(out, row)
		}
	}
	return out
}

// oneOf reports whether v is one of the texts; of a list, whether one of its items is; of an object, one of its values.
func oneOf(v any, wanted []string) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return oneOf(item, wanted) })
	case map[string]any:
		for _, inner := range v {
			if oneOf(inner, wanted) {
				return true
			}
		}
		return false
	case nil:
		return false
	}
	return slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(text(v), strings.TrimSpace(w)) })
}

// condition is `companyName START_WITH "Alder"`.
type condition struct{ field, operator, value string }

var (
	conditionForm = regexp.MustCompile(`(?i)^\s*\(?\s*([\w.]+)\s+(IS_NOT|IS|START_WITH|CONTAIN|END_WITH|EQUAL_NOT|EQUAL|GREATER_OR_EQUAL|GREATER|LESS_OR_EQUAL|LESS|AFTER|BEFORE|ON_OR_AFTER|ON_OR_BEFORE|ON)\s+(?:"([^"]*)"|([^\s"()]+))\s*\)?\s*$`)
	conditionAnd  = regexp.MustCompile(`(?i)\s+AND\s+`)
)

// parseConditions reads the conditions that a q may hold; false where it holds plain words.
func parseConditions(q string) ([]condition, bool) {
	var out []condition
	for _, part := range conditionAnd.Split(q, -1) {
		m := conditionForm.FindStringSubmatch(part)
		if m == nil {
			return nil, false
		}
		out = append(out, condition{m[1], strings.ToUpper(m[2]), m[3] + m[4]})
	}
	return out, true
}

func allHold(row map[string]any, conditions []condition) bool {
	for _, want := range conditions {
		have := text(value(row, want.field))
		a, b := strings.ToLower(have), strings.ToLower(want.value)
		order := compare(have, want.value)
		var ok bool
		switch want.operator {
		case "IS", "EQUAL", "ON":
			ok = order == 0
		case "IS_NOT", "EQUAL_NOT":
			ok = order != 0
		case "START_WITH":
			ok = strings.HasPrefix(a, b)
		case "END_WITH":
			ok = strings.HasSuffix(a, b)
		case "CONTAIN":
			ok = strings.Contains(a, b)
		case "GREATER", "AFTER":
			ok = have != "" && order > 0
		case "GREATER_OR_EQUAL", "ON_OR_AFTER":
			ok = have != "" && order >= 0
		case "LESS", "BEFORE":
			ok = have != "" && order < 0
		case "LESS_OR_EQUAL", "ON_OR_BEFORE":
			ok = have != "" && order <= 0
		}
		if !ok {
			return false
		}
	}
	return true
}

func allText(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var b strings.Builder
		for _, inner := range v {
			b.WriteString(allText(inner) + "\n")
		}
		return b.String()
	case []any:
		var b strings.Builder
		for _, inner := range v {
			b.WriteString(allText(inner) + "\n")
		}
		return b.String()
	}
	return text(v)
}

// value finds a field by its name in any case; dots lead into objects.
func value(row map[string]any, field string) any {
	first, rest, nested := strings.Cut(field, ".")
	v, ok := row[first]
	if !ok {
		for name, candidate := range row {
			if strings.EqualFold(name, first) {
				v = candidate
				break
			}
		}
	}
	if !nested {
		return v
	}
	inner, _ := v.(map[string]any)
	return value(inner, rest)
}

// compare orders two texts: as numbers where both are, else as words in any case.
func compare(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil && len(a) < 16 && len(b) < 16 {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
}

// sorted puts the rows into the order that a parameter asks for: name, -name, or name desc.
func (c *call) sorted(rows []map[string]any) []map[string]any {
	q := c.request.URL.Query()
	for name := range q {
		if !slices.Contains(sortNames, plain(name)) {
			continue
		}
		field, direction, _ := strings.Cut(strings.TrimSpace(strings.Split(q.Get(name), ",")[0]), " ")
		field, descending := strings.CutPrefix(field, "-")
		descending = descending || strings.EqualFold(strings.TrimSpace(direction), "desc")
		field = c.property(field)
		if field == "" {
			continue
		}
		rows = slices.Clone(rows)
		slices.SortStableFunc(rows, func(a, b map[string]any) int {
			if descending {
				a, b = b, a
			}
			return compare(text(a[field]), text(b[field]))
		})
	}
	return rows
}

// paged cuts the page out that the parameters ask for.
func (c *call) paged(rows []map[string]any) (page, *problem) {
	p := page{total: len(rows), limit: defaultLimit, number: 1}
	for _, parameter := range c.endpoint.op.Parameters {
		if n, ok := number(parameter.Schema["default"]); ok && parameter.In == "query" && slices.Contains(limitNames, plain(parameter.Name)) && n > 0 {
			p.limit = int(n)
		}
	}
	q := c.request.URL.Query()
	for _, names := range [][]string{limitNames, offsetNames, pageNames, cursorNames} {
		name, v := first(q, names)
		if v == "" {
			continue
		}
		if slices.Contains(cursorNames, plain(name)) {
			p.offset = cursor(rows, v)
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return p, &problem{status: 400, code: "INVALID_PARAMETER", field: name, message: "The parameter " + name + " has to be a whole number, not " + strconv.Quote(v) + "."}
		}
		switch {
		case slices.Contains(limitNames, plain(name)):
			p.limit = n
		case slices.Contains(offsetNames, plain(name)):
			p.offset = n
		default:
			p.number = n
			p.offset = max(n-c.firstPage(name), 0) * p.limit
		}
	}
	start := min(p.offset, len(rows))
	p.rows = rows[start:min(start+p.limit, len(rows))]
	return p, nil
}

// firstPage is 0 where the document says that pages count from 0.
func (c *call) firstPage(name string) int {
	for _, parameter := range c.endpoint.op.Parameters {
		for _, key := range []string{"default", "minimum"} {
			if n, ok := number(parameter.Schema[key]); parameter.Name == name && ok && n == 0 {
				return 0
			}
		}
	}
	return 1
}

func first(q url.Values, names []string) (string, string) {
	for name := range q {
		if slices.Contains(names, plain(name)) {
			return name, q.Get(name)
		}
	}
	return "", ""
}

// cursor reads what envelope gave as the next page's: an offset; another text is the id that the page before ended with.
func cursor(rows []map[string]any, v string) int {
	if n, err := strconv.Atoi(v); err == nil && !slices.ContainsFunc(rows, func(r map[string]any) bool { return text(r) == v }) {
		return n
	}
	return slices.IndexFunc(rows, func(r map[string]any) bool { return text(r) == v }) + 1
}

// asNumber is n as records hold numbers.
func asNumber(n int) json.Number { return json.Number(strconv.Itoa(n)) }
