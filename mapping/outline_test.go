package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarker(t *testing.T) {
	tests := []struct {
		value  string
		budget int
		want   string
	}{
		{`{"id":1,"name":"x","on":true,"none":null,"lines":[{"sku":"a"},2],"deep":{"a":{"b":1}}}`, 200,
			`"[cut: {id: number, name: string, on: boolean, none: null, lines: array of 2, deep: object}, 86 bytes]"`},
		{`[{"id":1,"owner":{"id":2}},3,4]`, 80, `"[cut: array of 3 {id: number, owner: object}, 31 bytes]"`},
		{`[{"id":1,"owner":{"id":2}},3,4]`, 45, `"[cut: array of 3 {id, owner}]"`},
		{`[{"id":1,"owner":{"id":2}},3,4]`, 20, `"[cut]"`},
		{`[1,2]`, 4, `null`},
		{`[1,2]`, 3, `0`},
		{`[]`, 40, `"[cut: array of 0, 2 bytes]"`},
		{`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1}`, 60, `"[cut: {a, b, c, d, e, f, g, h, ...}]"`},
		{`"` + strings.Repeat("x", 2000) + `"`, 60, `"[cut: string, 1.96 KiB]"`},
		{`-1.5e10`, 60, `"[cut: number, 7 bytes]"`},
		{`false`, 60, `"[cut: boolean, 5 bytes]"`},
	}
	for _, test := range tests {
		got := string(marker([]byte(test.value), test.budget))
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Error(diff)
		}
		if len(got) > test.budget {
			t.Errorf("%s takes %d bytes, more than %d", got, len(got), test.budget)
		}
	}
}

func TestByteSize(t *testing.T) {
	for n, want := range map[int64]string{999: "999 bytes", 1 << 10: "1 KiB", 1536: "1.5 KiB", 10 << 20: "10 MiB", 123 << 20: "123 MiB"} {
		if got := byteSize(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestAskForLess(t *testing.T) {
	tests := []struct {
		schema string
		query  *Query
		want   string
	}{
		{`{"properties":{"$top":{},"page[cursor]":{},"filter_status":{},"sysparm_fields":{},"q":{}}}`, nil,
			"Ask for less with $top (fewer at a time), page[cursor] (those that follow), sysparm_fields (less of each), " +
				"filter_status or q (only what matches)."},
		{`{"properties":{"per_page":{},"limit":{},"page":{}}}`, nil,
			"Ask for less with limit or per_page (fewer at a time), page (those that follow)."},
		{`{"properties":{"id":{}}}`, nil, "No argument of this tool makes its answer smaller; another tool may get one record, or fewer."},
		{``, nil, "No argument of this tool makes its answer smaller; another tool may get one record, or fewer."},
		{`{"properties":{"soql":{}}}`, &Query{Argument: "q"},
			"Ask for less: in soql name fewer fields, add conditions to WHERE, or lower LIMIT."},
	}
	for _, test := range tests {
		tool := &Tool{InputSchema: []byte(test.schema), Query: test.query,
			template: template{query: []slot{{name: "q", argument: "soql"}}}}
		if diff := cmp.Diff(test.want, tool.askForLess()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestStatusRules(t *testing.T) {
	for status, want := range map[int]struct {
		code      string
		retryable bool
	}{
		300: {"api.conflict", false}, 304: {"api.unexpected_response", false}, 101: {"api.unexpected_response", false},
		400: {"api.validation", false}, 401: {"authentication.credentials_invalid", false}, 403: {"api.permission", false},
		404: {"api.not_found", false}, 405: {"api.validation", false}, 408: {"api.timeout", true}, 409: {"api.conflict", false},
		410: {"api.validation", false}, 412: {"api.conflict", false}, 415: {"api.validation", false}, 418: {"api.validation", false},
		422: {"api.validation", false}, 423: {"api.conflict", false}, 429: {"api.rate_limit", true}, 451: {"api.permission", false},
		500: {"api.server", true}, 501: {"api.server", false}, 502: {"api.server", true}, 503: {"api.server", true},
		504: {"api.server", true}, 599: {"api.server", true},
	} {
		rule := statusRuleOf(status)
		if string(rule.code) != want.code || rule.retryable != want.retryable {
			t.Errorf("%d: got %s %v, want %v", status, rule.code, rule.retryable, want)
		}
	}
}
