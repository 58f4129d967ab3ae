package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"mcpgate/config"
)

// Whoever reads a log by a program has to know the unit; a person reads it with the number.
func TestLogSaysTheUnitOfADuration(t *testing.T) {
	var out bytes.Buffer
	term := &terminal{stderr: &out}
	cfg := &config.Config{}
	cfg.Telemetry.Log.Format = "json"
	term.logger(cfg).With("waited", 2*time.Second).Info("call", "duration", 12345*time.Microsecond)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["duration_ms"] != 12.345 || line["waited_ms"] != 2000.0 || line["duration"] != nil {
		t.Errorf("%s", &out)
	}
	out.Reset()
	cfg.Telemetry.Log.Format = "text"
	term.logger(cfg).Info("call", "duration", 12345*time.Microsecond)
	if !strings.Contains(out.String(), "duration=12.345ms") {
		t.Errorf("%s", &out)
	}
}
