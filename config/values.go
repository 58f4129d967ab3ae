package config

import "time"

// Duration is a time span, written 500ms, 30s, 1h, or 30d (d is 24 hours).
type Duration time.Duration

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
