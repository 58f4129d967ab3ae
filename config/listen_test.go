package config

import "testing"

func TestDefaultListen(t *testing.T) {
	for name, test := range map[string]struct {
		yaml             string
		env              []string
		listen, url      string
		open             bool
		relisten, newURL string
	}{
		"nobody is asked": {
			listen: "127.0.0.1:8080", url: "http://localhost:8080", relisten: "127.0.0.1:9", newURL: "http://localhost:9",
		},
		"a platform's PORT": {
			env: []string{"PORT=9090", "WEBSITES_PORT=7"}, listen: ":9090", url: "http://localhost:9090", open: true,
			relisten: ":9", newURL: "http://localhost:9",
		},
		"Azure's name for it": {env: []string{"PORT=", "WEBSITES_PORT=7070"}, listen: ":7070", url: "http://localhost:7070", open: true,
			relisten: ":9", newURL: "http://localhost:9"},
		"callers show a key": {
			yaml:   "auth: {mode: api_key, api_key: {keys: [{name: a, sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae}]}}\n",
			listen: ":8080", url: "http://localhost:8080", relisten: ":9", newURL: "http://localhost:9",
		},
		"the file decides": {
			yaml: "server: {listen: \"127.0.0.1:1234\", public_url: \"https://gw.example\"}\n", env: []string{"PORT=9090"},
			listen: "127.0.0.1:1234", url: "https://gw.example", relisten: ":9", newURL: "https://gw.example",
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, map[string]string{"gateway.yaml": test.yaml + "upstreams: {a: {spec: a.yaml}}\n"})
			cfg, err := Load(file, variables(test.env...))
			if err != nil {
				t.Fatal(err)
			}
			if cfg.Server.Listen != test.listen || cfg.Server.PublicURL != test.url || cfg.Open() != test.open {
				t.Errorf("listen %q, public_url %q, open %t", cfg.Server.Listen, cfg.Server.PublicURL, cfg.Open())
			}
			cfg.Server.Relisten(test.relisten)
			if cfg.Server.Listen != test.relisten || cfg.Server.PublicURL != test.newURL {
				t.Errorf("after Relisten: listen %q, public_url %q", cfg.Server.Listen, cfg.Server.PublicURL)
			}
		})
	}
}
