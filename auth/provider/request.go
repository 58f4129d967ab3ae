package provider

import (
	"context"
	"errors"
	"fmt"
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
	got, err := p.post(ctx, "token", endpoint, form)
	if err != nil {
		return nil, err
	}
	fields, err := readAnswer(got.header.Get("Content-Type"), got.body)
	if got.ok() && err == nil && (fields["error"] == nil || fields["error"] == "") { // GitHub's errors have status 200
		return fields, nil
	}
	failure := p.newError("token", got, p.secretsOf(form))
	p.log.LogAttrs(ctx, slog.LevelWarn, "the provider refused a token request", slog.String("grant_type", form.Get("grant_type")),
		slog.Int("status", failure.Status), slog.String("code", failure.Code), slog.String("description", failure.Description))
	return nil, failure
}

// reply is an endpoint's answer, read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) ok() bool { return r.status >= 200 && r.status <= 299 }

// post sends a form with the gateway's proof of itself, and reads the answer. name says what the endpoint is.
func (p *Provider) post(ctx context.Context, name, endpoint string, form url.Values) (reply, error) {
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}
	if err := p.authenticate(header, form); err != nil {
		return reply{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return reply{}, err
	}
	r.Header = header
	return p.do(r, name)
}

// do sends a request and reads its answer: within requestTimeout, and of at most maxAnswer bytes. The error names the endpoint, without its URL.
func (p *Provider) do(r *http.Request, name string) (reply, error) {
	resp, err := p.client.Do(r)
	if err != nil {
		return reply{}, fmt.Errorf("%s endpoint: %w", name, withoutURL(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{}, fmt.Errorf("%s endpoint: %w", name, err)
	}
	return reply{resp.StatusCode, resp.Header, body}, nil
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
		scope := ""
		if form.Get("grant_type") == "client_credentials" {
			scope = form.Get("scope")
		}
		assertion, err := p.key.assertion(id, audience, scope, p.now())
		if err != nil {
			return err
		}
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", assertion)
	}
	if id != "" { // with an assertion as the grant there may be none: its issuer says who asks
		form.Set("client_id", id)
	}
	return nil
}

// secretsOf are the values of a request that nobody may read in a log, though an answer may repeat them.
func (p *Provider) secretsOf(form url.Values) []string {
	more := []string{p.cfg.ClientSecret.Reveal()}
	for _, name := range []string{"code", "code_verifier", "refresh_token", "client_secret", "client_assertion", "assertion", "token"} {
		more = append(more, form.Get(name))
	}
	return more
}
