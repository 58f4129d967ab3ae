package mapping

import (
	"testing"

	"mcpgate/config"
	"mcpgate/specs"
)

func TestBase(t *testing.T) {
	regional := specs.Server{URL: "https://{region}.example/v1/", Variables: map[string]specs.ServerVariable{
		"region": {Default: "eu", Enum: []string{"eu", "us"}}}}
	for name, test := range map[string]struct {
		upstream config.Upstream
		document specs.Document
		servers  []specs.Server // the operation's own
		want     string
		problem  string
	}{
		"the document's":  {document: specs.Document{Servers: []specs.Server{regional}}, want: "https://eu.example/v1"},
		"the operation's": {document: specs.Document{Servers: []specs.Server{regional}}, servers: []specs.Server{{URL: "https://up.example"}}, want: "https://up.example"},
		"gateway.yaml's": {upstream: config.Upstream{BaseURL: "http://localhost:8080/"}, document: specs.Document{Servers: []specs.Server{regional}},
			servers: []specs.Server{{URL: "https://up.example"}}, want: "http://localhost:8080"},
		"a variable with a value": {upstream: config.Upstream{Variables: map[string]*config.Variable{"region": {Value: "us"}}},
			document: specs.Document{Servers: []specs.Server{regional}}, want: "https://us.example/v1"},
		"a variable that the model chooses": {upstream: config.Upstream{Variables: map[string]*config.Variable{"region": {Argument: true}}},
			document: specs.Document{Servers: []specs.Server{regional}}, want: "https://{region}.example/v1"},
		"relative to a URL": {document: specs.Document{Location: "https://docs.example/api/openapi.yaml", Servers: []specs.Server{{URL: "../v2"}}},
			want: "https://docs.example/v2"},
		"relative to a file": {document: specs.Document{Location: "openapi.yaml", Servers: []specs.Server{{URL: "/v2"}}},
			problem: `upstream "a": "/v2" is not the URL of a server`},
		"no server":        {problem: `upstream "a": its document names no server`},
		"an unknown name":  {document: specs.Document{Servers: []specs.Server{{URL: "https://{x}.example"}}}, problem: `upstream "a": nothing says what {x} in https://{x}.example is`},
		"another protocol": {document: specs.Document{Servers: []specs.Server{{URL: "wss://x.example"}}}, problem: `upstream "a": "wss://x.example" is not the URL of a server`},
		"sandbox":          {upstream: config.Upstream{BaseURL: config.SandboxURL}, document: specs.Document{Servers: []specs.Server{regional}}, want: "http://a.sandbox"},
	} {
		test.upstream.Name = "a"
		c, in := newCompilation(&config.Config{}), &inputs{}
		p := &plan{upstream: &test.upstream, defs: newDefinitions(&test.document), op: &specs.Operation{Servers: test.servers}}
		got, ok := c.base(p, in)
		c.base(p, in) // once more: what is wrong is said once
		switch {
		case test.problem != "" && (len(c.problems) != 1 || c.problems[0].Message != test.problem || ok):
			t.Errorf("%s: %v", name, c.problems)
		case test.problem == "" && (got != test.want || len(c.problems) > 0):
			t.Errorf("%s: got %q, %v", name, got, c.problems)
		}
	}
}
