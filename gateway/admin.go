package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/pprof"
	"runtime"

	"mcpgate/auth"
	"mcpgate/config"
)

// newAdminHandler routes the admin address.
func (g *Gateway) newAdminHandler() (http.Handler, error) {
	access := &access{origins: newOrigins(config.Server{})}
	if !g.cfg.Server.AdminKey.IsZero() {
		hash := sha256.Sum256([]byte(g.cfg.Server.AdminKey.Reveal()))
		keys, err := auth.NewAPIKeys([]config.APIKey{{Name: "admin", SHA256: hex.EncodeToString(hash[:])}})
		if err != nil {
			return nil, err
		}
		access.verifier = keys
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", forbidden) // it may hold what the environment's owner keeps to himself
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/vars", g.serveVars)
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		replyJSON(w, http.StatusNotFound, map[string]string{"error": "not_found", "error_description": "metrics are not available yet"})
	})
	mux.HandleFunc("/{$}", g.serveConsole)
	mux.HandleFunc("/", notFound)
	return g.recovered(access.guard(mux, http.MethodGet, http.MethodPost)), nil
}

func forbidden(w http.ResponseWriter, _ *http.Request) {
	replyJSON(w, http.StatusForbidden, map[string]string{"error": "forbidden"})
}

// serveVars tells how the process is doing.
func (g *Gateway) serveVars(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	replyJSON(w, http.StatusOK, map[string]any{
		"uptime_seconds": int64(g.now().Sub(g.started).Seconds()),
		"goroutines":     runtime.NumGoroutine(),
		"calls_underway": g.drain.count(),
		"heap_bytes":     memory.HeapAlloc,
		"system_bytes":   memory.Sys,
		"gc_runs":        memory.NumGC,
		"go":             runtime.Version(),
	})
}

// console is what serveConsole shows.
type console struct {
	health
	Tools    []consoleTool  `json:"tools"`
	Problems []string       `json:"problems"`
	Warnings []string       `json:"warnings"`
	Withheld map[string]int `json:"withheld"`
}

// consoleTool is one tool and the request behind it.
type consoleTool struct {
	Name     string `json:"name"`
	Upstream string `json:"upstream"`
	Request  string `json:"request"`
	Tokens   int    `json:"tokens"` // what it costs a model that is shown it; 4 bytes each
}

// serveConsole shows what the gateway made of its configuration.
func (g *Gateway) serveConsole(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	snap := g.snapshot.Load()
	c := console{health: g.health(), Withheld: snap.report.Withheld, Problems: []string{}, Warnings: []string{}}
	for _, t := range snap.tools {
		c.Tools = append(c.Tools, consoleTool{t.Name, t.Upstream, t.Method + " " + t.Path, t.Tokens()})
	}
	for _, p := range snap.report.Problems {
		c.Problems = append(c.Problems, p.Message)
	}
	for _, warning := range snap.report.Warnings {
		c.Warnings = append(c.Warnings, warning.Message)
	}
	replyJSON(w, http.StatusOK, c)
}
