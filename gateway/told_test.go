package gateway

import (
	"testing"
	"time"

	"mcpgate/internal/fault"
)

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// What errors.faults says of an answer decides about another attempt, and not the status: NetSuite says 400 of a limit.
func TestRetryByWhatTheUpstreamTells(t *testing.T) {
	rules := []string{`errors: {code: .code, when: .ok == false, faults: {LIMIT: api.rate_limit, DUP: record.duplicate, BUSY: unavailable, DOWN: api.server, GONE: api.not_found}}`}
	code := func(status int, code string) reply {
		return reply{status: status, body: `{"code": "` + code + `", "message": "in its words", "ok": false}`}
	}
	tests := []struct {
		name   string
		tool   string
		answer reply
		want   int // attempts
		code   fault.Code
		again  bool // retryable
	}{
		{"read, a limit as 400", "read", code(400, "LIMIT"), 4, fault.RateLimit, true},
		{"write, a limit as 400", "write", code(400, "LIMIT"), 4, fault.RateLimit, true},
		{"write, a limit as 200", "write", code(200, "LIMIT"), 4, fault.RateLimit, true},
		{"read, busy as 400", "read", code(400, "BUSY"), 4, fault.Unavailable, true},
		{"write, busy as 400", "write", code(400, "BUSY"), 1, fault.Unavailable, false},
		{"write, busy with Retry-After", "write", reply{status: 400, retryAfter: "1", body: `{"code": "BUSY"}`}, 4, fault.Unavailable, true},
		{"read, down as 400", "read", code(400, "DOWN"), 4, fault.Server, true},
		{"write, down as 400", "write", code(400, "DOWN"), 1, fault.Server, false},
		{"read, a duplicate as 500", "read", code(500, "DUP"), 1, fault.RecordDuplicate, false},
		{"read, not there as 500", "read", code(500, "GONE"), 1, fault.NotFound, false},
		{"read, not there as 200", "read", code(200, "GONE"), 1, fault.NotFound, false},
		{"read, another code", "read", code(500, "OTHER"), 4, fault.Server, true},
		{"read, another code as 200", "read", code(200, "OTHER"), 1, fault.API, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			outcome, s, _ := play(t, test.tool, []reply{test.answer}, rules...)
			if outcome.OK || len(outcome.Errors) != 1 || len(s.at) != test.want {
				t.Fatalf("%d attempts, want %d; %s", len(s.at), test.want, asJSON(t, outcome))
			}
			if e := outcome.Errors[0]; e.Code != test.code || e.Retryable != test.again || outcome.StatusCode != test.answer.status {
				t.Errorf("%s", asJSON(t, outcome))
			}
		})
	}
}

// A limit that passes is not seen by anybody, and the answer that comes then is read whole.
func TestToldLimitPasses(t *testing.T) {
	outcome, s, took := play(t, "write", []reply{{status: 400, body: `{"code": "LIMIT"}`, retryAfter: "2"}, {status: 200}},
		"errors: {when: .ok == false, faults: {LIM*: api.rate_limit}}")
	if !outcome.OK || string(outcome.Data) != `{"n":1}` || len(s.at) != 2 || took < 2*time.Second {
		t.Errorf("%s after %s", asJSON(t, outcome), took)
	}
}

// Several errors in one answer are several entries.
func TestSeveralErrorsAreSeveralEntries(t *testing.T) {
	body := `{"errors": [{"code": "DUP", "text": "there is one"}, {"code": "X", "text": "the name is bad", "at": "name"}]}`
	outcome, _, _ := play(t, "write", []reply{{status: 400, body: body}},
		"errors: {code: '.errors[].code', message: '.errors[].text', fields: '.errors[].at', faults: {DUP: record.duplicate}}")
	want := `{"ok":false,"status_code":400,"errors":[` +
		`{"code":"record.duplicate","message":"up answered 400 Bad Request: there is one","retryable":false,` +
		`"hint":"There is one already: look for it, and change that one if that is what you want.","upstream":{"status":400,"code":"DUP"}},` +
		`{"code":"api.validation","message":"up answered 400 Bad Request: the name is bad","retryable":false,` +
		`"hint":"Change the arguments that the message names, and call again.","fields":[{"path":"name","message":"the name is bad"}],"upstream":{"status":400,"code":"X"}}]}`
	if got := string(outcome.json()); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
