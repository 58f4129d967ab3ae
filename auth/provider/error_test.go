package provider

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"mcpgate/internal/fakeidp"
)

func TestMasked(t *testing.T) {
	for text, want := range map[string]string{
		"Client secret s3cret/+ is wrong":                            "Client secret [secret] is wrong",
		"got s3cret%2F%2B":                                           "got [secret]",
		"token eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.":                 "token [secret]",
		"refresh token 0.AXoAq1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9": "refresh token 0.[secret]",
		"AADSTS70008: The provided authorization code has expired. Trace ID: 1b4e28ba-2fa1-11d2-883f-0016d3cca427": "AADSTS70008: The provided authorization code has expired. Trace ID: 1b4e28ba-2fa1-11d2-883f-0016d3cca427",
		"two\r\nlines\x1b[31m\tand \u202ea turn": "two lines [31m and a turn",
		"\xff\xfebad":                            "bad",
	} {
		if got := masked(text, []string{"s3cret/+", "", "is"}); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	long := masked(strings.Repeat("ä ", 500000), nil)
	if utf8.RuneCountInString(long) != maxDescription || !strings.HasSuffix(long, "…") {
		t.Errorf("%d characters", utf8.RuneCountInString(long))
	}
}

func TestErrorCode(t *testing.T) {
	for text, want := range map[string]string{
		"invalid_grant": "invalid_grant", "": "", "a b": "", "a\nb": "", "<b>": "", strings.Repeat("a", 65): "", "AADSTS1.2-3": "AADSTS1.2-3",
	} {
		if got := errorCode(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "1.5": 1500 * time.Millisecond, "-1": 0, "NaN": 0, "Inf": time.Hour, "soon": 0,
		"Sun, 01 Mar 2026 12:00:30 GMT": 30 * time.Second, "Sun, 01 Mar 2026 11:00:00 GMT": 0, "Sun, 01 Mar 2027 12:00:00 GMT": time.Hour,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// A provider may repeat in its answer what it was sent.
func TestWhatAnAnswerRepeatsIsNotLogged(t *testing.T) {
	l := newLab(t, fakeidp.Options{}, nil)
	tokens, _ := l.login()
	back := l.browse()
	said := tokens.RefreshToken + " " + back.Query.Get("code") + " " + verifier
	l.idp.Fail("token", fakeidp.Failure{Status: 400, ContentType: "application/json", Body: `{"error":"invalid_request","error_description":"` + said + `"}`})
	if _, err := l.Refresh(t.Context(), tokens); strings.Contains(cause(err), tokens.RefreshToken) {
		t.Errorf("%s", cause(err))
	}
	if _, _, err := l.Exchange(t.Context(), back); strings.Contains(cause(err), back.Query.Get("code")) || strings.Contains(cause(err), verifier) {
		t.Errorf("%s", cause(err))
	}
	if !strings.Contains(l.log.String(), "[secret]") {
		t.Errorf("nothing was masked: %s", l.log)
	}
}
