package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
)

// newHandler routes the listener's paths.
func (g *Gateway) newHandler() (http.Handler, error) {
	access := g.access
	mux := http.NewServeMux()
	g.routeHealth(mux)
	mcp := access.guard(newEdge(g), http.MethodPost)
	path := "/" + strings.Trim(g.cfg.Server.Path, "/")
	if path == "/" { // the status page is there; config.Load lets no such path through
		return nil, fmt.Errorf("server.path: %q is not a path of MCP's own", g.cfg.Server.Path)
	}
	prefix := pathOf(g.cfg.Server.PublicURL)
	for _, at := range unique([]string{path, prefix + path}) {
		mux.Handle(at, mcp)
		mux.Handle(at+"/{$}", mcp)
	}
	mux.HandleFunc("/{$}", g.serveStatus)
	mux.HandleFunc("/favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }) // every browser asks
	if access.metadata != nil {
		for _, at := range access.metadata.Paths(prefix) {
			mux.Handle(at, access.metadata)
		}
	}
	if g.logins != nil && g.logins.Server != nil {
		g.logins.Server.Register(mux)
	}
	if g.cfg.Server.SSE {
		sse := newSSE(g)
		mux.Handle("/sse", access.guard(http.HandlerFunc(sse.serveStream), http.MethodGet))
		mux.Handle("/messages", access.guard(http.HandlerFunc(sse.serveMessage), http.MethodPost))
	}
	mux.HandleFunc("/", lost(mux, prefix))
	return newTrustedProxies(g.cfg.Server.TrustedProxies).seen(g.logged(g.recovered(mux))), nil
}

// recovered keeps a panic's text from the client and the process alive.
func (g *Gateway) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p) // net/http's own way to break a connection
			default:
				g.log.Error("panic while a request was served", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				replyJSON(w, http.StatusInternalServerError, map[string]string{"error": "internal_error"})
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// pathOf is the path below which the gateway is reached, such as /crm where public_url is https://host.example/crm; "" where it has none.
func pathOf(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

// lost is for what mux has nothing for. Some reverse proxies take public_url's own path away, and others pass it on: a path
// without it is looked for with it.
func lost(mux *http.ServeMux, prefix string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if prefix == "" || r.URL.Path == prefix || strings.HasPrefix(r.URL.Path, prefix+"/") {
			notFound(w, r)
			return
		}
		within := r.Clone(r.Context())
		within.URL.Path, within.URL.RawPath = prefix+r.URL.Path, ""
		mux.ServeHTTP(w, within)
	}
}

func notFound(w http.ResponseWriter, r *http.Request) {
	replyJSON(w, http.StatusNotFound, map[string]string{"error": "not_found", "error_description": "there is nothing at " + r.URL.Path})
}

// readOnly answers what is neither GET nor HEAD, and reports whether it didn't have to.
func readOnly(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	replyJSON(w, http.StatusMethodNotAllowed, map[string]string{"error": "method_not_allowed"})
	return false
}

// replyJSON sends value as JSON.
func replyJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"internal_error"}`)
	}
	writeJSON(w, status, append(body, '\n'))
}
