package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mcpgate/auth"
	"mcpgate/internal/fault"
)

// person is a login credential for tests: token n is good once it was renewed n times.
type person struct {
	token     string
	next      string // what Renew brings; "" where there is nothing new
	gone      error  // of Variables and Authorize
	refused   []string
	variables map[string]string
}

func (p *person) Authorize(_ context.Context, req *http.Request) error {
	if p.gone != nil {
		return p.gone
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	return nil
}

func (p *person) Renew(_ context.Context, req *http.Request) (bool, error) {
	p.refused = append(p.refused, req.Header.Get("Authorization"))
	if p.gone != nil {
		return false, p.gone
	}
	renewed := p.next != ""
	if renewed {
		p.token = p.next
	}
	return renewed, nil
}

func (p *person) Variables(context.Context) (map[string]string, error) { return p.variables, p.gone }

// loggedIn is a gateway whose upstream takes the token "good-token" alone, and the person who calls it.
func loggedIn(t *testing.T, p *person, answer http.HandlerFunc) *Gateway {
	t.Helper()
	g := newGateway(t, setup{upstream: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer good-token" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"message":"no: `+r.Header.Get("Authorization")+`"}`)
			return
		}
		answer(w, r)
	})})
	u := g.snapshot.Load().upstreams["pets"]
	u.source, u.login, u.personal = p, p, true
	return g
}

// An API that refuses the caller's token gets a new one, once, and the whole request again, also a POST: what was refused was
// not carried out.
func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	p := &person{token: "old-token", next: "good-token"}
	var bodies []string
	g := loggedIn(t, p, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		_, _ = io.WriteString(w, `{"id":7}`)
	})
	got := g.Call(t.Context(), "createPet", json.RawMessage(`{"name":"Rex"}`))
	if !got.OK || len(bodies) != 1 || bodies[0] != `{"name":"Rex"}` || len(p.refused) != 1 || p.refused[0] != "Bearer old-token" {
		t.Errorf("%+v, bodies %q, refused %q", got, bodies, p.refused)
	}
}

// A token that stays refused is no defect of the gateway's own credential, ends no login, and is not repeated to the client.
func TestTokenThatStaysRefused(t *testing.T) {
	for _, next := range []string{"", "another-bad-token"} {
		p := &person{token: "first-bad-token", next: next}
		g := loggedIn(t, p, nil)
		got := g.Call(t.Context(), "getPet", json.RawMessage(`{"id":1}`))
		if got.OK || got.Errors[0].Code != fault.TokenInvalid || len(p.refused) != 1 {
			t.Errorf("next %q: %+v, refused %d times", next, got, len(p.refused))
		}
		if text := string(got.json()); strings.Contains(text, "bad-token") {
			t.Errorf("the token goes out: %s", text)
		}
	}
}

// A login that is over by the provider's word is what the call says, not the API's 401.
func TestLoginThatEndsAtTheRenewal(t *testing.T) {
	p := &person{token: "old-token"}
	g := loggedIn(t, p, nil)
	p.next = ""
	renewals := 0
	u := g.snapshot.Load().upstreams["pets"]
	u.login = endsAtRenewal{p, &renewals}
	got := g.Call(t.Context(), "getPet", json.RawMessage(`{"id":1}`))
	if got.OK || got.Errors[0].Code != fault.LoginRequired || renewals != 1 {
		t.Errorf("%+v after %d renewals", got, renewals)
	}
}

type endsAtRenewal struct {
	*person
	times *int
}

func (e endsAtRenewal) Renew(context.Context, *http.Request) (bool, error) {
	*e.times++
	return false, fault.New(fault.LoginRequired, "log in again", nil)
}

