package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	firstBackoff = time.Second
	maxBackoff   = 30 * time.Second // also how late a provider that comes back is noticed
	rediscovery  = time.Hour        // endpoints move seldom; keys that rotate are found by their kid
)

// algorithms are the signatures that an id_token may have. HS256 would make the client's secret a signing key, and none
// is no signature.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// metadata is what discovery found (OpenID Connect Discovery section 3). It is replaced as a whole.
type metadata struct {
	Issuer        string   `json:"issuer"` // may be a template of Entra ID's, see issuerTemplate
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Userinfo      string   `json:"userinfo_endpoint"`
	Revocation    string   `json:"revocation_endpoint"`
	JWKS          string   `json:"jwks_uri"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	IssParameter  bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207 section 3

	keys *oidc.RemoteKeySet
}

// Run discovers the provider's endpoints in the background, again and again until it succeeds, then once in a while. It returns when ctx ends.
func (p *Provider) Run(ctx context.Context) {
	if p.own != nil {
		defer p.own.CloseIdleConnections()
	}
	if p.cfg.Issuer == "" {
		<-ctx.Done()
		return
	}
	backoff := firstBackoff
	for {
		wait := rediscovery
		if err := p.Discover(ctx); err != nil {
			if ctx.Err() != nil {
				return
			}
			wait, backoff = backoff, min(2*backoff, maxBackoff)
			p.log.LogAttrs(ctx, slog.LevelWarn, "the provider's metadata can't be had; it is asked again",
				slog.Duration("after", wait), slog.Bool("ready", p.Ready() == nil), slog.String("cause", err.Error()))
		} else {
			backoff = firstBackoff
		}
		timer := time.NewTimer(wait + rand.N(wait/5)) // replicas that started together don't ask together
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// Discover asks for the provider's metadata once. What was known before stays where it fails. Without an issuer there is nothing to ask.
func (p *Provider) Discover(ctx context.Context) error {
	if p.cfg.Issuer == "" {
		return nil
	}
	found, err := p.discover(ctx)
	if err != nil {
		if p.metadata.Load() == nil {
			p.failure.Store(&err)
		}
		return err
	}
	if before := p.metadata.Swap(found); before == nil {
		p.log.LogAttrs(ctx, slog.LevelInfo, "the provider's metadata is known", slog.String("issuer", found.Issuer))
	}
	return nil
}

func (p *Provider) discover(ctx context.Context) (*metadata, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), requestTimeout)
	defer cancel()
	// The issuer is compared below: go-oidc knows no templates.
	document, err := oidc.NewProvider(oidc.InsecureIssuerURLContext(ctx, p.cfg.Issuer), p.cfg.Issuer)
	if err != nil {
		return nil, errors.New(masked(withoutURL(err).Error(), nil)) // it quotes the whole answer
	}
	found := &metadata{}
	if err := document.Claims(found); err != nil {
		return nil, errors.New("the metadata has fields of other types than OpenID Connect Discovery says")
	}
	if found.Issuer != p.cfg.Issuer && !issuerTemplate(found.Issuer).matches(p.cfg.Issuer) {
		return nil, fmt.Errorf("the metadata at %s is of the issuer %q; if that is meant, write it as issuer, with or without the slash at its end",
			p.cfg.Issuer, masked(found.Issuer, nil))
	}
	if err := p.judge(found); err != nil {
		return nil, err
	}
	found.Algorithms = slices.DeleteFunc(found.Algorithms, func(a string) bool { return !slices.Contains(algorithms, a) })
	if len(found.Algorithms) == 0 {
		found.Algorithms = algorithms
	}
	found.keys = p.keySet(found.JWKS)
	return found, nil
}

// judge checks that the endpoints are there, and that none is less protected than the issuer.
func (p *Provider) judge(found *metadata) error {
	for name, endpoint := range map[string]*string{
		"authorization_endpoint": &found.Authorization, "token_endpoint": &found.Token, "userinfo_endpoint": &found.Userinfo,
		"revocation_endpoint": &found.Revocation, "jwks_uri": &found.JWKS,
	} {
		if *endpoint == "" {
			continue
		}
		u, err := url.Parse(*endpoint)
		if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || strings.HasPrefix(p.cfg.Issuer, "https:")) {
			return fmt.Errorf("the metadata's %s is not an https URL", name)
		}
	}
	switch {
	case found.Authorization == "" && p.cfg.AuthorizationURL == "":
		return errors.New("the metadata has no authorization_endpoint")
	case found.Token == "" && p.cfg.TokenURL == "":
		return errors.New("the metadata has no token_endpoint")
	}
	return nil
}

// keySet keeps the keys that are cached while the address stays. It fetches them when it meets a kid that it does not know.
func (p *Provider) keySet(address string) *oidc.RemoteKeySet {
	if before := p.metadata.Load(); before != nil && before.JWKS == address {
		return before.keys
	}
	return oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), p.client), address)
}

// Ready returns nil once the endpoints are known, and from then on; before, why not (fault.Unavailable).
func (p *Provider) Ready() error {
	if p.cfg.Issuer == "" || p.metadata.Load() != nil {
		return nil
	}
	cause := errors.New("discovery has not been done yet")
	if failure := p.failure.Load(); failure != nil {
		cause = *failure
	}
	return p.unavailable(cause)
}

// endpoint is where something is asked: where gateway.yaml says, else where discovery says, else "". The error is that of Ready.
func (p *Provider) endpoint(written string, discovered func(*metadata) string) (string, error) {
	if written != "" {
		return written, nil
	}
	if err := p.Ready(); err != nil {
		return "", err
	}
	if found := p.metadata.Load(); found != nil {
		return discovered(found), nil
	}
	return "", nil
}

func (p *Provider) tokenEndpoint() (string, error) {
	return p.endpoint(p.cfg.TokenURL, func(m *metadata) string { return m.Token })
}

// issuerTemplate is the issuer in the metadata of an Entra ID that serves several tenants:
// https://login.microsoftonline.com/{tenantid}/v2.0. A token says its own tenant as tid.
type issuerTemplate string

const tenant = "{tenantid}"

// matches reports whether issuer is the template with some tenant in its place.
func (t issuerTemplate) matches(issuer string) bool {
	before, after, ok := strings.Cut(string(t), tenant)
	if !ok || !strings.HasSuffix(before, "/") || after != "" && !strings.HasPrefix(after, "/") {
		return false
	}
	middle, ok := strings.CutPrefix(issuer, before)
	if !ok {
		return false
	}
	middle, ok = strings.CutSuffix(middle, after)
	return ok && errorCode(middle) != "" // letters, digits, dots and hyphens
}

// of is the issuer of one tenant.
func (t issuerTemplate) of(tid string) string { return strings.ReplaceAll(string(t), tenant, tid) }
