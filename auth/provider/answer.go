package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	maxToken = 64 << 10 // bytes of an access or refresh token
	maxKept  = 2 << 10  // bytes of a kept field
	maxLife  = 10 * 365 * 24 * time.Hour
)

// answer is a token endpoint's answer as it came: the fields of a JSON object, or of a form as GitHub sends it.
type answer map[string]any

// readAnswer reads a body as what it is. Numbers stay json.Number, so that ids beyond 2^53 survive.
func readAnswer(contentType string, body []byte) (answer, error) {
	media, _, _ := mime.ParseMediaType(contentType) // what can't be read is no media type, and the body decides
	trimmed := bytes.TrimSpace(body)
	switch {
	case media == "text/html":
		return nil, errors.New("the answer is a page, not JSON")
	case bytes.HasPrefix(trimmed, []byte("{")):
		return readObject(trimmed)
	case media == "application/x-www-form-urlencoded", media == "text/plain":
		values, err := url.ParseQuery(string(trimmed))
		if err != nil {
			return nil, errors.New("the answer is no form")
		}
		fields := answer{}
		for name := range values {
			fields[name] = values.Get(name)
		}
		return fields, nil
	default:
		return nil, errors.New("the answer is not a JSON object")
	}
}

func readObject(body []byte) (answer, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var fields answer
	if err := decoder.Decode(&fields); err != nil || fields == nil {
		return nil, errors.New("the answer is no JSON object") // json's errors may quote the body
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the answer goes on after its JSON object")
	}
	return fields, nil
}

func (a answer) text(name string) string {
	text, _ := a[name].(string)
	return text
}

// tokens takes out what RFC 6749 section 5.1 names. Times count from now.
func (a answer) tokens(now time.Time) (Tokens, error) {
	t := Tokens{AccessToken: a.text("access_token"), TokenType: a.text("token_type"), RefreshToken: a.text("refresh_token"), Obtained: now}
	if t.AccessToken == "" {
		return Tokens{}, errors.New("the answer has no access_token")
	}
	for name, token := range map[string]string{"access_token": t.AccessToken, "refresh_token": t.RefreshToken} {
		if !visible(token) || len(token) > maxToken {
			return Tokens{}, fmt.Errorf("the answer's %s has characters that no token has, or too many", name)
		}
	}
	if t.TokenType != "" && !strings.EqualFold(t.TokenType, "Bearer") {
		return Tokens{}, errors.New("the answer's token_type is not Bearer, which is all that the gateway can use")
	}
	if life, ok := a.seconds("expires_in"); ok && life > 0 {
		t.Expires = now.Add(life)
	}
	for _, name := range []string{"refresh_expires_in", "refresh_token_expires_in"} { // Keycloak's and GitHub's name
		if life, ok := a.seconds(name); ok && life > 0 {
			t.RefreshExpires = now.Add(life)
		}
	}
	t.Scopes = a.scopes()
	return t, nil
}

// seconds reads a number, or a string that holds one, as NetSuite and others write it.
func (a answer) seconds(name string) (time.Duration, bool) {
	var text string
	switch value := a[name].(type) {
	case json.Number:
		text = value.String()
	case string:
		text = strings.TrimSpace(value)
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) {
		return 0, false
	}
	return time.Duration(max(-1, min(n, maxLife.Seconds())) * float64(time.Second)), true
}

// scopes are what was granted: nil where the answer does not say, empty where it says none. They are separated by spaces
// (RFC 6749 section 3.3), by commas at GitHub, or a list.
func (a answer) scopes() []string {
	switch value := a["scope"].(type) {
	case string:
		separator := unicode.IsSpace
		if !strings.ContainsFunc(value, unicode.IsSpace) {
			separator = func(r rune) bool { return r == ',' }
		}
		return append([]string{}, strings.FieldsFunc(value, separator)...)
	case []any:
		list := []string{}
		for _, entry := range value {
			if scope, ok := entry.(string); ok {
				list = append(list, scope)
			}
		}
		return list
	default:
		return nil
	}
}

// visible reports whether text has only the characters of RFC 6749 appendix A: nothing that could break out of a header.
func visible(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

// lookup finds a field by its name, or by a dotted one below it. It looks into a JWT too, whose signature is of no matter
// where the provider itself handed it over (OpenID Connect Core section 3.1.3.7, 6): access_token.sub, say.
func lookup(fields map[string]any, name string) (any, bool) {
	if value, ok := fields[name]; ok {
		return value, value != nil
	}
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		switch below := fields[name[:i]].(type) {
		case map[string]any:
			if value, ok := lookup(below, name[i+1:]); ok {
				return value, true
			}
		case string:
			if value, ok := lookup(payload(below), name[i+1:]); ok {
				return value, true
			}
		}
	}
	return nil, false
}

// scalar writes a text, a number or a truth value out. ok is false for anything else.
func scalar(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	default:
		return "", false
	}
}

// keep takes the fields that config.Provider.Keep names: of the token answer, else of the callback, which the person's
// browser brought and could have changed, else what was kept before. bad are those whose new value is not fit to be kept.
func keep(names []string, fields answer, callback url.Values, before map[string]string) (kept map[string]string, bad []string) {
	for _, name := range names {
		value, ok := lookup(fields, name)
		text, isScalar := scalar(value)
		if !ok {
			text, ok, isScalar = callback.Get(name), callback.Has(name), true
		}
		if ok && (!isScalar || len(text) > maxKept || strings.ContainsFunc(text, unicode.IsControl)) {
			bad, ok = append(bad, name), false
		}
		if !ok {
			text, ok = before[name]
		}
		if ok {
			if kept == nil {
				kept = make(map[string]string, len(names))
			}
			kept[name] = text
		}
	}
	slices.Sort(bad)
	return kept, bad
}
