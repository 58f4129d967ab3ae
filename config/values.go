package config

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a time span, written 500ms, 30s, 1h, or 30d (d is 24 hours).
type Duration time.Duration

// String writes the duration as gateway.yaml would.
func (d Duration) String() string { return time.Duration(d).String() }

// Size is a number of bytes, written 512KiB, 4MiB, 1GiB, 10MB, or a plain number.
type Size int64

// Rate is a number of events per time, written 20/s, 1000/m, or 5000/h.
type Rate struct {
	Events int
	Per    time.Duration
}

// PerSecond is the rate as events per second; 0 means no limit.
func (r Rate) PerSecond() float64 {
	if r.Per == 0 {
		return 0
	}
	return float64(r.Events) / r.Per.Seconds()
}

// Strings is a list of strings that may be written as one plain string.
type Strings []string

// Later stands for a key whose feature is not built yet: the schema knows it, and using it is a problem that says so.
type Later struct{}

// notationError says what a text is not, and how such a value is written.
type notationError struct{ kind, hint string }

func (e *notationError) Error() string { return "not " + e.kind }

var (
	errDuration error = &notationError{"a duration", "write it like 500ms, 30s, 5m, 1h or 30d"}
	errSize     error = &notationError{"a size", "write it like 512KiB, 4MiB, 10MB or a plain number of bytes"}
	errRate     error = &notationError{"a rate", "write it like 20/s, 1000/m or 5000/h"}
	errInteger  error = &notationError{"a whole number", ""}
	errNumber   error = &notationError{"a number", ""}
	errBoolean  error = &notationError{"true or false", ""}
)

var durationPattern = regexp.MustCompile(`^(?:(\d{1,6})d)?((?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))*)$`)

// parseDuration reads a duration; days may stand before what Go's own notation has.
func parseDuration(text string) (Duration, error) {
	parts := durationPattern.FindStringSubmatch(text)
	if parts == nil || text == "" {
		return 0, errDuration
	}
	var total time.Duration
	if parts[2] != "" {
		rest, err := time.ParseDuration(parts[2])
		if err != nil {
			return 0, errDuration
		}
		total = rest
	}
	if parts[1] != "" {
		days, err := strconv.Atoi(parts[1])
		if err != nil || time.Duration(days) > (math.MaxInt64-total)/(24*time.Hour) {
			return 0, errDuration
		}
		total += time.Duration(days) * 24 * time.Hour
	}
	return Duration(total), nil
}

var sizePattern = regexp.MustCompile(`^(\d+) ?([kKmMgG]i?[bB]|[bB])?$`)

var sizeUnits = map[string]int64{
	"": 1, "b": 1,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
	"kb": 1e3, "mb": 1e6, "gb": 1e9,
}

// parseSize reads a number of bytes.
func parseSize(text string) (Size, error) {
	parts := sizePattern.FindStringSubmatch(text)
	if parts == nil {
		return 0, errSize
	}
	number, err := strconv.ParseInt(parts[1], 10, 64)
	unit := sizeUnits[strings.ToLower(parts[2])]
	if err != nil || number > math.MaxInt64/unit {
		return 0, errSize
	}
	return Size(number * unit), nil
}

var rateUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

// parseRate reads a number of events per second, minute, hour or day.
func parseRate(text string) (Rate, error) {
	events, unit, _ := strings.Cut(text, "/")
	number, err := strconv.Atoi(strings.TrimSpace(events))
	per, ok := rateUnits[strings.TrimSpace(unit)]
	if err != nil || !ok || number < 1 {
		return Rate{}, errRate
	}
	return Rate{Events: number, Per: per}, nil
}

var booleans = map[string]bool{
	"true": true, "yes": true, "on": true, "1": true,
	"false": false, "no": false, "off": false, "0": false,
}

// parseBoolean reads true and false, and the other words that people put into environment variables.
func parseBoolean(text string) (bool, error) {
	value, ok := booleans[strings.ToLower(text)]
	if !ok {
		return false, errBoolean
	}
	return value, nil
}

// parseInteger reads a whole number in decimal.
func parseInteger(text string) (int, error) {
	value, err := strconv.Atoi(text)
	if err != nil {
		return 0, errInteger
	}
	return value, nil
}

// parseNumber reads a finite number.
func parseNumber(text string) (float64, error) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(value, 0) || math.IsNaN(value) {
		return 0, errNumber
	}
	return value, nil
}
