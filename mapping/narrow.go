package mapping

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
)

// asFilter is what a filter does.
const asFilter = "only what matches"

// narrowing are the usual names of arguments that make an answer smaller, and what each does.
var narrowing = []struct {
	does  string
	names []string
}{
	{"fewer at a time", []string{"limit", "pagesize", "perpage", "size", "count", "maxresults", "maxitems", "top", "first",
		"take", "sysparmlimit", "rows", "batchsize", "resultsperpage", "pagelimit"}},
	{"those that follow", []string{"offset", "page", "pagenumber", "cursor", "after", "skip", "start", "startat", "pagetoken",
		"nexttoken", "startingafter", "continuationtoken", "sysparmoffset", "marker", "pageoffset", "pagecursor",
		"pageafter", "nextcursor"}},
	{"less of each", []string{"fields", "select", "properties", "columns", "attributes", "includefields", "sysparmfields",
		"fieldmask", "projection"}},
	{asFilter, []string{"q", "query", "search", "where", "keyword", "keywords", "searchterm", "term",
		"sysparmquery", "jql", "soql", "status", "state", "since", "until", "createdafter", "updatedafter", "startdate", "enddate"}},
}

// askForLess says how this very tool is asked for a smaller answer.
func (t *Tool) askForLess() string {
	if t.Query != nil && (t.statement == nil || t.statement.template == "") {
		return "Ask for less: in " + t.argumentOf(t.Query.Argument) + " name fewer fields, add conditions to WHERE, or lower LIMIT."
	}
	var ways []string
	for _, kind := range narrowing {
		var found []string
		for _, name := range t.inputNames() {
			plain := plainName(name)
			if slices.Contains(kind.names, plain) || kind.does == asFilter && strings.HasPrefix(plain, "filter") {
				found = append(found, name)
			}
		}
		if len(found) > 0 {
			ways = append(ways, strings.Join(found, " or ")+" ("+kind.does+")")
		}
	}
	if len(ways) == 0 {
		return "No argument of this tool makes its answer smaller; another tool may get one record, or fewer."
	}
	return "Ask for less with " + strings.Join(ways, ", ") + "."
}

// inputNames are the names of the tool's arguments, sorted.
func (t *Tool) inputNames() []string {
	var schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(t.InputSchema, &schema); err != nil {
		return nil // a tool without arguments has none to name
	}
	var names []string
	for name := range schema.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// plainName is a name in lower case, without what stands between its words.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
