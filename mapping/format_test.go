package mapping

import "testing"

func TestFormats(t *testing.T) {
	for _, test := range []struct {
		format, text string
		want         bool
	}{
		{"date", "2026-02-28", true}, {"date", "2026-02-30", false}, {"date", "28.2.2026", false},
		{"date-time", "2026-02-28T09:30:00Z", true}, {"date-time", "2026-02-28T09:30:00.000+0000", true},
		{"date-time", "2026-02-28 09:30", true}, {"date-time", "2026-02-28", false}, {"date-time", "2026-02-28T25:00:00Z", false},
		{"email", "ada@example.com", true}, {"email", "Ada <ada@example.com>", false}, {"email", "ada", false},
		{"uuid", "123e4567-e89b-12d3-a456-426614174000", true}, {"uuid", "123e4567", false},
		{"uri", "https://example.com/{id}?q=%", true}, {"uri", "urn:isbn:1", true}, {"uri", "example.com", false},
		{"ipv4", "192.0.2.1", true}, {"ipv4", "192.0.2.256", false}, {"ipv4", "::1", false},
		{"ipv6", "2001:db8::1", true}, {"ipv6", "192.0.2.1", false},
	} {
		if got := formats[test.format].fits(test.text); got != test.want {
			t.Errorf("%s %q: %v", test.format, test.text, got)
		}
	}
}
