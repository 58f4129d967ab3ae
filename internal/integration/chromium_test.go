package integration

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"mcpgate/internal/fakeclient"
)

// pageSeen is what chromium.mjs printed.
type pageSeen struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Title   string            `json:"title"`
	Text    string            `json:"text"`
	Shots   []struct {
		Wide       bool   `json:"wide"` // it has to be scrolled sideways
		Background string `json:"background"`
	} `json:"shots"`
	Focusable  []string `json:"focusable"`
	Back       string   `json:"back"`
	At         string   `json:"at"`
	Complaints []string `json:"complaints"`
	Cookies    []struct {
		Name     string `json:"name"`
		HTTPOnly bool   `json:"httpOnly"`
		SameSite string `json:"sameSite"`
	} `json:"cookies"`
}

// shots is a folder for pictures of the pages, for whoever wants to look at them.
var shots = os.Getenv("MCPGATE_SHOTS")

// The consent page in a real browser: readable on a phone, light and dark, reached by the keyboard, and its policy lets the browser
// leave for the client, also with a private scheme, which form-action would stop.
func TestConsentInChromium(t *testing.T) {
	e := newEntrance(t)
	p := startIDP(t, e.url, idpOptions{})
	editor := "cursor://anysphere.cursor-mcp/oauth/callback"
	e.run(t, e.yaml(p, "", fmt.Sprintf("    clients: {known: [{client_id: editor, client_name: The editor, redirect_uris: [%q]}]}", editor)))
	c, err := fakeclient.Discover(t.Context(), e.url+"/mcp")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, id, redirect, decision, want string }{
		{"allow", c.ID, c.Redirect, "Allow", "code"},
		{"deny", c.ID, c.Redirect, "Deny", "error"},
		{"allow, private scheme", "editor", editor, "Allow", "code"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			asked := c.AuthorizeURL(url.Values{"client_id": {test.id}, "redirect_uri": {test.redirect}})
			var seen pageSeen
			out := runNode(t, "chromium.mjs", asked, test.redirect, test.decision, shots)
			if err := json.Unmarshal(out, &seen); err != nil {
				t.Fatal(err)
			}
			back, err := url.Parse(seen.Back)
			if err != nil || back.Query().Get(test.want) == "" || back.Query().Get("iss") != e.url {
				t.Errorf("%v: went back with %q, is at %s", err, seen.Back, seen.At)
			}
			for _, complaint := range seen.Complaints {
				if !strings.Contains(complaint, "ERR_") { // nobody listens where it leaves to
					t.Errorf("the browser complains: %s", complaint)
				}
			}
			for i, shot := range seen.Shots {
				if shot.Wide {
					t.Errorf("shot %d has to be scrolled sideways", i)
				}
			}
			if len(seen.Shots) == 4 && seen.Shots[0].Background == seen.Shots[1].Background {
				t.Error("dark and light look alike")
			}
			if !slices.Contains(seen.Focusable, "Allow") || !slices.Contains(seen.Focusable, "Deny") {
				t.Errorf("the keyboard reaches %q", seen.Focusable)
			}
			if !strings.Contains(seen.Text, test.redirect) {
				t.Errorf("the page does not show where it leads: %s", seen.Text)
			}
			for _, cookie := range seen.Cookies {
				if strings.Contains(cookie.Name, "mcpgate") && (!cookie.HTTPOnly || cookie.SameSite != "Lax" && cookie.SameSite != "Strict") {
					t.Errorf("cookie %+v", cookie)
				}
			}
			if csp := seen.Headers["content-security-policy"]; !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "form-action") {
				t.Errorf("Content-Security-Policy: %s", csp)
			}
		})
	}
}
