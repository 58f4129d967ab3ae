package gateway

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"runtime"
	"testing"
	"time"

	"mcpgate/internal/fault"
)

// An answer that is small on the wire and 200 MiB of JSON behind it ends at the tool's limit, and is never held whole.
func TestABombIsTooLarge(t *testing.T) {
	var bomb bytes.Buffer
	packed := gzip.NewWriter(&bomb)
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	_, _ = packed.Write([]byte(`{"a":"`))
	for range 200 {
		_, _ = packed.Write(chunk)
	}
	_, _ = packed.Write([]byte(`"}`))
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	g := newGateway(t, setup{upstream: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	outcome := g.Call(t.Context(), "getPet", []byte(`{"id":1}`))
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if outcome.code() != fault.TooLarge {
		t.Errorf("%s", outcome.json())
	}
	if held := (after.TotalAlloc - before.TotalAlloc) >> 20; held > 100 || took > patience {
		t.Errorf("%d MiB in %v", held, took)
	}
}
