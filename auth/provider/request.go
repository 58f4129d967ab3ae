package provider

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

// Ways to prove who the gateway is (RFC 6749 section 2.3, OpenID Connect Core section 9).
const (
	methodBasic     = "client_secret_basic"
	methodPost      = "client_secret_post"
	methodAssertion = "private_key_jwt"
	methodNone      = "none"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// askTokens sends one token request, once. x/oauth2 does the same with less: its refresh knows neither scope nor parameters,
// nothing signs an assertion, and it follows redirects with the form. What net/http repeats by itself is only what was never
// written, so that no code and no rotating refresh token goes out twice.
//
// The error is an *Error where the endpoint answered with one.
func (p *Provider) askTokens(ctx context.Context, form url.Values, params ...map[string]string) (answer, error) {
	endpoint, err := p.tokenEndpoint()
	if err != nil {
		return nil, err
	}
	for _, more := range params {
		for name, value := range more {
			if !form.Has(name) { // what the protocol needs is not overwritten
				form.Set(name, value)
			}
		}
	}
	body, resp, err := p.post(ctx, endpoint, form)
	if err != nil {
		return nil, err
	}
	fields, err := readAnswer(resp.Header.Get("Content-Type"), body)
	good := resp.StatusCode >= 200 && resp.StatusCode <= 299
	said := fields.text("error")
	if good && err == nil && said == "" {
		return fields, nil
	}
	description := fields.text("error_description")
	if err != nil {
		description = err.Error()
	}
	failure := newError("token", resp.StatusCode, said, description, secretsOf(form, p.cfg.ClientSecret.Reveal()))
	failure.RetryAfter = retryAfter(resp.Header, p.now())
	p.log.LogAttrs(ctx, slog.LevelWarn, "the provider refused a token request", slog.String("grant_type", form.Get("grant_type")),
		slog.Int("status", failure.Status), slog.String("code", failure.Code), slog.String("description", failure.Description))
	return nil, failure
}

// post sends a form with the gateway's proof of itself, and reads the answer.
func (p *Provider) post(ctx context.Context, endpoint string, form url.Values) ([]byte, *http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}
	if err := p.authenticate(header, form); err != nil {
		return nil, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, err
	}
	r.Header = header
	return p.do(r)
}

// do sends a request and reads its answer, of at most maxAnswer bytes. The error does not repeat the URL.
func (p *Provider) do(r *http.Request) ([]byte, *http.Response, error) {
	resp, err := p.client.Do(r)
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, err
	}
	return body, resp, nil
}

func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// authenticate puts the gateway's proof on a request, in the one way that gateway.yaml says.
func (p *Provider) authenticate(header http.Header, form url.Values) error {
	id, secret := p.cfg.ClientID, p.cfg.ClientSecret.Reveal()
	switch p.method {
	case methodBasic:
		// Both are form-urlencoded before they are joined by a colon (RFC 6749 section 2.3.1), for they may hold one.
		r := http.Request{Header: header}
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
		return nil
	case methodPost:
		form.Set("client_secret", secret)
	case methodAssertion:
		audience := p.cfg.PrivateKey.Audience
		if audience == "" { // the token endpoint, at every endpoint (RFC 7523 section 3)
			endpoint, err := p.tokenEndpoint()
			if err != nil {
				return err
			}
			audience = endpoint
		}
		assertion, err := p.key.assertion(id, audience, p.now())
		if err != nil {
			return err
		}
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", assertion)
	}
	form.Set("client_id", id)
	return nil
}

// secretsOf are the values of a token request that nobody may read in a log.
func secretsOf(form url.Values, more ...string) []string {
	for _, name := range []string{"code", "code_verifier", "refresh_token", "client_secret", "client_assertion", "token"} {
		more = append(more, form.Get(name))
	}
	return more
}
