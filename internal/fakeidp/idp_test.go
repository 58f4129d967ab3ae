package fakeidp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	callback = "https://gateway.example/auth/callback"
	verifier = "a-verifier-of-forty-three-characters-or-more"
	state    = "a-state-of-twenty-two-or-more"
)

type browser struct {
	t   *testing.T
	idp *IdP
}

func (b browser) authorize(change url.Values) *http.Response {
	b.t.Helper()
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {"mcpgate"}, "redirect_uri": {callback}, "response_type": {"code"}, "state": {state}, "scope": {"openid offline_access"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}, "nonce": {"n"},
	}
	for name, values := range change {
		if q[name] = values; values == nil {
			delete(q, name)
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get(b.idp.URL("authorize") + "?" + q.Encode())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { answer.Body.Close() })
	return answer
}

// back is the query that the browser is sent back with.
func (b browser) back(change url.Values) url.Values {
	b.t.Helper()
	target, err := b.authorize(change).Location()
	if err != nil {
		b.t.Fatal(err)
	}
	return target.Query()
}

func (b browser) post(endpoint string, form url.Values) (int, map[string]any) {
	b.t.Helper()
	answer, err := http.PostForm(b.idp.URL(endpoint), form)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	var fields map[string]any
	if len(body) > 0 {
		if err := json.Unmarshal(body, &fields); err != nil {
			b.t.Fatalf("%s: %v", body, err)
		}
	}
	return answer.StatusCode, fields
}

func (b browser) redeem(code string) (int, map[string]any) {
	b.t.Helper()
	return b.post("token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}, "redirect_uri": {callback}, "client_id": {"mcpgate"},
	})
}

