package mapping

import (
	"regexp"
	"strings"
)

// masked stands where a secret was.
const masked = "[secret]"

// secretPatterns find what must not reach a model or a log, and say what stays of it. A word after "password:" is only
// masked where it looks like a value: "password: must be longer" is what the model has to read.
var secretPatterns = []struct {
	find *regexp.Regexp
	keep string
}{
	{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`), masked},
	{regexp.MustCompile(`(?i)\b(bearer|basic|negotiate)(\s+)[A-Za-z0-9._~+/-]{8,}=*`), "$1$2" + masked},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(\.[A-Za-z0-9_-]*)?`), masked},
	{regexp.MustCompile(`\b(sk|pk|rk)[_-](live|test|proj|ant)[_-][A-Za-z0-9_-]{8,}`), masked},
	{regexp.MustCompile(`\b(gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|AKIA|AIza|ya29\.)[A-Za-z0-9_.-]{8,}`), masked},
	{regexp.MustCompile(`(://)[^/\s:@]*:[^/\s@]+@`), "$1" + masked + "@"},
	{regexp.MustCompile(`(?i)("` + secretNames + `"\s*:\s*)"(?:[^"\\]|\\.)*"?`), `$1"` + masked + `"`},
	{regexp.MustCompile(`(?i)(\b` + secretNames + `=)("[^"]*"|'[^']*'|[^\s&"',;<>]+)`), "$1" + masked},
	{regexp.MustCompile(`(?i)(\b` + secretNames + `["']?\s*:\s*["']?)[^\s&"',;<>]*[0-9][^\s&"',;<>]*`), "$1" + masked},
}

// secretNames are the names that secrets go by.
const secretNames = `(?:[a-z0-9]+[_-])*(?:token|secret|password|passwd|pwd|passphrase|api_?-?key|apikey|authorization|` +
	`assertion|signature|sig|session_?id|sid|private_?key|access_?key|credential)`

// maskSecrets replaces what looks like a secret in a text of an upstream: bearer tokens, JSON web tokens, keys with a
// known beginning, private keys, passwords in URLs, and values of names such as access_token; and the known ones.
func maskSecrets(text string, known ...string) string {
	for _, secret := range known {
		if len(secret) >= 4 { // a shorter one would blacken words
			text = strings.ReplaceAll(text, secret, masked)
		}
	}
	for _, pattern := range secretPatterns {
		text = pattern.find.ReplaceAllString(text, pattern.keep)
	}
	return text
}
