package oauthproxy

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestScratch(t *testing.T) {
	if os.Getenv("SCRATCH") == "" {
		t.Skip()
	}
	base := consentPage{Gateway: "Acme CRM", Provider: "keycloak", Client: "Claude", Host: "claude.ai", Resource: "https://tools.acme.example/mcp", Action: "/consent", Transaction: "x", Token: "y",
		Scopes: []scopeLine{{"Read crm", "crm.read"}, {"Change crm", "crm.write"}}}
	base.Before, base.Emphasis, base.After = emphasised("https://claude.ai/api/mcp/auth_callback")
	dump := func(name string, p consentPage) {
		w := httptest.NewRecorder()
		if err := writeConsent(w, p); err != nil {
			t.Fatal(err)
		}
		os.WriteFile("/tmp/flowpages/"+name+".html", w.Body.Bytes(), 0o644)
	}
	dump("normal", base)
	worst := base
	worst.Host, worst.Unverified, worst.Local = "", true, true
	worst.Client = strings.Repeat("Wwwwwwwwww", 10)
	worst.Before, worst.Emphasis, worst.After = emphasised("http://127.0.0.1:33418/" + strings.Repeat("aVeryLongPath%2F", 125))
	worst.Resource = "https://tools.acme.example/" + strings.Repeat("long/", 30) + "mcp"
	worst.Scopes = nil
	for i := range 12 {
		worst.Scopes = append(worst.Scopes, scopeLine{scopeInWords("https://api.acme.example/scopes/" + strings.Repeat("x", i*9) + ".read"), "https://api.acme.example/scopes/" + strings.Repeat("x", i*9) + ".read"})
	}
	dump("worst", worst)
	rtl := base
	rtl.Host, rtl.Unverified, rtl.Client = "", true, "مساعد الذكاء الاصطناعي (موثوق)"
	rtl.Scopes = nil
	rtl.Before, rtl.Emphasis, rtl.After = emphasised("cursor://anysphere.cursor-mcp/oauth/callback")
	dump("rtl", rtl)
	w := httptest.NewRecorder()
	(&Server{}).writeRefusal(w, bad("invalid_client", "no client has this client_id: register the client anew"), "3fa9c1d2")
	os.WriteFile("/tmp/flowpages/error.html", w.Body.Bytes(), 0o644)
	w = httptest.NewRecorder()
	_ = WriteDone(w, "You are connected", "The login at keycloak is kept. You can close this window.")
	os.WriteFile("/tmp/flowpages/done.html", w.Body.Bytes(), 0o644)
}
