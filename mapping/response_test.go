package mapping

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/specs"
)

// jsonTool expects JSON, as most operations do.
func jsonTool() *Tool {
	return &Tool{Upstream: "pets", MaxBytes: 1000, MaxTokens: 1000,
		InputSchema: json.RawMessage(`{"type":"object","properties":{"pageSize":{},"id":{}}}`),
		responses:   []specs.Response{{Status: "2XX", Content: []specs.Media{{Type: "application/json"}}}}}
}

// answer calls a real server that answers as handler does, and reads and shapes its answer.
func answer(t *testing.T, tool *Tool, handler http.HandlerFunc) (Result, error) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	page, err := tool.ReadPage(resp)
	if err != nil {
		return Result{}, err
	}
	return tool.Shape(t.Context(), []Page{page})
}

func TestShape(t *testing.T) {
	tests := map[string]struct {
		status      int
		contentType string
		header      http.Header
		body        string
		want        Result
	}{
		"JSON keeps its numbers and its order": {
			contentType: "application/json", body: "{\n \"z\": 12345678901234567890,\n \"a\": 1.50, \"h\": \"<b>\" }\n",
			want: Result{Data: json.RawMessage(`{"z":12345678901234567890,"a":1.50,"h":"<b>"}`)},
		},
		"a JSON dialect": {
			contentType: "application/vnd.api+json; charset=utf-8", body: `[ ]`, want: Result{Data: json.RawMessage(`[]`)},
		},
		"JSON in Latin 1": {
			contentType: "application/json;charset=ISO-8859-1", body: "{\"name\":\"Jos\xe9\"}",
			want: Result{Data: json.RawMessage(`{"name":"José"}`)},
		},
		"JSON with a byte order mark and bytes that are no UTF-8": {
			contentType: "application/json", body: "\xef\xbb\xbf{\"name\":\"a\xffb\\ud800\"}",
			want: Result{Data: json.RawMessage(`{"name":"a` + "\uFFFD" + `b\ufffd"}`)},
		},
		"JSON with a guard against scripts": {
			contentType: "application/json", body: ")]}'\n{\"a\":1}", want: Result{Data: json.RawMessage(`{"a":1}`)},
		},
		"JSON that is called HTML": {
			contentType: "text/html; charset=UTF-8", body: ` {"a": 1}`, want: Result{Data: json.RawMessage(`{"a":1}`)},
		},
		"JSON without a type": {
			header: http.Header{"Content-Type": nil}, body: ` [1, 2]`, want: Result{Data: json.RawMessage(`[1,2]`)},
		},
		"one JSON value a line": {
			contentType: "application/x-ndjson", body: "{\"a\": 1}\n\n{\"a\":2}\n",
			want: Result{Data: json.RawMessage(`[{"a":1},{"a":2}]`)},
		},
		"text": {
			contentType: "text/csv", body: "id,name\n1,\"Ann\"\n", want: Result{Data: json.RawMessage(`"id,name\n1,\"Ann\"\n"`)},
		},
		"XML": {
			contentType: "application/xml", body: "<a>&amp;</a>", want: Result{Data: json.RawMessage(`{"a":"&"}`)},
		},
		"an image": {
			contentType: "image/png", body: "\x89PNG\r\n\x1a\n",
			want: Result{Data: json.RawMessage(`{"bytes":8,"media_type":"image/png"}`),
				Media: []Media{{"image/png", []byte("\x89PNG\r\n\x1a\n")}}},
		},
		"bytes without a type": {
			header: http.Header{"Content-Type": nil}, body: "\x00\x01\x02",
			want: Result{Data: json.RawMessage(`{"bytes":3,"media_type":"application/octet-stream"}`),
				Media: []Media{{"application/octet-stream", []byte("\x00\x01\x02")}}},
		},
		"nothing":                           {status: 204},
		"nothing, though JSON was promised": {contentType: "application/json", body: " \n"},
		"a record made without a word": {
			status: 204, header: http.Header{"Location": {"https://erp.example/record/v1/customer/647"}},
			want: Result{Data: json.RawMessage(`{"id":"647","location":"https://erp.example/record/v1/customer/647"}`)},
		},
		"a record made without a word, as Dataverse does it": {
			status: 204, header: http.Header{"OData-EntityId": {"https://org.example/api/data/v9.2/accounts(7eb682f1)"}},
			want: Result{Data: json.RawMessage(`{"id":"7eb682f1","location":"https://org.example/api/data/v9.2/accounts(7eb682f1)"}`)},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := answer(t, jsonTool(), func(w http.ResponseWriter, r *http.Request) {
				if test.contentType != "" {
					w.Header().Set("Content-Type", test.contentType)
				}
				for key, values := range test.header {
					w.Header()[http.CanonicalHeaderKey(key)] = values
				}
				w.WriteHeader(max(test.status, 200))
				_, _ = io.WriteString(w, test.body)
			})
			if err != nil {
				t.Fatal(err)
			}
			test.want.Status = max(test.status, 200)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnexpectedResponse(t *testing.T) {
	tests := map[string]struct {
		status            int
		contentType, body string
		code              fault.Code
		want              string
	}{
		"a login page": {
			contentType: "text/html", body: "<!DOCTYPE html><title>Acme &amp; Co</title><input type=password>",
			code: fault.UnexpectedResponse,
			want: `pets answered 200 with a web page instead of JSON ("Acme & Co"); it looks like a login page`,
		},
		"a page that is called JSON": {
			contentType: "application/json", body: "<html><h1>Oops</h1></html>", code: fault.UnexpectedResponse,
			want: `pets answered 200 with a web page instead of JSON ("Oops"); it looks like an error page, or the page of another server`,
		},
		"half of a JSON": {
			contentType: "application/json", body: `{"items":[1,2`, code: fault.UnexpectedResponse,
			want: "pets answered 200 with JSON that is broken or incomplete",
		},
		"a redirect": {
			status: 304, code: fault.UnexpectedResponse, want: "pets answered 304 Not Modified",
		},
		"several records": {
			status: 300, contentType: "application/json", body: `["/sobjects/Account/1"]`, code: fault.Conflict,
			want: "pets answered 300 Multiple Choices: /sobjects/Account/1",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := answer(t, jsonTool(), func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", test.contentType)
				w.WriteHeader(max(test.status, 200))
				if test.body != "" {
					_, _ = io.WriteString(w, test.body)
				}
			})
			if fault.CodeOf(err) != test.code {
				t.Errorf("code %s, want %s", fault.CodeOf(err), test.code)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	const want = "the answer of pets is larger than 1000 bytes, more than this tool takes"
	for name, size := range map[string]int{"announced": 2000, "streamed": -1} {
		t.Run(name, func(t *testing.T) {
			body := &endless{}
			resp := &http.Response{StatusCode: 200, ContentLength: int64(size), Body: body, Header: http.Header{}}
			_, err := jsonTool().ReadPage(resp)
			if !errors.Is(err, fault.TooLarge) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, err.Error()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff("Ask for less with pageSize (fewer at a time).", fault.From(err).Hint); diff != "" {
				t.Error(diff)
			}
			if !body.closed || body.read > 1001 {
				t.Errorf("read %d bytes, closed: %v", body.read, body.closed)
			}
		})
	}
}

// endless is an answer that never ends.
type endless struct {
	read   int
	closed bool
}

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return copy(p, strings.Repeat("x", len(p))), nil
}

func (e *endless) Close() error {
	e.closed = true
	return nil
}

// An answer that breaks off is the connection's failure: gateway knows what to make of it.
func TestBrokenOff(t *testing.T) {
	_, err := answer(t, jsonTool(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"a":`)
	})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	if errors.Is(err, fault.Gateway) {
		t.Error("it is a fault already")
	}
}

func TestMediaTooLarge(t *testing.T) {
	got, err := jsonTool().Shape(t.Context(), []Page{{Status: 200, MediaType: "image/png", Body: make([]byte, maxMedia+1)}})
	if err != nil {
		t.Fatal(err)
	}
	want := Result{Status: 200, Data: json.RawMessage(`{"bytes":4194305,"media_type":"image/png"}`), Truncated: &Truncated{
		Kept: 0, Total: maxMedia + 1, Unit: "bytes",
		HowToGetMore: "The file is too large to be handed on. Ask for less with pageSize (fewer at a time)."}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Some stores send what they have compressed, whether or not it was asked for.
func TestContentEncoding(t *testing.T) {
	var zipped, deflated bytes.Buffer
	for _, writer := range []io.WriteCloser{gzip.NewWriter(&zipped), zlib.NewWriter(&deflated)} {
		if _, err := io.WriteString(writer, `{"a": "`+strings.Repeat("a", 100)+`"}`); err != nil {
			t.Fatal(err)
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	bomb := strings.Repeat(zipped.String(), 100) // gzip members may follow each other
	tests := map[string]struct {
		coding, body string
		want         error
		message      string
	}{
		"gzip":      {"gzip", zipped.String(), nil, ""},
		"deflate":   {"Deflate", deflated.String(), nil, ""},
		"nothing":   {"gzip", "", nil, ""},
		"a bomb":    {"gzip", bomb, fault.TooLarge, "the answer of pets is larger than 1000 bytes, more than this tool takes"},
		"half":      {"gzip", zipped.String()[:20], fault.UnexpectedResponse, "pets answered 200 with a body compressed as gzip, which can't be read"},
		"something": {"br", "xyz", fault.UnexpectedResponse, "pets answered 200 with a body compressed as br, which can't be read"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := jsonTool().ReadPage(&http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(test.body)),
				Header: http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {test.coding}}})
			if !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if err != nil && err.Error() != test.message {
				t.Errorf("got %q, want %q", err, test.message)
			}
		})
	}
}

// FuzzReadPage: whatever an upstream answers is a fault of the API, or a result that is valid JSON within the limit.
func FuzzReadPage(f *testing.F) {
	for _, contentType := range []string{"application/json", "text/html", "", "application/x-ndjson; charset=latin1", "image/png", "text/csv;charset=utf-16"} {
		f.Add(200, contentType, []byte(`{"items":[1,2,3],"message":"x"}`))
		f.Add(400, contentType, []byte(`{"errors":{"name":["is bad","access_token=abc"]},"detail":[{"loc":["body","x"],"msg":"y"}]}`))
		f.Add(204, contentType, []byte("\xff\xfe<html><title>\x00</title>"))
	}
	f.Add(200, "", []byte("\xef\xbb\xbf"))
	f.Add(500, "", []byte(`{"message":"s3cr3t-k3y","code":"s3cr3t-k3y","errors":{"s3cr3t-k3y":["s3cr3t-k3y"]}}`))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		const secret = "s3cr3t-k3y"
		tool := jsonTool()
		tool.MaxTokens = 20
		tool.template.static = []staticHeader{{"X-Key", config.NewSecret(secret)}}
		page, err := tool.ReadPage(&http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}},
			Body: io.NopCloser(bytes.NewReader(body)), ContentLength: -1})
		if err != nil {
			f := fault.From(err)
			if f.Code == fault.Internal || f.Message == "" || len(f.Message) > maxDetail+200 || !utf8.ValidString(f.Message) ||
				strings.ContainsAny(f.Message, "\n\x00") {
				t.Fatalf("%+v", f)
			}
			if told := fmt.Sprintf("%s %s %v %+v", f.Message, f.Hint, f.Fields, f.Upstream); strings.Contains(told, secret) {
				t.Fatalf("a secret comes out: %s", told)
			}
			return
		}
		result, err := tool.Shape(t.Context(), []Page{page})
		if err != nil {
			t.Fatal(err)
		}
		if result.Data != nil && (!json.Valid(result.Data) || !utf8.Valid(result.Data)) {
			t.Fatalf("not JSON: %q", result.Data)
		}
		if len(result.Data) > 80 && result.Media == nil {
			t.Fatalf("%d bytes: %s", len(result.Data), result.Data)
		}
	})
}

func TestJSONWithoutABottom(t *testing.T) {
	tool := jsonTool()
	tool.MaxBytes = 1 << 20
	_, err := answer(t, tool, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.Repeat("[", 20000)+strings.Repeat("]", 20000))
	})
	const want = "pets answered 200 with JSON that is nested too deep (over 10000 levels)"
	if f := fault.From(err); f.Code != fault.UnexpectedResponse || f.Message != want {
		t.Errorf("%s %s", f.Code, f.Message)
	}
}

// A field of a body that is one argument is named as the client has to write it; one that the document doesn't declare
// there is what the upstream calls it.
func TestAFieldOfAWholeBodyIsNamedWithItsArgument(t *testing.T) {
	tool := jsonTool()
	tool.template.body = &bodyTemplate{whole: "body", members: []string{"ids", "owner"}}
	tool.template.query = []slot{{name: "ids", argument: "ids"}, {name: "page-size", argument: "page_size"}}
	for wire, want := range map[string]string{
		"ids": "body.ids", "ids[0]": "body.ids[0]", "owner.name": "body.owner.name", "page-size": "page_size", "x": "x",
	} {
		if got := tool.argumentOf(wire); got != want {
			t.Errorf("%s is %s, want %s", wire, got, want)
		}
	}
}

// Without a document a web page is data, but not one with which somebody logs in.
func TestWebPagesWithoutADocument(t *testing.T) {
	for body, isData := range map[string]bool{
		"<html><h1>Report</h1><form action=/search><input name=q></form><a href=/login>Log in</a></html>": true,
		"<html><p>SAMLRequest is a parameter</p></html>":                                                  true,
		"<html><form>Login <input type=password></form></html>":                                           false,
		`<html><form action="https://idp.example/"><input name="SAMLRequest" value="x"></form></html>`:    false,
	} {
		tool := jsonTool()
		tool.responses = nil
		_, err := answer(t, tool, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, body)
		})
		if isData && err != nil || !isData && fault.From(err).Code != fault.UnexpectedResponse {
			t.Errorf("%s: %v", body, err)
		}
	}
}
