package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"mcpgate/auth/credential"
	"mcpgate/config"
)

// masked stands for a secret in what people see.
const masked = "[secret]"

// openHeaders are the headers that say nothing about who is asking: they are shown in a dry run, and go along to
// another host.
var openHeaders = []string{
	"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Content-Language", "Content-Type", "Prefer", "User-Agent",
}

// DryRun returns the HTTP request that a call of the tool would send, as text, and sends nothing. The credential, and
// the headers of gateway.yaml that may hold one, show as [secret]. The error is a fault.
func (g *Gateway) DryRun(ctx context.Context, tool string, raw json.RawMessage) (string, error) {
	snap := g.snapshot.Load()
	t, ok := snap.byName[tool]
	if !ok {
		return "", noTool(tool)
	}
	c := &call{upstream: snap.upstreams[t.Upstream], tool: t}
	args, err := t.ParseArguments(raw)
	if err != nil {
		return "", err
	}
	for _, name := range t.TokenVariables() { // nobody is logged in here: the name stands for what a login would say
		args.FillToken(name, "https://token-"+strings.ReplaceAll(name, "_", "-")+".invalid")
	}
	w, err := c.begin(ctx, args)
	if err != nil {
		return "", err
	}
	req := w.Request()
	identify(req)
	return c.upstream.describe(req)
}

// describe writes a request down, in the absolute form of HTTP/1.1 (RFC 9112 section 3.2.2).
func (u *upstream) describe(req *http.Request) (string, error) {
	for _, name := range u.configuredHeaders() {
		if _, there := req.Header[name]; there && !slices.Contains(openHeaders, name) {
			req.Header.Set(name, masked)
		}
	}
	if err := u.showCredential(req); err != nil {
		return "", err
	}
	var text strings.Builder
	target := strings.ReplaceAll(req.URL.String(), url.QueryEscape(masked), masked)
	fmt.Fprintf(&text, "%s %s HTTP/1.1\n", req.Method, target)
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		for _, value := range req.Header[name] {
			fmt.Fprintf(&text, "%s: %s\n", name, value)
		}
	}
	if req.Body == nil {
		return text.String(), nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return "", err
	}
	if utf8.Valid(body) {
		fmt.Fprintf(&text, "\n%s\n", body)
	} else {
		fmt.Fprintf(&text, "\n[%d bytes]\n", len(body))
	}
	return text.String(), nil
}

// configuredHeaders are the names of the headers that gateway.yaml gives.
func (u *upstream) configuredHeaders() []string {
	var names []string
	for name := range u.config.Headers {
		names = append(names, http.CanonicalHeaderKey(name))
	}
	for _, query := range u.config.Queries {
		for name := range query.Headers {
			names = append(names, http.CanonicalHeaderKey(name))
		}
	}
	return names
}

// showCredential puts a credential of the same kind on the request that holds no secret, so that there is none to hide.
func (u *upstream) showCredential(req *http.Request) error {
	c := u.config.Credential
	if u.config.Sandbox() || emptyCredential(c) != "" {
		return nil // there is none to show
	}
	switch c.Type {
	case "forward": // nobody called
		for _, name := range c.Headers {
			req.Header.Set(name, masked)
		}
		return nil
	case "login", "client_credentials", "jwt_bearer": // a token is not asked for only to be hidden
		req.Header.Set("Authorization", "Bearer "+masked)
		return nil
	}
	for _, secret := range []*config.Secret{&c.Token, &c.Username, &c.Password, &c.Value} {
		if !secret.IsZero() {
			*secret = config.NewSecret(masked)
		}
	}
	source, err := credential.New(c, credential.Options{})
	if err != nil {
		return err
	}
	if err := source.Authorize(req.Context(), req); err != nil {
		return err
	}
	if c.Type == "basic" { // base64 would not look like a secret
		req.Header.Set("Authorization", "Basic "+masked)
	}
	return nil
}
