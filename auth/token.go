package auth

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Errors of Token and Bearer.
var (
	// ErrTokenInQuery is a token in the URL, where logs and histories keep it (RFC 6750 section 2.3 lets a server refuse).
	ErrTokenInQuery = errors.New("a token in the URL is not taken: send it as `Authorization: Bearer TOKEN`")
	// ErrSeveralTokens is a request that shows more than one (RFC 6750 section 2).
	ErrSeveralTokens = errors.New("the request shows more than one token")
)

var tokenParameters = []string{"access_token", "api_key", "apikey", "api-key", "x-api-key", "token", "key"}

// Token returns the key that a request shows as `Authorization: Bearer TOKEN` (RFC 6750) or `X-API-Key: TOKEN`, or ""
// where it shows none: for auth.mode api_key.
func Token(r *http.Request) (string, error) {
	tokens, err := bearers(r)
	if err != nil {
		return "", err
	}
	return only(append(tokens, r.Header.Values("X-API-Key")...))
}

// Bearer returns the token that a request shows as `Authorization: Bearer TOKEN` (RFC 6750), or "" where it shows none: for
// access tokens, which have no other place. An X-API-Key beside it is meant for somebody else.
func Bearer(r *http.Request) (string, error) {
	tokens, err := bearers(r)
	if err != nil {
		return "", err
	}
	return only(tokens)
}

func bearers(r *http.Request) (tokens []string, err error) {
	for name := range r.URL.Query() {
		if slices.Contains(tokenParameters, strings.ToLower(name)) {
			return nil, ErrTokenInQuery
		}
	}
	for _, value := range r.Header.Values("Authorization") {
		scheme, token, _ := strings.Cut(value, " ")
		if strings.EqualFold(scheme, "Bearer") {
			tokens = append(tokens, strings.TrimSpace(token))
		}
	}
	return tokens, nil
}

func only(tokens []string) (string, error) {
	switch len(tokens) {
	case 0:
		return "", nil
	case 1:
		return tokens[0], nil
	default:
		return "", ErrSeveralTokens
	}
}
