package mapping

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// formats are those that are checked before a request is sent, each with what a text has to be. They are the ones on which
// servers agree; an empty text passes, since it is how many APIs clear a field.
var formats = map[string]struct {
	wanted string
	fits   func(string) bool
}{
	"date":      {"a date such as 2026-01-31", isDate},
	"date-time": {"a date and time such as 2026-01-31T09:30:00Z", isDateTime},
	"email":     {"an e-mail address such as ada@example.com", isEmail},
	"uuid":      {"a UUID such as 123e4567-e89b-12d3-a456-426614174000", uuid.MatchString},
	"uri":       {"a whole URI such as https://example.com/a", isURI},
	"ipv4":      {"an IPv4 address such as 192.0.2.1", func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is4() }},
	"ipv6":      {"an IPv6 address such as 2001:db8::1", func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is6() }},
}

// unchecked are formats that the validator knows and that mean different things to different servers.
var unchecked = []string{"json-pointer", "relative-json-pointer", "duration", "period", "hostname", "time", "iri",
	"uri-reference", "iri-reference", "uri-template", "semver"}

// assertFormats lets a compiler check formats.
func assertFormats(compiler *jsonschema.Compiler) {
	compiler.AssertFormat()
	for name, format := range formats {
		compiler.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(value any) error {
			if text, ok := value.(string); ok && text != "" && !format.fits(text) {
				return errors.New("not " + format.wanted)
			}
			return nil
		}})
	}
	for _, name := range unchecked {
		compiler.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(any) error { return nil }})
	}
}

var (
	uuid     = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	dateTime = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):[0-5]\d`)
)

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// isDateTime takes what RFC 3339 does, and zones written otherwise or not at all: Salesforce wants +0000.
func isDateTime(s string) bool {
	match := dateTime.FindStringSubmatch(s)
	return match != nil && isDate(match[1])
}

func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1 && !strings.ContainsAny(s, " \t\r\n")
}

func isURI(s string) bool {
	u, err := url.Parse(s)
	return err != nil && strings.Contains(s, "://") || err == nil && u.IsAbs()
}
