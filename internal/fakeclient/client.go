package fakeclient

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client is an MCP client that registered itself at a gateway's authorization server.
type Client struct {
	MCP      string // the endpoint
	ID       string
	Redirect string
	Server   Metadata
	HTTP     *http.Client // nil is http.DefaultClient

	verifier, state string
}

// Metadata is what a client reads of an authorization server (RFC 8414).
type Metadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Registration  string `json:"registration_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
}

// Tokens are an answer of the token endpoint.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
	ExpiresIn    int    `json:"expires_in"`
}

// Answer is an HTTP answer, read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// redirect is where a client is sent back to; nobody listens there.
const redirect = "http://127.0.0.1:9/callback"

// Discover goes the way of a client that knows nothing but the endpoint: a 401, the protected resource's metadata (RFC 9728), the
// authorization server's (RFC 8414), and registration (RFC 7591).
func Discover(ctx context.Context, endpoint string) (*Client, error) {
	c := &Client{MCP: endpoint, Redirect: redirect, verifier: rand.Text() + rand.Text(), state: rand.Text()}
	refused, err := c.Message(ctx, "", `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	if err != nil {
		return nil, err
	}
	_, location, found := strings.Cut(refused.Header.Get("WWW-Authenticate"), `resource_metadata="`)
	if location, _, _ = strings.Cut(location, `"`); refused.Status != http.StatusUnauthorized || !found {
		return nil, fmt.Errorf("%d, WWW-Authenticate %q", refused.Status, refused.Header.Get("WWW-Authenticate"))
	}
	var resource struct {
		Servers []string `json:"authorization_servers"`
	}
	if err := c.read(ctx, location, &resource); err != nil {
		return nil, err
	}
	if len(resource.Servers) == 0 {
		return nil, fmt.Errorf("%s names no authorization server", location)
	}
	issuer, err := url.Parse(resource.Servers[0])
	if err != nil {
		return nil, err
	}
	if err := c.read(ctx, issuer.Scheme+"://"+issuer.Host+"/.well-known/oauth-authorization-server"+issuer.Path, &c.Server); err != nil {
		return nil, err
	}
	return c, c.register(ctx)
}

// register makes the client known.
func (c *Client) register(ctx context.Context) error {
	text, err := json.Marshal(map[string]any{"client_name": "scripted", "redirect_uris": []string{c.Redirect},
		"grant_types": []string{"authorization_code", "refresh_token"}, "token_endpoint_auth_method": "none"})
	if err != nil {
		return err
	}
	a, err := c.send(ctx, http.MethodPost, c.Server.Registration, "application/json", "", text)
	if err != nil {
		return err
	}
	var made struct {
		ID string `json:"client_id"`
	}
	if err := json.Unmarshal(a.Body, &made); err != nil || a.Status != http.StatusCreated {
		return fmt.Errorf("registration: %d %s", a.Status, a.Body)
	}
	c.ID = made.ID
	return nil
}

// AuthorizeURL is where the client sends the person's browser; more is added to the query.
func (c *Client) AuthorizeURL(more url.Values) string {
	challenge := sha256.Sum256([]byte(c.verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {c.Redirect}, "state": {c.state}, "resource": {c.MCP},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	for name, values := range more {
		q[name] = values
	}
	return c.Server.Authorization + "?" + q.Encode()
}

// LogIn is the whole way, with a browser of its own.
func (c *Client) LogIn(ctx context.Context) (Tokens, error) {
	back, err := NewBrowser(c.Redirect).Allow(ctx, c.AuthorizeURL(nil))
	if err != nil {
		return Tokens{}, err
	}
	return c.Redeem(ctx, back)
}

// Redeem exchanges the code that the person came back with, after the checks that a client has to make.
func (c *Client) Redeem(ctx context.Context, back *url.URL) (Tokens, error) {
	q := back.Query()
	if q.Get("code") == "" || q.Get("state") != c.state || q.Get("iss") != c.Server.Issuer {
		return Tokens{}, fmt.Errorf("sent back with error %q, state right: %v, iss %q", q.Get("error"), q.Get("state") == c.state, q.Get("iss"))
	}
	tokens, a, err := c.Token(ctx, url.Values{"grant_type": {"authorization_code"}, "code": {q.Get("code")},
		"redirect_uri": {c.Redirect}, "code_verifier": {c.verifier}, "resource": {c.MCP}})
	if err == nil && a.Status != http.StatusOK {
		err = fmt.Errorf("the code: %d %s", a.Status, a.Body)
	}
	return tokens, err
}

// Refresh exchanges a refresh token. That it is refused is no error.
func (c *Client) Refresh(ctx context.Context, token string) (Tokens, Answer, error) {
	return c.Token(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// Token asks the token endpoint, as this client. That it refuses is no error.
func (c *Client) Token(ctx context.Context, form url.Values) (Tokens, Answer, error) {
	form.Set("client_id", c.ID)
	a, err := c.send(ctx, http.MethodPost, c.Server.Token, "application/x-www-form-urlencoded", "", []byte(form.Encode()))
	if err != nil || a.Status != http.StatusOK {
		return Tokens{}, a, err
	}
	var t Tokens
	return t, a, json.Unmarshal(a.Body, &t)
}

// Call calls a tool with a token; arguments are JSON.
func (c *Client) Call(ctx context.Context, token, tool, arguments string) (Answer, error) {
	return c.Message(ctx, token, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments))
}

// Message posts one message to the MCP endpoint.
func (c *Client) Message(ctx context.Context, token, message string) (Answer, error) {
	return c.send(ctx, http.MethodPost, c.MCP, "application/json", token, []byte(message))
}

func (c *Client) read(ctx context.Context, location string, into any) error {
	a, err := c.send(ctx, http.MethodGet, location, "", "", nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(a.Body, into); err != nil || a.Status != http.StatusOK {
		return fmt.Errorf("%s: %d %.200s", location, a.Status, a.Body)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, target, contentType, token string, body []byte) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Accept", "application/json, text/event-stream")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, text}, err
}
