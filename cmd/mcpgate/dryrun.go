package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"mcpgate/auth/credential"
	"mcpgate/config"
	"mcpgate/mapping"
)

// masked stands where a secret would be.
var masked = config.NewSecret("[secret]")

// harmlessHeaders are those of gateway.yaml's `headers:` that a dry run shows: none of them carries a credential.
var harmlessHeaders = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Language", "Content-Type", "Prefer", "User-Agent",
}

// maskSecrets replaces every secret that could get into a request, so that a dry run can print all of it.
func maskSecrets(cfg *config.Config) {
	for _, upstream := range cfg.Upstreams {
		c := &upstream.Credential
		for _, secret := range []*config.Secret{&c.Token, &c.Username, &c.Password, &c.Value} {
			if !secret.IsZero() {
				*secret = masked
			}
		}
		maskHeaders(upstream.Headers)
		for _, query := range upstream.Queries {
			maskHeaders(query.Headers)
		}
	}
}

func maskHeaders(headers map[string]config.Secret) {
	for name := range headers {
		if !slices.Contains(harmlessHeaders, http.CanonicalHeaderKey(name)) {
			headers[name] = masked
		}
	}
}

// dryRun prints the HTTP request that the call would send. The upstream's secrets have been masked before the tool was
// compiled.
func (t *terminal) dryRun(ctx context.Context, upstream *config.Upstream, tool *mapping.Tool, raw json.RawMessage) error {
	arguments, err := tool.ParseArguments(raw)
	if err != nil {
		return err
	}
	req, err := tool.NewRequest(ctx, arguments)
	if err != nil {
		return err
	}
	source, err := credential.New(upstream.Credential)
	if err != nil {
		return err
	}
	if err := source.Authorize(ctx, req); err != nil {
		return err
	}
	if scheme, _, ok := strings.Cut(req.Header.Get("Authorization"), " "); ok {
		req.Header.Set("Authorization", scheme+" "+masked.Reveal()) // basic would show the mask in base64
	}
	return printRequest(t.stdout, req)
}

// printRequest writes the request as it goes over the wire in HTTP/1.1, with the whole URL in the first line.
func printRequest(w io.Writer, req *http.Request) error {
	var out bytes.Buffer
	// The URL is printed with its mask as it was meant, not as %5Bsecret%5D.
	url := strings.ReplaceAll(req.URL.String(), "%5Bsecret%5D", masked.Reveal())
	fmt.Fprintf(&out, "%s %s\n", req.Method, url)
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		for _, value := range req.Header[name] {
			fmt.Fprintf(&out, "%s: %s\n", name, value)
		}
	}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return err
		}
		if err := req.Body.Close(); err != nil {
			return err
		}
		fmt.Fprintf(&out, "\n%s\n", body)
	}
	_, err := w.Write(out.Bytes())
	return err
}