func (b browser) refresh(token string) (int, map[string]any) {
	b.t.Helper()
	return b.post("token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {"mcpgate"}})
}

func start(t *testing.T, o Options) browser {
	o.Clients = []Client{{ID: "mcpgate", RedirectURIs: []string{callback}}}
	return browser{t, Start(t, o)}
}

func TestLoginAndAPI(t *testing.T) {
	b := start(t, Options{IssParameter: true})
	back := b.back(nil)
	if back.Get("state") != state || back.Get("iss") != b.idp.Issuer() {
		t.Fatalf("sent back with %v", back)
	}
	status, tokens := b.redeem(back.Get("code"))
	if status != 200 || tokens["token_type"] != "Bearer" || tokens["expires_in"] != 300.0 || strings.Count(tokens["id_token"].(string), ".") != 2 {
		t.Fatalf("%d %v", status, tokens)
	}
	call := func(token string) int {
		r, _ := http.NewRequest("GET", "http://api.example/me", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := recorded(b.idp.API(), r)
		return w
	}
	if got := call(tokens["access_token"].(string)); got != 200 {
		t.Errorf("the API answers %d", got)
	}
	if got := call("other"); got != 401 {
		t.Errorf("the API answers %d to another token", got)
	}
	b.idp.ExpireAccessTokens()
	if got := call(tokens["access_token"].(string)); got != 401 {
		t.Errorf("the API answers %d to a token that is over", got)
	}
	if status, again := b.refresh(tokens["refresh_token"].(string)); status != 200 || call(again["access_token"].(string)) != 200 {
		t.Errorf("refresh: %d %v", status, again)
	}
}

func TestReusedRefreshTokenRevokesTheGrant(t *testing.T) {
	b := start(t, Options{})
	_, first := b.redeem(b.back(nil).Get("code"))
	_, second := b.refresh(first["refresh_token"].(string))
	if status, answer := b.refresh(first["refresh_token"].(string)); status != 400 || answer["error"] != "invalid_grant" {
		t.Fatalf("%d %v", status, answer)
	}
	if status, answer := b.refresh(second["refresh_token"].(string)); status != 400 || answer["error"] != "invalid_grant" {
		t.Errorf("the newest token still works: %d %v", status, answer)
	}
	if answered, reused := b.idp.Refreshes(); answered != 1 || reused != 1 {
		t.Errorf("%d refreshes, %d reuses", answered, reused)
	}
}

func TestCodeIsRedeemedOnce(t *testing.T) {
	b := start(t, Options{})
	code := b.back(nil).Get("code")
	_, tokens := b.redeem(code)
	if status, answer := b.redeem(code); status != 400 || answer["error"] != "invalid_grant" {
		t.Errorf("%d %v", status, answer)
	}
	if status, _ := b.refresh(tokens["refresh_token"].(string)); status != 400 {
		t.Error("the second use did not revoke the grant")
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	b := start(t, Options{StateMin: 22, StateMax: 1024, RefuseResource: true})
	for want, change := range map[string]url.Values{
		"invalid_request: only S256":                       {"code_challenge_method": {"plain"}},
		"invalid_request: code_challenge is required":      {"code_challenge": nil, "code_challenge_method": nil},
		"invalid_request: state is too short or too long":  {"state": {"short"}},
		"invalid_scope: unknown scope admin":               {"scope": {"openid admin"}},
		"invalid_request: scope is given twice":            {"scope": {"openid", "email"}},
		"unsupported_response_type: only code":             {"response_type": {"token"}},
		"invalid_request: code_challenge is not a SHA-256": {"code_challenge": {"x"}},
	} {
		back := b.back(change)
		if got := back.Get("error") + ": " + back.Get("error_description"); got != want {
			t.Errorf("%v: %s, want %s", change, got, want)
		}
	}
	for _, change := range []url.Values{{"redirect_uri": {callback + "/"}}, {"client_id": {"other"}}} {
		if answer := b.authorize(change); answer.StatusCode != 400 {
			t.Errorf("%v: %d", change, answer.StatusCode)
		}
	}
}

func TestManners(t *testing.T) {
	t.Run("netsuite", func(t *testing.T) {
		b := start(t, NetSuite())
		back := b.back(url.Values{"scope": {"rest_webservices"}, "nonce": nil})
		if back.Get("company") != "123456_SB1" {
			t.Errorf("%v", back)
		}
		if _, tokens := b.redeem(back.Get("code")); tokens["expires_in"] != "3600" || tokens["id_token"] != nil || tokens["scope"] != nil {
			t.Errorf("%v", tokens)
		}
	})
	t.Run("netsuite, its chain of refresh tokens", func(t *testing.T) {
		var ahead time.Duration
		o := NetSuite()
		o.Now = func() time.Time { return time.Now().Add(ahead) }
		b := start(t, o)
		b.idp.Register(Client{ID: "confidential", Secret: "s", AuthMethod: "client_secret_post", RedirectURIs: []string{callback}})
		_, tokens := b.redeem(b.back(url.Values{"scope": {"restlets"}, "nonce": nil}).Get("code"))
		for range 4 { // each token holds 48 hours, the chain 168
			ahead += 40 * time.Hour
			status, again := b.refresh(tokens["refresh_token"].(string))
			if status != 200 || again["refresh_token"] == tokens["refresh_token"] {
				t.Fatalf("after %v: %d %v", ahead, status, again)
			}
			tokens = again
		}
		ahead += 9 * time.Hour
		if status, answer := b.refresh(tokens["refresh_token"].(string)); status != 400 || answer["error"] != "invalid_grant" {
			t.Errorf("after %v: %d %v", ahead, status, answer)
		}
		_, tokens = b.post("token", url.Values{"grant_type": {"authorization_code"}, "code_verifier": {verifier}, "redirect_uri": {callback}, "client_id": {"confidential"},
			"client_secret": {"s"}, "code": {b.back(url.Values{"client_id": {"confidential"}, "scope": {"restlets"}, "nonce": nil}).Get("code")}})
		status, again := b.post("token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}, "client_id": {"confidential"}, "client_secret": {"s"}})
		if status != 200 || again["refresh_token"] != tokens["refresh_token"] {
			t.Errorf("a confidential client's is replaced: %d %v", status, again)
		}
	})
	t.Run("entra", func(t *testing.T) {
		b := start(t, Entra())
		_, tokens := b.redeem(b.back(nil).Get("code"))
		if status, answer := b.refresh(tokens["refresh_token"].(string)); status != 400 || !strings.Contains(answer["error_description"].(string), "AADSTS90009") {
			t.Errorf("%d %v", status, answer)
		}
	})
	t.Run("salesforce", func(t *testing.T) {
		b := start(t, Salesforce("https://eu1.example"))
		_, tokens := b.redeem(b.back(url.Values{"scope": {"api refresh_token"}}).Get("code"))
		if tokens["instance_url"] != "https://eu1.example" || tokens["expires_in"] != nil {
			t.Errorf("%v", tokens)
		}
		if status, again := b.refresh(tokens["refresh_token"].(string)); status != 200 || again["refresh_token"] != nil {
			t.Errorf("%d %v", status, again)
		}
	})
	t.Run("keycloak", func(t *testing.T) {
		b := start(t, Keycloak())
		_, tokens := b.redeem(b.back(nil).Get("code"))
		if diff := cmp.Diff(0.0, tokens["refresh_expires_in"]); diff != "" {
			t.Errorf("an offline token ends: %s", diff)
		}
	})
}

func TestFailures(t *testing.T) {
	b := start(t, Options{})
	_, tokens := b.redeem(b.back(nil).Get("code"))
	b.idp.Fail("token", Failure{Times: 1, Status: 503, Body: "{}", ContentType: "application/json"}, Failure{Times: 1, After: true}, Failure{Times: 1, Slow: time.Millisecond})
	old := tokens["refresh_token"].(string)
	if status, _ := b.refresh(old); status != 503 {
		t.Errorf("%d", status)
	}
	if _, err := http.PostForm(b.idp.URL("token"), url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old}, "client_id": {"mcpgate"}}); err == nil {
		t.Error("the answer came")
	}
	if status, _ := b.refresh(b.idp.Grants()[0].RefreshToken); status != 200 {
		t.Error("the refresh whose answer was lost was not done")
	}
}

func recorded(h http.Handler, r *http.Request) int {
	answer, err := inProcess{h}.RoundTrip(r)
	if err != nil {
		return 0
	}
	return answer.StatusCode
}
