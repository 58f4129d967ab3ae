package gateway

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// With the log at debug every request has its line, without its query, and streams still stream.
func TestRequestLog(t *testing.T) {
	var log syncBuffer
	_, server := serve(t, setup{options: Options{Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}})
	call := strings.Replace(callGetPet, `"arguments"`, `"_meta":{"progressToken":"p"},"arguments"`, 1)
	if got := post(t, server, call); got.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("no stream: %v", got.header)
	}
	do(t, http.MethodGet, server.URL+"/nope?access_token=secret", "")
	server.Close() // the lines are written when the requests have ended

	var statuses []float64
	for line := range strings.Lines(log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry["msg"] == "served" {
			statuses = append(statuses, entry["status"].(float64))
		}
	}
	if len(statuses) != 2 || statuses[0] != 200 || statuses[1] != 404 {
		t.Errorf("statuses: %v", statuses)
	}
	if strings.Contains(log.String(), "secret") {
		t.Errorf("the query is in the log: %s", log.String())
	}
}
