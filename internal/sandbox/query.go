package sandbox

import (
	"slices"
	"strconv"
	"strings"

	"mcpgate/mapping"
)

// query runs a query language over the records.
func (c *call) query() reply {
	said := c.queryText()
	if said == "" {
		name := c.endpoint.query.Argument
		return c.fail(problem{status: 400, code: "MALFORMED_QUERY", field: name, message: "The query is missing: it is sent as " + name + "."})
	}
	parsed, err := mapping.ParseSelect(c.endpoint.query.Language, said)
	if err != nil {
		return c.fail(problem{status: 400, code: "MALFORMED_QUERY", field: c.endpoint.query.Argument, message: err.Error()})
	}
	rows, total, err := c.selected(parsed)
	if err != nil {
		return c.fail(problem{status: 400, code: "INVALID_QUERY", field: c.endpoint.query.Argument, message: err.Error()})
	}
	p, problem := c.paged(rows)
	if problem != nil {
		return c.fail(*problem)
	}
	if _, sent := first(c.request.URL.Query(), limitNames); sent == "" && p.offset == 0 {
		p.limit = max(c.batchSize(), 1)
		p.rows = rows[:min(p.limit, len(rows))]
	}
	if total >= 0 {
		p.total, p.offset = total, total // nothing comes after
	}
	return reply{status: c.endpoint.successStatus(), body: c.queryAnswer(p)}
}

// maxBatch is how many rows of a query a page has where nobody asks for fewer, as at Salesforce.
const maxBatch = 2000

// batchSize reads Salesforce's header for the rows of a page: Sforce-Query-Options: batchSize=200.
func (c *call) batchSize() int {
	for option := range strings.SplitSeq(c.request.Header.Get("Sforce-Query-Options"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(option), "=")
		if n, err := strconv.Atoi(value); err == nil && strings.EqualFold(name, "batchSize") && n > 0 {
			return min(n, maxBatch)
		}
	}
	return maxBatch
}

func (c *call) queryText() string {
	name := c.endpoint.query.Argument
	if fields, ok := c.body.(map[string]any); ok {
		if said, ok := fields[name].(string); ok {
			return said
		}
	}
	if said := c.request.URL.Query().Get(name); said != "" {
		return said
	}
	if c.body == nil {
		return strings.TrimSpace(string(c.sent))
	}
	return ""
}

// queryAnswer wraps the rows as the document says, else as the language's products do.
func (c *call) queryAnswer(p page) any {
	rows := make([]any, len(p.rows))
	for i, row := range p.rows {
		rows[i] = clone(row)
	}
	if listed, ok := c.endpoint.listed(); ok {
		return c.fill(c.endpoint.successSchema(), listed.path, rows, p)
	}
	if c.endpoint.query.Language == "soql" {
		return map[string]any{"totalSize": p.total, "done": !p.more(), "records": rows}
	}
	return map[string]any{"items": rows, "count": len(rows), "offset": p.offset, "totalResults": p.total, "hasMore": p.more()}
}

func (s *Sandbox) tables() []string {
	var names []string
	for _, c := range s.collections {
		names = append(names, c.name)
		if len(c.tags) > 0 && !c.called(c.tags[0]) {
			names = append(names, c.tags[0])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// selected runs a parsed query. total is how many rows match where the answer has another number of rows, else -1.
func (c *call) selected(parsed *mapping.Select) (out []map[string]any, total int, err error) {
	q, err := c.statement(parsed)
	if err != nil {
		return nil, 0, err
	}
	rows, columns, err := c.sandbox.table(q.from)
	if err != nil {
		return nil, 0, err
	}
	t := table{alias: q.alias, name: q.from, columns: columns, sandbox: c.sandbox}
	if err := t.check(q); err != nil {
		return nil, 0, err
	}
	rows = keep(rows, func(row map[string]any) bool { return t.holds(q.where, row) })
	if counted, ok := t.counted(q, len(rows), c.endpoint.query.Language); ok {
		if q.fields[0].name == "" {
			return nil, len(rows), nil // SOQL's COUNT() answers with totalSize alone
		}
		return counted, -1, nil
	}
	t.order(rows, q.orderBy)
	rows = rows[min(q.offset, len(rows)):]
	if q.limit != nil {
		rows = rows[:min(*q.limit, len(rows))]
	}
	out = make([]map[string]any, len(rows))
	for i, row := range rows {
		out[i] = t.project(q.fields, row, c.endpoint.query.Language)
	}
	return out, -1, nil
}
