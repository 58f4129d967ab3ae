package sandbox

import (
	"encoding/json"
	"math"
	"net/url"
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

func isPaging(key string) bool {
	for _, names := range [][]string{limitNames, offsetNames, pageNames, cursorNames, sortNames} {
		if slices.Contains(names, key) {
			return true
		}
	}
	return false
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
		if n, ok := number(parameter.Schema["default"]); ok && parameter.In == "query" && slices.Contains(limitNames, plain(parameter.Name)) && n >= 1 {
			p.limit = int(min(n, math.MaxInt32))
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
		if err != nil || n < 0 || n > math.MaxInt32 { // so that no sum of them overflows
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
	if n, err := strconv.Atoi(v); err == nil && n >= 0 && n <= math.MaxInt32 && !slices.ContainsFunc(rows, func(r map[string]any) bool { return text(r) == v }) {
		return n
	}
	return slices.IndexFunc(rows, func(r map[string]any) bool { return text(r) == v }) + 1
}

// asNumber is n as records hold numbers.
func asNumber(n int) json.Number { return json.Number(strconv.Itoa(n)) }
