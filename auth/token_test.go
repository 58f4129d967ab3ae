package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestToken(t *testing.T) {
	tests := []struct {
		name   string
		target string
		header http.Header
		want   string
		err    error
	}{
		{"none", "/mcp", nil, "", nil},
		{"bearer", "/mcp", http.Header{"Authorization": {"Bearer abc"}}, "abc", nil},
		{"the scheme has no case", "/mcp", http.Header{"Authorization": {"bearer  abc "}}, "abc", nil},
		{"another scheme", "/mcp", http.Header{"Authorization": {"Basic abc"}}, "", nil},
		{"a key", "/mcp", http.Header{"X-Api-Key": {"abc"}}, "abc", nil},
		{"both", "/mcp", http.Header{"X-Api-Key": {"abc"}, "Authorization": {"Bearer abc"}}, "", ErrSeveralTokens},
		{"two headers", "/mcp", http.Header{"Authorization": {"Bearer a", "Bearer b"}}, "", ErrSeveralTokens},
		{"in the query", "/mcp?access_token=abc", nil, "", ErrTokenInQuery},
		{"in the query too", "/mcp?Api_Key=abc", http.Header{"Authorization": {"Bearer abc"}}, "", ErrTokenInQuery},
		{"another parameter", "/messages?sessionId=abc", http.Header{"Authorization": {"Bearer abc"}}, "abc", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, tt.target, nil)
			for name, values := range tt.header {
				r.Header[name] = values
			}
			got, err := Token(r)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestBearerIsTheOnlyPlaceOfAnAccessToken(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/mcp", nil)
	r.Header.Set("X-API-Key", "abc")
	if got, err := Bearer(r); got != "" || err != nil {
		t.Errorf("X-API-Key alone: %q, %v", got, err)
	}
	r.Header.Set("Authorization", "Bearer def")
	if got, err := Bearer(r); got != "def" || err != nil {
		t.Errorf("both: %q, %v", got, err)
	}
	r.Header.Add("Authorization", "Bearer ghi")
	if got, err := Bearer(r); got != "" || !errors.Is(err, ErrSeveralTokens) {
		t.Errorf("two: %q, %v", got, err)
	}
	if _, err := Bearer(httptest.NewRequest(http.MethodPost, "/mcp?access_token=abc", nil)); !errors.Is(err, ErrTokenInQuery) {
		t.Errorf("in the query: %v", err)
	}
}
