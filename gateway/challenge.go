package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"mcpgate/auth"
	"mcpgate/internal/fault"
	"mcpgate/mapping"
)

// challenged answers a tools/call over HTTP that a new token could mend, with the status and the header that make clients
// get one: 403 and all the scopes at once where some are missing, 401 where the person's login at the upstream is over.
// A tool's result would only tell the model. It reports whether it answered; the call itself checks again.
func (g *Gateway) challenged(w http.ResponseWriter, r *http.Request, msg message) bool {
	if g.access.metadata == nil || msg.Method != string(mcp.MethodToolsCall) {
		return false
	}
	snap := g.snapshot.Load()
	tool := snap.calledBy(msg)
	if tool == nil {
		return false
	}
	ctx := r.Context()
	caller := auth.FromContext(ctx)
	if missing := snap.permits.missing(caller, tool.Name); len(missing) > 0 {
		needed := slices.Concat(snap.permits.rules[tool.Name].scopes, caller.Scopes) // some clients ask for what is named here and nothing else
		g.access.refuse(w, http.StatusForbidden, "insufficient_scope", tool.Name+" needs a scope that the token does not have", unique(needed))
		return true
	}
	if !snap.permits.allows(ctx, tool.Name) {
		return false // a role is missing, which no token can mend
	}
	err := snap.upstreams[tool.Upstream].loggedIn(ctx)
	if !errors.Is(err, fault.LoginRequired) {
		return false // what else is wrong, the call tells
	}
	g.access.refuse(w, http.StatusUnauthorized, "invalid_token", "the login at the API is over; log in again", g.access.scopes)
	return true
}

// calledBy returns the tool that a tools/call is about: with call_tool, the one behind it; nil where there is none.
func (s *snapshot) calledBy(msg message) *mapping.Tool {
	var params struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}
	if json.Unmarshal(msg.Params, &params) != nil {
		return nil
	}
	if params.Name != callTool || s.finder(callTool) == nil {
		return s.byName[params.Name]
	}
	var behind struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(params.Arguments, &behind) != nil {
		return nil
	}
	return s.byName[behind.Name]
}

// loggedIn reports why the caller has no credential for the upstream, nil where there is one or none is needed.
func (u *upstream) loggedIn(ctx context.Context) error {
	if !u.personal {
		return nil
	}
	_, err := u.login.Variables(ctx)
	return err
}

// unique keeps the first of those that are alike.
func unique(list []string) []string {
	var out []string
	for _, text := range list {
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}
