package config

import (
	"math"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond,
		"30s":   30 * time.Second,
		"1.5h":  90 * time.Minute,
		"1h30m": 90 * time.Minute,
		"30d":   720 * time.Hour,
		"1d12h": 36 * time.Hour,
		"0s":    0,
	} {
		if got, err := parseDuration(text); err != nil || time.Duration(got) != want {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "30", "5 sec", "-5s", "1w", "s", "d", "12h1d", "999999d999999d", "99999999999h", "999999d", "1e3s", " 5s"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]Size{
		"0": 0, "512": 512, "1B": 1, "512KiB": 512 << 10, "4MiB": 4 << 20, "1GiB": 1 << 30, "10MB": 10_000_000, "10 kb": 10_000, "4mib": 4 << 20,
	} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "4M", "4 apples", "-1", "1.5MiB", "9223372036854775807KiB", "99999999999999999999"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
	if got, err := parseSize("9223372036854775807"); err != nil || got != math.MaxInt64 {
		t.Errorf("the largest size is %v, %v", got, err)
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]float64{"20/s": 20, "60/m": 1, "7200/h": 2, "86400/d": 1, "1 / s": 1} {
		if got, err := parseRate(text); err != nil || got.PerSecond() != want {
			t.Errorf("%q is %v, %v; want %v per second", text, got, err, want)
		}
	}
	for _, text := range []string{"", "20", "20/", "/s", "0/s", "-1/s", "1.5/s", "20/sec", "20/s/s"} {
		if got, err := parseRate(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
	if (Rate{}).PerSecond() != 0 {
		t.Error("no rate is no limit")
	}
}

func TestParseBooleanAndNumber(t *testing.T) {
	for text, want := range map[string]bool{"true": true, "TRUE": true, "yes": true, "on": true, "1": true, "false": false, "No": false, "off": false, "0": false} {
		if got, err := parseBoolean(text); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "maybe", "2", "y"} {
		if _, err := parseBoolean(text); err == nil {
			t.Errorf("%q is taken for a boolean", text)
		}
	}
	for _, text := range []string{"NaN", "Inf", "-inf", "1e999", "", "x"} {
		if _, err := parseNumber(text); err == nil {
			t.Errorf("%q is taken for a number", text)
		}
	}
}

func TestJSONNumber(t *testing.T) {
	for text, want := range map[string]string{
		"12345678901234567890": "12345678901234567890",
		"0x1F":                 "31",
		"0o17":                 "15",
		"1_000":                "1000",
		"+5":                   "5",
		"-7":                   "-7",
		".5":                   "0.5",
		"1e3":                  "1e3",
		"3.10":                 "3.10",
	} {
		if got, ok := jsonNumber(text); !ok || got.String() != want {
			t.Errorf("%s is %s, %v; want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{".inf", ".nan", "-.inf", "1__x"} {
		if got, ok := jsonNumber(text); ok {
			t.Errorf("%s is taken for %s", text, got)
		}
	}
}