// Over HTTP a login that is over is a 401 before the call, at which clients show their login. A provider that is down is not.
func TestLoginThatIsOverIsA401(t *testing.T) {
	g, server := ruled(t, "search")
	p := &person{gone: fault.New(fault.LoginRequired, "log in again", nil)}
	u := g.snapshot.Load().upstreams["pets"]
	u.source, u.login, u.personal = p, p, true
	for _, call := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_pet","arguments":{"id":1}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"call_tool","arguments":{"name":"get_pet","arguments":{"id":1}}}}`,
	} {
		got := post(t, server, call, "Authorization: Bearer reader")
		if got.status != http.StatusUnauthorized || !strings.Contains(got.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%d %s %s", got.status, got.header.Get("WWW-Authenticate"), got.body)
		}
		p := &person{gone: fault.New(fault.Unavailable, "try again", nil)}
		u.source, u.login, u.personal = p, p, true
		if got := post(t, server, call, "Authorization: Bearer reader"); got.status != http.StatusOK || !strings.Contains(got.body, `"code":"unavailable"`) {
			t.Errorf("%d %s", got.status, got.body)
		}
		u.source, u.login = &person{gone: errOver}, &person{gone: errOver}
	}
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	if got := post(t, server, list, "Authorization: Bearer reader"); got.status != http.StatusOK {
		t.Errorf("a list needs no login: %d", got.status)
	}
}

var errOver = fault.New(fault.LoginRequired, "log in again", nil)

// Where the login ends while the call is under way, the result says so in a way that clients know.
func TestLoginThatEndsUnderWay(t *testing.T) {
	g, server := ruled(t, "direct")
	u := g.snapshot.Load().upstreams["pets"]
	u.source, u.login, u.personal = &person{gone: errOver}, &person{}, true // good when it is asked about, over when it is used
	got := post(t, server, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_pet","arguments":{"id":1}}}`, "Authorization: Bearer reader")
	var result struct {
		IsError bool `json:"isError"`
		Meta    struct {
			Challenges []string `json:"mcp/www_authenticate"`
		} `json:"_meta"`
	}
	if err := json.Unmarshal(got.result(t), &result); err != nil {
		t.Fatal(err)
	}
	if !result.IsError || len(result.Meta.Challenges) != 1 || !strings.HasPrefix(result.Meta.Challenges[0], "Bearer resource_metadata=") {
		t.Error(got.body)
	}
}

// What a provider says of an API's address is held against allow_hosts before a token goes there.
func TestAddressOfALogin(t *testing.T) {
	u := &upstream{name: "crm"}
	g := newGateway(t, setup{})
	*u = *g.snapshot.Load().upstreams["pets"]
	c := *u.config
	c.BaseURL, c.AllowHosts = "{token.instance_url}/services", []string{"*.my.salesforce.com", "crm.example", "crm.example:8443", "127.0.0.1"}
	u.config = &c
	tests := map[string]bool{
		"https://acme.my.salesforce.com/x":      true,
		"https://acme.my.salesforce.com:8443/x": true,
		"https://ACME.my.salesforce.com./x":     true,
		"https://crm.example/x":                 true,
		"https://my.salesforce.com/x":           false,
		"https://evilmy.salesforce.com/x":       false,
		"https://acme.my.salesforce.com.evil/x": false,
		"https://evil.example/x":                false,
		"http://acme.my.salesforce.com/x":       false,
		"http://127.0.0.1:99/x":                 true,
		"https://sub.crm.example/x":             false,
	}
	for text, want := range tests {
		target, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		err = u.checkHost(target)
		if (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), target.Hostname()) {
			t.Errorf("the message names the host: %v", err)
		}
	}
	p := &person{token: "good-token", variables: map[string]string{"instance_url": "https://evil.example"}}
	u.source, u.login, u.personal = p, p, true
	compiled, _, err := Load(t.Context(), g.cfg)
	if err != nil || len(compiled) == 0 {
		t.Fatal(err)
	}
	ctx := auth.WithPrincipal(t.Context(), auth.Local())
	call := &call{upstream: u, tool: compiled[0], log: u.log}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://evil.example/services", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := call.fetch(req); !errors.Is(err, fault.ConfigurationInvalid) || call.attempts != 0 {
		t.Errorf("%v after %d attempts", err, call.attempts)
	}
}
