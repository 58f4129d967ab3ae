package gateway

import (
	"cmp"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"unicode"

	"mcpgate/config"
	"mcpgate/mapping"
)

// health is the body of /health.
type health struct {
	Status        string                    `json:"status"` // ok, or stopping
	Name          string                    `json:"name"`
	Version       string                    `json:"version"`
	UptimeSeconds int64                     `json:"uptime_seconds"`
	Tools         int                       `json:"tools"`
	Problems      int                       `json:"problems,omitempty"` // what loading lost; the admin console says what
	Upstreams     map[string]upstreamHealth `json:"upstreams"`
}

// upstreamHealth is one upstream's part of it.
type upstreamHealth struct {
	pulseCounts
	Tools   int  `json:"tools"`
	Sandbox bool `json:"sandbox,omitempty"`
}

// routeHealth adds the health paths. They ask nobody who he is: a platform's probe can't say.
func (g *Gateway) routeHealth(mux *http.ServeMux) {
	mux.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) {
		if readOnly(w, r) {
			replyJSON(w, http.StatusOK, g.health())
		}
	})
	// The process lives. A platform restarts it where this fails, so nothing else counts.
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		if readOnly(w, r) {
			plain(w, http.StatusOK, "ok")
		}
	})
	// New calls are welcome. A load balancer sends them elsewhere where this fails.
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !readOnly(w, r):
		case g.stopping.Err() != nil:
			plain(w, http.StatusServiceUnavailable, "stopping")
		case g.logins != nil && g.logins.Ready(r.Context()) != nil:
			plain(w, http.StatusServiceUnavailable, "waiting for the store of logins, or for the provider")
		case g.access.issuer != nil && g.access.issuer.Ready() != nil:
			plain(w, http.StatusServiceUnavailable, "waiting for the issuer's keys")
		default:
			plain(w, http.StatusOK, "ready")
		}
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the probe is gone where this fails
}

// health looks at the gateway now.
func (g *Gateway) health() health {
	snap := g.snapshot.Load()
	h := health{
		Status: "ok", Name: g.cfg.Name, Version: g.version,
		UptimeSeconds: int64(g.now().Sub(g.started).Seconds()),
		Tools:         len(snap.tools), Problems: len(snap.report.Problems), Upstreams: make(map[string]upstreamHealth),
	}
	if g.stopping.Err() != nil {
		h.Status = "stopping"
	}
	for name, u := range g.cfg.Upstreams {
		h.Upstreams[name] = upstreamHealth{
			pulseCounts: snap.pulses[name].read(), Tools: len(toolsOf(snap.tools, name)), Sandbox: u.Sandbox(),
		}
	}
	return h
}

//go:embed status.html
var statusHTML string

var statusPage = template.Must(template.New("status").Parse(statusHTML))

// serveStatus is the page at the root: what this is, and how to add it to a client. Without a login everybody may read
// the tools' names; with one it only says how many there are.
func (g *Gateway) serveStatus(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	snap := g.snapshot.Load()
	open := g.cfg.Auth.Mode == "" || g.cfg.Auth.Mode == "none"
	page := struct {
		Name, Slug, Version, URL string
		Count                    int
		Tools                    []*mapping.Tool
		Open                     bool
	}{g.cfg.Name, slug(g.cfg.Name), g.version, mcpURL(g.cfg.Server), len(snap.tools), nil, open}
	if open {
		page.Tools = snap.tools
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		replyJSON(w, http.StatusOK, map[string]any{"name": page.Name, "version": page.Version, "mcp": page.URL, "tools": page.Count})
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := statusPage.Execute(w, page); err != nil {
		g.log.Debug("the status page broke off", "error", err)
	}
}

// slug is the name as a command line and a client's configuration can carry it.
func slug(name string) string {
	word := strings.Map(func(r rune) rune {
		if r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_') {
			return r
		}
		return '-'
	}, name)
	return cmp.Or(strings.Trim(word, "-"), "mcpgate")
}

// mcpURL is where clients find MCP.
func mcpURL(server config.Server) string {
	return strings.TrimRight(server.PublicURL, "/") + "/" + strings.Trim(server.Path, "/")
}
