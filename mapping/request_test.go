package mapping

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/specs"
)

func TestNewRequest(t *testing.T) {
	tool := &Tool{Upstream: "pets", template: template{
		method: "POST",
		base:   "https://{region}.api.example/v1",
		path:   "/pets/{id}/toys",
		segments: []slot{
			{name: "region", argument: "region", variable: true},
			{name: "id", argument: "pet_id", style: "simple"},
		},
		query: []slot{
			{name: "zone", value: json.Number("7"), style: "form"},
			{name: "limit", argument: "limit", style: "form", explode: true},
			{name: "tags", argument: "tags", style: "form", explode: true},
		},
		headers: []slot{
			{name: "If-Match", argument: "if_match", style: "simple"},
			{name: "Accept-Language", argument: "language", style: "simple"},
			{name: "X-Null", argument: "if_none", style: "simple"},
		},
		cookies: []slot{{name: "session", argument: "session", style: "form"}, {name: "b", value: "2", style: "form"}},
		static:  []staticHeader{{"accept-language", config.NewSecret("en")}, {"Host", config.NewSecret("virtual.example")}, {"cookie", config.NewSecret("c=3")}},
		accept:  "application/json",
		body: &bodyTemplate{mediaType: "application/json", properties: []slot{
			{name: "name", argument: "name"}, {name: "weight", argument: "weight"}, {name: "owner", argument: "owner"},
			{name: "kind", value: "toy"}, {name: "absent", argument: "absent"},
		}},
	}}
	req, err := tool.NewRequest(t.Context(), Arguments{
		"region": "eu-1", "pet_id": "a/b c", "tags": []any{"x&y", "z"}, "if_match": `"7"`, "session": "a b",
		"language": "de", "if_none": nil, "name": "<Rex>", "weight": json.Number("12345678901234567890"), "owner": nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `POST /v1/pets/a%2Fb%20c/toys?zone=7&tags=x%26y&tags=z HTTP/1.1
Host: virtual.example
User-Agent: Go-http-client/1.1
Content-Length: 72
Accept: application/json
Accept-Language: en
Content-Type: application/json
Cookie: session=a%20b; b=2; c=3
If-Match: "7"

{"kind":"toy","name":"<Rex>","owner":null,"weight":12345678901234567890}`
	var wire strings.Builder
	if err := req.Write(&wire); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, strings.ReplaceAll(wire.String(), "\r\n", "\n")); diff != "" {
		t.Error(diff)
	}
	if req.URL.Host != "eu-1.api.example" {
		t.Errorf("the request goes to %s", req.URL.Host)
	}
	again, err := req.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(again); err != nil || int64(len(body)) != req.ContentLength {
		t.Errorf("the body can't be rewound: %q, %v", body, err)
	}
}

// TestURL: the parts of documents and of gateway.yaml that a URL is made of.
func TestURL(t *testing.T) {
	tests := map[string]struct {
		template template
		args     Arguments
		want     string
	}{
		"a query in the base": {
			template{base: "https://api.example/v1?tenant=7", path: "/pets", query: []slot{{name: "q", argument: "q", style: "form"}}},
			Arguments{"q": "x"}, "https://api.example/v1/pets?tenant=7&q=x"},
		"a query in the path": {
			template{base: "https://api.example", path: "/pets?action=find&by={by}", segments: []slot{{name: "by", argument: "by"}}},
			Arguments{"by": "a&b"}, "https://api.example/pets?action=find&by=a%26b"},
		"a fragment in the path": {
			template{base: "https://api.example", path: "/#X-Amz-Target=Pets.List"}, nil, "https://api.example/"},
		"odd characters in the path": {
			template{base: "https://api.example", path: `/pets/(id='{id}',"x"|y)/%7Bz%7D/100%/ü`, segments: []slot{{name: "id", argument: "id"}}},
			Arguments{"id": json.Number("7")}, "https://api.example/pets/(id='7',%22x%22%7Cy)/%7Bz%7D/100%25/%C3%BC"},
		"several values in a segment": {
			template{base: "https://api.example", path: "/compare/{a}...{b}", segments: []slot{{name: "a", argument: "a"}, {name: "b", argument: "b"}}},
			Arguments{"a": "v1/x", "b": "main"}, "https://api.example/compare/v1%2Fx...main"},
		"a fixed variable holds what its author wrote": {
			template{base: "http://{host}/{base}", path: "/pets", segments: []slot{
				{name: "host", value: "localhost:8080", variable: true}, {name: "base", value: "api/v2", variable: true}}},
			nil, "http://localhost:8080/api/v2/pets"},
		"a name that no URL could hold": {
			template{base: "https://api.example", path: "/a b/{account id}é", segments: []slot{{name: "account id", argument: "a"}}},
			Arguments{"a": "7"}, "https://api.example/a%20b/7%C3%A9"},
		"variables that the model chooses": {
			template{base: "{scheme}://{region}.api.example:{port}/x/{version}", path: "/pets", segments: []slot{
				{name: "scheme", argument: "s", variable: true}, {name: "region", argument: "r", variable: true},
				{name: "port", argument: "p", variable: true}, {name: "version", argument: "v", variable: true}}},
			Arguments{"s": "https", "r": "eu-1.west", "p": json.Number("8443"), "v": "api/v2.1"},
			"https://eu-1.west.api.example:8443/x/api/v2.1/pets"},
		"a slash at the end": {template{base: "https://api.example", path: "/pets/"}, nil, "https://api.example/pets/"},
		"no path":            {template{base: "https://api.example/graphql", path: ""}, nil, "https://api.example/graphql"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.template.method = "GET"
			req, err := (&Tool{template: test.template}).NewRequest(t.Context(), test.args)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, req.URL.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestArgumentsThatDoNotFitTheirPlace(t *testing.T) {
	tool := &Tool{template: template{
		method: "GET", base: "https://{region}.api.example/{version}", path: "/pets/{id}",
		segments: []slot{{name: "version", argument: "version", variable: true}, {name: "region", argument: "region", variable: true}, {name: "id", argument: "pet_id", style: "simple"}},
		headers:  []slot{{name: "X-Note", argument: "note", style: "simple"}},
	}}
	tests := []struct {
		argument string
		value    any
		want     string
	}{
		{"pet_id", "", `pet_id must not be empty: it is part of the path`},
		{"pet_id", nil, `pet_id must not be empty: it is part of the path`},
		{"pet_id", []any{}, `pet_id must not be empty: it is part of the path`},
		{"pet_id", ".", `pet_id must not be "." or "..", nor hold them between slashes: it is part of the path`},
		{"pet_id", "..", `pet_id must not be "." or "..", nor hold them between slashes: it is part of the path`},
		{"pet_id", "a/../../admin", `pet_id must not be "." or "..", nor hold them between slashes: it is part of the path`},
		{"pet_id", `..\admin`, `pet_id must not be "." or "..", nor hold them between slashes: it is part of the path`},
		{"region", "evil.example/", `region may hold letters, digits, dots, hyphens and underscores`},
		{"region", "a@evil.example", `region may hold letters, digits, dots, hyphens and underscores`},
		{"region", "evil.example#", `region may hold letters, digits, dots, hyphens and underscores`},
		{"region", "evil.example:80", `region may hold letters, digits, dots, hyphens and underscores`},
		{"region", "evil.example?", `region may hold letters, digits, dots, hyphens and underscores`},
		{"region", "", `region may hold letters, digits, dots, hyphens and underscores`},
		{"version", "../admin", `version may hold letters, digits, dots, hyphens, underscores and single slashes`},
		{"version", "v1/./x", `version may hold letters, digits, dots, hyphens, underscores and single slashes`},
		{"version", "v1//x", `version may hold letters, digits, dots, hyphens, underscores and single slashes`},
		{"version", "v1?x", `version may hold letters, digits, dots, hyphens, underscores and single slashes`},
		{"note", "a\r\nX-Admin: 1", `note must not hold line breaks or control characters: it is sent as a header`},
		{"note", "a\x00b", `note must not hold line breaks or control characters: it is sent as a header`},
	}
	for _, test := range tests {
		args := Arguments{"region": "eu", "version": "v1", "pet_id": "7", "note": "x"}
		args[test.argument] = test.value
		_, err := tool.NewRequest(t.Context(), args)
		if !errors.Is(err, fault.Input) {
			t.Errorf("%s = %q: %v", test.argument, test.value, err)
			continue
		}
		if diff := cmp.Diff(test.want, err.Error()); diff != "" {
			t.Error(diff)
		}
		if fields := fault.From(err).Fields; len(fields) != 1 || fields[0].Path != test.argument {
			t.Errorf("fields are %v", fields)
		}
	}
	if _, err := tool.NewRequest(t.Context(), Arguments{"region": "eu", "version": "v1"}); !errors.Is(err, fault.Input) {
		t.Errorf("without pet_id: %v", err)
	}
}

// An object whose keys become parameters must not set one that gateway.yaml has fixed, or that is another argument.
func TestExplodedObjectKeepsToItself(t *testing.T) {
	object := slot{name: "filter", argument: "filter", style: "form", explode: true}
	company := slot{name: "companyId", value: "7", style: "form", explode: true}
	form := &bodyTemplate{mediaType: "application/x-www-form-urlencoded", properties: []slot{object, company},
		encoding: map[string]specs.Encoding{"filter": {Style: "form", Explode: true}}}
	for name, place := range map[string]template{
		"query":  {query: []slot{company, object}},
		"cookie": {cookies: []slot{object, company}},
		"form":   {body: form},
	} {
		place.method, place.base = "POST", "https://api.example"
		tool := &Tool{template: place}
		if _, err := tool.NewRequest(t.Context(), Arguments{"filter": map[string]any{"name": "x", "filter": "y"}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err := tool.NewRequest(t.Context(), Arguments{"filter": map[string]any{"name": "x", "companyId": "8"}})
		if !errors.Is(err, fault.Input) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if diff := cmp.Diff(`filter must not hold the key "companyId": that is an argument of its own`, err.Error()); diff != "" {
			t.Error(diff)
		}
	}
}

// Style cookie, of OpenAPI 3.2, encodes nothing, so that there is more that it can't hold.
func TestCookieStyle(t *testing.T) {
	tool := &Tool{template: template{method: "GET", base: "https://api.example", cookies: []slot{
		{name: "a", argument: "a", style: "cookie", explode: true}, {name: "b", argument: "b", style: "cookie"}}}}
	req, err := tool.NewRequest(t.Context(), Arguments{"a": []any{"x=%20", "y"}, "b": []any{"1", "2"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("a=x=%20; a=y; b=1,2", req.Header.Get("Cookie")); diff != "" {
		t.Error(diff)
	}
	for _, value := range []string{"x; y=1", "x y", "x\r\ny"} {
		if _, err := tool.NewRequest(t.Context(), Arguments{"a": value}); !errors.Is(err, fault.Input) {
			t.Errorf("%q: got %v", value, err)
		}
	}
}

// TestBytesSent reads what net/http really writes to a connection.
func TestBytesSent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	lines := make(chan string, 1)
	go func() {
		defer close(lines)
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		line, err := bufio.NewReader(connection).ReadString('\n')
		if err != nil {
			return
		}
		lines <- line
		_, _ = io.WriteString(connection, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
	}()
	tool := &Tool{template: template{method: "GET", base: "http://" + listener.Addr().String() + "/v1", path: "/pets/{id}/toys",
		segments: []slot{{name: "id", argument: "id", style: "simple"}}}}
	req, err := tool.NewRequest(t.Context(), Arguments{"id": "a/b?c#d%2e;é\r\n\x00"})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if diff := cmp.Diff("GET /v1/pets/a%2Fb%3Fc%23d%252e%3B%C3%A9%0D%0A%00/toys HTTP/1.1\r\n", <-lines); diff != "" {
		t.Error(diff)
	}
}

// FuzzPath: whatever a path value holds, scheme, host, prefix and the number of segments stay, and decoding gives the
// value back; or the value is refused.
func FuzzPath(f *testing.F) {
	for _, value := range []string{"7", "a/b", "..", ".", "../x", "%2e%2e", "?a=b", "#f", "a;b", "\r\nX: y", "\x00", "é", "", `\..\`,
		"@evil.example", "//evil.example", ".%2e", "..;/x", "{id}", " "} {
		f.Add(value, uint8(0))
		f.Add(value, uint8(3))
	}
	f.Fuzz(func(t *testing.T, value string, style uint8) {
		styles := []struct{ style, before string }{{"simple", ""}, {"label", "."}, {"matrix", ";id="}}
		chosen := styles[int(style)%len(styles)]
		tool := &Tool{template: template{method: "GET", base: "https://api.example:8443/v1/x", path: "/pets/{id}/toys",
			segments: []slot{{name: "id", argument: "id", style: chosen.style}}}}
		req, err := tool.NewRequest(t.Context(), Arguments{"id": value})
		if err != nil {
			if !errors.Is(err, fault.Input) {
				t.Fatalf("%q: %v", value, err)
			}
			return
		}
		if req.URL.Scheme != "https" || req.URL.Host != "api.example:8443" || req.Host != "api.example:8443" ||
			req.URL.User != nil || req.URL.RawQuery != "" || req.URL.Fragment != "" {
			t.Fatalf("%q leads to %s", value, req.URL)
		}
		sent := req.URL.RequestURI()
		rest, ok := strings.CutPrefix(sent, "/v1/x/pets/")
		middle, ok2 := strings.CutSuffix(rest, "/toys")
		if !ok || !ok2 || strings.ContainsAny(middle, "/\\?# \r\n\x00") {
			t.Fatalf("%q is sent as %s", value, sent)
		}
		back, err := url.PathUnescape(middle)
		if err != nil {
			t.Fatal(err)
		}
		if value == "" && chosen.style == "matrix" {
			chosen.before = ";id"
		}
		if back != chosen.before+value {
			t.Fatalf("%q came back as %q", value, back)
		}
		// A server or proxy that decodes first and then resolves dot segments ends up below the prefix all the same.
		if resolved := (&url.URL{Path: req.URL.Path}).JoinPath().Path; !strings.HasPrefix(resolved, "/v1/x/pets/") {
			t.Fatalf("%q resolves to %s", value, resolved)
		}
	})
}

// What Compile should have found is the operator's to mend, and no panic.
func TestUnfilled(t *testing.T) {
	for _, template := range []template{
		{base: "https://{region}.api.example", path: "/"},
		{base: "https://api.example/{version}", path: "/"},
		{base: "https://api.example", path: "/{id}"},
		{base: "https://api.example", path: "/?x={id}"},
		{base: "https://api.example", path: "/{id"},
	} {
		if _, err := (&Tool{template: template}).NewRequest(t.Context(), nil); !errors.Is(err, fault.ConfigurationInvalid) {
			t.Errorf("%s%s: %v", template.base, template.path, err)
		}
	}
}
