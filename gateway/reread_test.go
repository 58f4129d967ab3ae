package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ledger is an API that writes without a word, as NetSuite does.
type ledger struct {
	mu     sync.Mutex
	asked  []string
	broken bool // reading fails
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, req.Method+" "+req.URL.Path)
	switch {
	case req.Method == http.MethodPost:
		w.Header().Set("Location", "http://"+req.Host+"/record/v1/customer/42")
		w.WriteHeader(http.StatusNoContent)
	case req.Method == http.MethodGet && l.broken:
		http.Error(w, `{"title":"no such role"}`, http.StatusForbidden)
	case req.Method == http.MethodGet:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"`+req.URL.Path[len("/record/v1/customer/"):]+`","balance":9007199254740993}`)
	default: // PATCH, and PUT by an id of the caller's own, of which nothing is told
		w.WriteHeader(http.StatusNoContent)
	}
}

// A record that was written is read with one request more, whose failure does not hide that it was written.
func TestReread(t *testing.T) {
	const records = `records: {customer: {path: /record/v1/customer, operations: [create, update, upsert], fetch: true, upsert: "PUT /record/v1/customer/eid:{own}"}}`
	tests := []struct {
		tool, arguments string
		broken          bool
		want            string
		asked           []string
	}{
		{"create_customer", `{"body":{"name":"A"}}`, false, `{"id":"42","balance":9007199254740993}`,
			[]string{"POST /record/v1/customer", "GET /record/v1/customer/42"}},
		{"update_customer", `{"id":"7","body":{"name":"A"}}`, false, `{"id":"7","balance":9007199254740993}`,
			[]string{"PATCH /record/v1/customer/7", "GET /record/v1/customer/7"}},
		{"upsert_customer", `{"own":"7","body":{"name":"A"}}`, false, `null`,
			[]string{"PUT /record/v1/customer/eid:7"}},
		{"update_customer", `{"id":"7","body":{"name":"A"}}`, true,
			`{"note":"The record was written. Reading it afterwards failed: up answered 403 Forbidden: no such role"}`,
			[]string{"PATCH /record/v1/customer/7", "GET /record/v1/customer/7"}},
	}
	for _, test := range tests {
		api := &ledger{broken: test.broken}
		outcome := newLab(t, api, records).call(test.tool, test.arguments)
		if !outcome.OK || outcome.StatusCode != http.StatusNoContent {
			t.Errorf("%s: %s", test.tool, asJSON(t, outcome))
		}
		data, err := json.Marshal(outcome.Data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, string(data)); diff != "" {
			t.Errorf("%s: %s", test.tool, diff)
		}
		if diff := cmp.Diff(test.asked, api.asked); diff != "" {
			t.Errorf("%s: %s", test.tool, diff)
		}
	}
}
