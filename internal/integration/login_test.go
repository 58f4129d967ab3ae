package integration

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// loginSeen is what login.mjs printed.
type loginSeen struct {
	Refused    bool         `json:"refused"`
	Asked      bool         `json:"asked"` // the person, a second time
	Tools      []string     `json:"tools"`
	Results    []seenResult `json:"results"`
	Scope      string       `json:"scope"`
	Registered bool         `json:"registered"`
}

// logIn lets a client of an SDK log in and call who_am_i.
func logIn(t *testing.T, sdk, era, url string, more ...string) loginSeen {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, append([]string{"login.mjs", sdk, era, url, "who_am_i"}, more...)...)
	cmd.Dir = filepath.Dir(modules)
	out := &log{}
	cmd.Stderr = out
	printed, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", sdk, err, tail(out.String(), 4000))
	}
	var seen loginSeen
	if err := json.Unmarshal(printed, &seen); err != nil {
		t.Fatalf("%v: %s", err, printed)
	}
	return seen
}

// Both TypeScript SDKs log a person in at a gateway in front of a provider that others wrote, call a tool as this person, and
// come by a new token without asking again.
func TestLoginWithSDKs(t *testing.T) {
	e := newEntrance(t)
	p := startIDP(t, e.url, idpOptions{})
	e.run(t, e.yaml(p, "", ""))
	for _, client := range []struct{ sdk, era string }{{"v1", "legacy"}, {"v2", "legacy"}, {"v2", "modern"}} {
		t.Run(client.sdk+" "+client.era, func(t *testing.T) {
			seen := logIn(t, client.sdk, client.era, e.url+"/mcp", "refresh")
			if !seen.Refused || seen.Asked || !seen.Registered || seen.Scope != "me.read" || len(seen.Results) != 2 {
				t.Errorf("%+v", seen)
			}
			for _, result := range seen.Results {
				if o := open(t, result); !o.OK || !strings.Contains(string(o.Data), `"alice"`) {
					t.Errorf("%+v", o)
				}
			}
		})
	}
}
