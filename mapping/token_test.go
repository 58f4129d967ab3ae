package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A {token.NAME} is what a provider said: it stands in its place and changes nothing around it.
func TestTokenVariable(t *testing.T) {
	tests := []struct{ base, value, want string }{
		{"{token.instance_url}/services/data", "https://acme.my.salesforce.com", "https://acme.my.salesforce.com/services/data/pets"},
		{"{token.instance_url}/services", "https://acme.example:8443/", "https://acme.example:8443/services/pets"},
		{"{token.instance_url}", "https://acme.example/sub/path", "https://acme.example/sub/path/pets"},
		{"https://{token.company}.api.example", "1234-sb1", "https://1234-sb1.api.example/pets"},
		{"https://api.example/{token.company}", "a/b", "https://api.example/a/b/pets"},
		{"{token.instance_url}", "https://evil@acme.example", ""},
		{"{token.instance_url}", "https://acme.example?x=", ""},
		{"{token.instance_url}", "https://acme.example#", ""},
		{"{token.instance_url}", "https://acme.example/../x", ""},
		{"{token.instance_url}", "file:///etc/passwd", ""},
		{"https://{token.company}.api.example", "evil.example/", ""},
		{"https://{token.company}.api.example", "a@b", ""},
		{"https://{token.company}.api.example", "evil.example/x", ""},
		{"https://{token.company}.api.example", "https://evil.example", ""},
		{"https://api.example/{token.company}", "..", ""},
		{"https://api.example/{token.company}", "", ""},
	}
	for _, test := range tests {
		tool := &Tool{template: template{method: "GET", base: test.base, path: "/pets"}}
		args := Arguments{}
		for _, name := range tool.TokenVariables() {
			args.FillToken(name, test.value)
		}
		got, err := tool.template.url(args)
		if err != nil {
			got = ""
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s with %q: %v %s", test.base, test.value, err, diff)
		}
	}
	if _, err := (&template{base: "{token.instance_url}", path: "/"}).url(Arguments{}); err == nil {
		t.Error("a base that nothing fills")
	}
}
