package mapping

import "testing"

func TestToUTF8(t *testing.T) {
	tests := []struct{ contentType, text, want string }{
		{"text/plain", "é", "é"},
		{"text/plain; charset=utf-8", "\xef\xbb\xbfé", "é"},
		{"text/plain; charset=ISO-8859-1", "\xe9\x80", "é€"},
		{"text/plain; charset=windows-1252", "\x93\xe9\x94", "“é”"},
		{"text/plain; charset=us-ascii", "é", "é"},
		{"text/plain; charset=us-ascii", "\xe9", "é"},
		{"text/plain; charset=iso-8859-2", "\xb3", "ł"},
		{"text/plain; charset=iso-8859-15", "\xa4", "€"},
		{"text/plain; charset=windows-1250", "\x9a", "š"},
		{"text/plain; charset=windows-1251", "\xe4\xe0", "да"},
		{"text/plain; charset=utf-16", "\xff\xfea\x00\xe9\x00", "aé"},
		{"text/plain; charset=utf-16le", "a\x00\xe9\x00", "aé"},
		{"text/plain; charset=utf-16be", "\x00a\x00\xe9", "aé"},
		{"text/csv", "\xff\xfea\x00\xe9\x00", "aé"},
		{"text/plain; charset=klingon", "a\xe9", "a\uFFFD"},
		{"not a media type;;", "a\xe9b", "a\uFFFDb"},
	}
	for _, test := range tests {
		if got := string(toUTF8([]byte(test.text), test.contentType)); got != test.want {
			t.Errorf("%s %q: got %q, want %q", test.contentType, test.text, got, test.want)
		}
	}
}
