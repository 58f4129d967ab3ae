package integration

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pixel is a PNG of one red pixel.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="

// silence is a WAV file of no samples.
var silence = append([]byte("RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"),
	"\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00"...)

// suiteUpstream answers what the conformance suite's tools have to return.
func suiteUpstream() http.Handler {
	mux := http.NewServeMux()
	send := func(path, contentType string, body []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(body)
		})
	}
	png, _ := base64.StdEncoding.DecodeString(pixel)
	send("/text", "text/plain; charset=utf-8", []byte("This is a simple text response for testing."))
	send("/image", "image/png", png)
	send("/audio", "audio/wav", silence)
	send("/document", "application/pdf", []byte("%PDF-1.4\n%%EOF\n"))
	mux.HandleFunc("GET /error", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = w.Write([]byte(`{"message": "This tool intentionally returns an error for testing"}`))
	})
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(4500 * time.Millisecond):
			_, _ = w.Write([]byte("done"))
		}
	})
	return mux
}

// TestConformance runs the server scenarios of both requirement sets. The expected-failures files name the scenarios
// that a gateway of tools can't have, each with its reason; the suite fails where one of them passes after all.
func TestConformance(t *testing.T) {
	upstream := httptest.NewServer(suiteUpstream())
	defer upstream.Close()
	folder := filepath.Join("testdata", "conformance")
	for _, revision := range []string{"2025-11-25", "2026-07-28"} {
		t.Run(revision, func(t *testing.T) {
			endpoint := serveFile(t, filepath.Join(folder, "gateway.yaml"), "CONFORMANCE_UPSTREAM="+upstream.URL)
			expected, err := filepath.Abs(filepath.Join(folder, "expected-failures-"+revision+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
			defer cancel()
			suite := filepath.Join(modules, "@modelcontextprotocol", "conformance", "dist", "index.js")
			cmd := exec.CommandContext(ctx, node, suite, "server", "--url", endpoint, "--requirements", revision,
				"--expected-failures", expected, "--output-dir", t.TempDir())
			cmd.Env = append(os.Environ(), "NO_COLOR=1")
			out, err := cmd.CombinedOutput()
			fmt.Printf("conformance %s:\n%s\n", revision, summary(string(out)))
			if err != nil {
				t.Fatalf("conformance %s: %v\n%s", revision, err, tail(string(out), 12000))
			}
		})
	}
}

// summary is the part of the suite's output from its summary on.
func summary(out string) string {
	if i := strings.LastIndex(out, "=== SUMMARY"); i >= 0 {
		return out[i:]
	}
	return tail(out, 1500)
}
