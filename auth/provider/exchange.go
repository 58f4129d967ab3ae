package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"mcpgate/internal/fault"
)

// Callback is what the provider sent the browser back with, and what belongs to it. It prints as [callback].
type Callback struct {
	Query       url.Values // code, iss, and what Keep names
	Verifier    string
	Nonce       string
	RedirectURI string
	Resource    string
}

// Format prints [callback] for every verb (fmt.Formatter).
func (Callback) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[callback]") }

// LogValue is [callback] (slog.LogValuer).
func (Callback) LogValue() slog.Value { return slog.StringValue("[callback]") }

// Exchange redeems the code, once, and checks the id_token (issuer, audience, time, nonce, algorithm) and the iss of the callback. The
// error is a fault; an *Error is its cause where the provider answered.
func (p *Provider) Exchange(ctx context.Context, c Callback) (Tokens, Identity, error) {
	if err := p.judgeCallback(c.Query); err != nil {
		return Tokens{}, Identity{}, err
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {c.Query.Get("code")}, "redirect_uri": {c.RedirectURI}}
	if on(p.cfg.PKCE) {
		form.Set("code_verifier", c.Verifier)
	}
	if p.cfg.SendResource && c.Resource != "" {
		form.Set("resource", c.Resource)
	}
	fields, err := p.askTokens(ctx, form, p.cfg.TokenParams)
	if err != nil {
		return Tokens{}, Identity{}, p.exchangeFault(err)
	}
	tokens, bad, err := p.readTokens(fields, c.Query, Tokens{})
	if err != nil {
		return Tokens{}, Identity{}, p.strange(err)
	}
	if len(bad) > 0 {
		return Tokens{}, Identity{}, p.strange(fmt.Errorf("the fields %q can't be kept: each has to be text or a number of at most %d bytes, without control characters", bad, maxKept))
	}
	who, err := p.identify(ctx, fields, c.Nonce)
	if err != nil {
		return Tokens{}, Identity{}, err
	}
	return tokens, who, nil
}

// readTokens reads an answer, with what it leaves out from before.
func (p *Provider) readTokens(fields answer, callback url.Values, before Tokens) (t Tokens, bad []string, err error) {
	if t, err = fields.tokens(p.now()); err != nil {
		return Tokens{}, nil, err
	}
	if t.Expires.IsZero() && p.cfg.TokenLifetime > 0 {
		t.Expires = t.Obtained.Add(time.Duration(p.cfg.TokenLifetime))
	}
	if t.RefreshToken == "" {
		t.RefreshToken = before.RefreshToken
	}
	if t.RefreshToken == before.RefreshToken && t.RefreshExpires.IsZero() && !fields.says("refresh_expires_in") {
		t.RefreshExpires = before.RefreshExpires // the same token ends when it did before
	}
	if t.Scopes == nil {
		t.Scopes = before.Scopes
	}
	t.Kept, bad = keep(p.cfg.Keep, fields, callback, before.Kept)
	return t, bad, nil
}

// judgeCallback decides whether there is a code to redeem, from this provider.
func (p *Provider) judgeCallback(query url.Values) error {
	for _, name := range []string{"code", "error", "iss", "state"} {
		if len(query[name]) > 1 {
			return p.strange(fmt.Errorf("the callback has %s twice", name))
		}
	}
	if err := p.judgeIss(query); err != nil {
		return fault.New(fault.TokenInvalid, "the answer to the login at "+p.Name+" is somebody else's; begin the login again", err)
	}
	if query.Has("error") {
		return p.callbackFault(&Error{Endpoint: "authorization", Code: errorCode(query.Get("error")),
			Description: masked(query.Get("error_description"), []string{query.Get("state")})})
	}
	if query.Get("code") == "" {
		return p.strange(errors.New("the callback has neither a code nor an error"))
	}
	return nil
}

// judgeIss compares the iss of the callback with the issuer (RFC 9207 section 2.4), against providers that pass their codes off
// as another's. Where the metadata promises it, it has to be there.
func (p *Provider) judgeIss(query url.Values) error {
	found := p.metadata.Load()
	if found == nil { // by hand: no issuer to compare with
		return nil
	}
	iss := query.Get("iss")
	switch {
	case !query.Has("iss") && found.IssParameter:
		return errors.New("the callback has no iss, though the metadata promises it")
	case query.Has("iss") && iss != found.Issuer && !issuerTemplate(found.Issuer).matches(iss):
		return fmt.Errorf("the callback's iss is %q, not the issuer", masked(iss, nil))
	}
	return nil
}

// callbackFault says what a failed login means: the person did not want or could not, the provider is in trouble, or the
// gateway asked for something wrong.
func (p *Provider) callbackFault(e *Error) error {
	switch e.Code {
	case "access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required":
		return fault.New(fault.LoginRequired, "the login at "+p.Name+" was not completed", e)
	case "temporarily_unavailable", "server_error":
		return p.unavailable(e)
	case "unauthorized_client":
		return p.refused(e)
	default:
		return p.strange(e)
	}
}

// spentCodes are the errors of a code that can't be redeemed (any more). The last is GitHub's.
var spentCodes = []string{"invalid_grant", "bad_verification_code"}

func (p *Provider) exchangeFault(err error) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok || !e.definitive():
		return p.passing(err)
	case slices.Contains(spentCodes, e.Code):
		return fault.New(fault.LoginRequired, "the login at "+p.Name+" took too long, or was used before; begin it again", e)
	case refusesUs[e.Code]:
		return p.refused(e)
	case e.Code == "temporarily_unavailable", e.Code == "server_error":
		return p.unavailable(e)
	default: // invalid_request, invalid_scope, invalid_target ...
		return p.strange(e)
	}
}

// passing wraps what is not a fault yet.
func (p *Provider) passing(err error) error {
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return f
	}
	return p.unavailable(err)
}

// strange is the fault where the two sides don't fit each other, which the operator has to look at.
func (p *Provider) strange(cause error) error {
	f := fault.New(fault.ConfigurationInvalid, p.Name+" and the gateway's configuration of it do not fit; the gateway's log says why", cause)
	if e, ok := errors.AsType[*Error](cause); ok {
		f.Upstream = &fault.Upstream{Status: e.Status, Code: e.Code}
	}
	return f
}
