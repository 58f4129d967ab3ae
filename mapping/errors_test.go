package mapping

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// TestStatusFault: the ways in which products say what is wrong.
func TestStatusFault(t *testing.T) {
	tests := map[string]struct {
		status      int
		contentType string
		header      http.Header
		body        string
		code        fault.Code
		message     string
		fields      []fault.Field
		upstream    fault.Upstream
	}{
		"RFC 9457": {
			status: 422, contentType: "application/problem+json",
			body: `{"type":"https://example.com/probs/validation","title":"Your request is not valid.","detail":"2 fields are wrong",
				"errors":[{"detail":"must be a positive integer","pointer":"#/age"},{"detail":"must be green","pointer":"#/profile/color"}]}`,
			code:    fault.Validation,
			message: "pets answered 422 Unprocessable Entity: 2 fields are wrong; must be a positive integer; must be green",
			fields:  []fault.Field{{Path: "age", Message: "must be a positive integer"}, {Path: "profile.color", Message: "must be green"}},
		},
		"RFC 9457 with nothing but a title": {
			status: 400, contentType: "application/problem+json", body: `{"type":"about:blank","title":"Bad thing"}`,
			code: fault.Validation, message: "pets answered 400 Bad Request: Bad thing",
		},
		"Salesforce": {
			status: 400, contentType: "application/json;charset=UTF-8",
			body: `[{"message":"Required fields are missing: [Name]","errorCode":"REQUIRED_FIELD_MISSING","fields":["Name"]}]`,
			code: fault.Validation, message: "pets answered 400 Bad Request: Required fields are missing: [Name]",
			fields:   []fault.Field{{Path: "full_name", Message: "Required fields are missing: [Name]"}},
			upstream: fault.Upstream{Code: "REQUIRED_FIELD_MISSING"},
		},
		"Salesforce's expired session": {
			status: 401, contentType: "application/json", body: `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`,
			code: fault.CredentialsInvalid, message: "pets answered 401 Unauthorized: Session expired or invalid",
			upstream: fault.Upstream{Code: "INVALID_SESSION_ID"},
		},
		"NetSuite": {
			status: 400, contentType: "application/vnd.oracle.resource+json; type=error",
			header: http.Header{"X-N-OperationId": {"7d3b"}},
			body: `{"type":"https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.4.1","title":"Bad Request","status":400,
				"o:errorDetails":[{"detail":"Please enter value(s) for: Company Name","o:errorCode":"USER_ERROR","o:errorPath":"companyName"}]}`,
			code: fault.Validation, message: "pets answered 400 Bad Request: Please enter value(s) for: Company Name",
			fields:   []fault.Field{{Path: "companyName", Message: "Please enter value(s) for: Company Name"}},
			upstream: fault.Upstream{Code: "USER_ERROR", RequestID: "7d3b"},
		},
		"GitHub": {
			status: 422, contentType: "application/json; charset=utf-8", header: http.Header{"X-GitHub-Request-Id": {"ABCD:1"}},
			body: `{"message":"Validation Failed","errors":[{"resource":"Issue","field":"title","code":"missing_field"}],"documentation_url":"https://x"}`,
			code: fault.Validation, message: "pets answered 422 Unprocessable Entity: Validation Failed; title: missing_field",
			fields:   []fault.Field{{Path: "title", Message: "missing_field"}},
			upstream: fault.Upstream{Code: "missing_field", RequestID: "ABCD:1"},
		},
		"Google": {
			status: 403, contentType: "application/json",
			body: `{"error":{"code":403,"message":"The caller has no permission","status":"PERMISSION_DENIED","details":[{"@type":"x"}]}}`,
			code: fault.APIPermission, message: "pets answered 403 Forbidden: The caller has no permission",
			upstream: fault.Upstream{Code: "PERMISSION_DENIED"},
		},
		"OAuth": {
			status: 400, contentType: "application/json", body: `{"error":"invalid_grant","error_description":"Token has been revoked"}`,
			code: fault.Validation, message: "pets answered 400 Bad Request: Token has been revoked",
			upstream: fault.Upstream{Code: "invalid_grant"},
		},
		"Stripe": {
			status: 402, contentType: "application/json", header: http.Header{"Request-Id": {"req_1"}},
			body: `{"error":{"code":"card_declined","message":"Your card was declined.","param":"card","type":"card_error"}}`,
			code: fault.APIPermission, message: "pets answered 402 Payment Required: Your card was declined.",
			fields:   []fault.Field{{Path: "card", Message: "Your card was declined."}},
			upstream: fault.Upstream{Code: "card_declined", RequestID: "req_1"},
		},
		"Rails": {
			status: 422, contentType: "application/json", body: `{"errors":{"email":["is taken","is odd"],"age":["is too low"]}}`,
			code: fault.Validation, message: "pets answered 422 Unprocessable Entity: age: is too low; email: is taken; is odd",
			fields: []fault.Field{{Path: "age", Message: "is too low"}, {Path: "mail", Message: "is taken; is odd"}},
		},
		"FastAPI": {
			status: 422, contentType: "application/json",
			body: `{"detail":[{"loc":["body","email"],"msg":"field required","type":"value_error.missing"}]}`,
			code: fault.Validation, message: "pets answered 422 Unprocessable Entity: field required",
			fields:   []fault.Field{{Path: "mail", Message: "field required"}},
			upstream: fault.Upstream{Code: "value_error.missing"},
		},
		"NestJS": {
			status: 400, contentType: "application/json",
			body: `{"statusCode":400,"message":["name must be a string","age must be positive"],"error":"Bad Request"}`,
			code: fault.Validation, message: "pets answered 400 Bad Request: name must be a string; age must be positive",
		},
		"Spring": {
			status: 500, contentType: "application/json",
			body: `{"timestamp":"2026-01-01T00:00:00Z","status":500,"error":"Internal Server Error","path":"/pets"}`,
			code: fault.Server, message: "pets answered 500 Internal Server Error",
		},
		"JSON:API": {
			status: 409, contentType: "application/vnd.api+json",
			body: `{"errors":[{"status":"409","code":"taken","title":"Taken","detail":"The name is taken.","source":{"pointer":"/data/attributes/name"}}]}`,
			code: fault.Conflict, message: "pets answered 409 Conflict: The name is taken.",
			fields: []fault.Field{{Path: "full_name", Message: "The name is taken."}}, upstream: fault.Upstream{Code: "taken"},
		},
		"OData 2": {
			status: 404, contentType: "application/json",
			body: `{"error":{"code":"SY/530","message":{"lang":"en","value":"Resource not found"}}}`,
			code: fault.NotFound, message: "pets answered 404 Not Found: Resource not found",
		},
		"Unleash": {
			status: 400, contentType: "application/json",
			body: `{"id":"x","name":"BadDataError","message":"Request validation failed","details":[{"message":"must have name","path":"/name"}]}`,
			code: fault.Validation, message: "pets answered 400 Bad Request: Request validation failed; must have name",
			fields: []fault.Field{{Path: "full_name", Message: "must have name"}},
		},
		"S3": {
			status: 404, contentType: "application/xml", header: http.Header{"X-Amz-Request-Id": {"4442"}},
			body: `<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>`,
			code: fault.NotFound, message: "pets answered 404 Not Found: The key does not exist.",
			upstream: fault.Upstream{Code: "NoSuchKey", RequestID: "4442"},
		},
		"SOAP": {
			status: 500, contentType: "text/xml",
			body: `<s:Envelope xmlns:s="x"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>Bad key</faultstring></s:Fault></s:Body></s:Envelope>`,
			code: fault.Server, message: "pets answered 500 Internal Server Error: Bad key", upstream: fault.Upstream{Code: "s:Client"},
		},
		"a page of nginx": {
			status: 502, contentType: "text/html", body: "<html>\r\n<head><title>502 Bad Gateway</title></head></html>",
			code: fault.Server, message: "pets answered 502 Bad Gateway",
		},
		"text": {
			status: 405, contentType: "text/plain", body: "use\n  PUT\x07\n", code: fault.Validation,
			message: "pets answered 405 Method Not Allowed: use PUT",
		},
		"nothing":         {status: 412, code: fault.Conflict, message: "pets answered 412 Precondition Failed"},
		"too often":       {status: 429, body: `"slow down"`, code: fault.RateLimit, message: "pets answered 429 Too Many Requests: slow down"},
		"an odd status":   {status: 599, code: fault.Server, message: "pets answered 599"},
		"binary":          {status: 500, body: "\x00\x01", code: fault.Server, message: "pets answered 500 Internal Server Error"},
		"JSON of its own": {status: 400, body: `{"ok":false}`, code: fault.Validation, message: `pets answered 400 Bad Request: {"ok":false}`},
		"half of a JSON":  {status: 400, body: `{"message":"x`, code: fault.Validation, message: `pets answered 400 Bad Request: {"message":"x`},
		"a redirect": {
			status: 302, header: http.Header{"Location": {"https://login.internal/"}}, code: fault.UnexpectedResponse,
			message: "pets answered 302 Found, a redirect that the gateway does not follow",
		},
		"a secret of ours and one of theirs": {
			status: 401, body: `{"message":"key s3cr3t-k3y is unknown; Authorization: Bearer abcdefghijkl was sent"}`,
			code: fault.CredentialsInvalid, message: "pets answered 401 Unauthorized: key [secret] is unknown; Authorization: Bearer [secret] was sent",
		},
		"a header that is no secret": {
			status: 400, body: `{"message":"Prefer: transient is not known"}`, code: fault.Validation,
			message: "pets answered 400 Bad Request: Prefer: transient is not known",
		},
		"a long one": {
			status: 400, body: strings.Repeat("é", 3000), code: fault.Validation,
			message: "pets answered 400 Bad Request: " + strings.Repeat("é", 1022) + " ...",
		},
	}
	tool := jsonTool()
	tool.template.static = []staticHeader{{"X-Key", config.NewSecret("s3cr3t-k3y")}, {"Prefer", config.NewSecret("transient")}}
	tool.template.body = &bodyTemplate{properties: []slot{{name: "email", argument: "mail"}, {name: "name", argument: "full_name"}}}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"Content-Type": {test.contentType}}
			for key, values := range test.header {
				header[http.CanonicalHeaderKey(key)] = values
			}
			_, err := tool.ReadPage(&http.Response{
				StatusCode: test.status, Header: header, Body: io.NopCloser(strings.NewReader(test.body)),
			})
			f := fault.From(err)
			if f.Code != test.code {
				t.Errorf("code %s, want %s", f.Code, test.code)
			}
			if diff := cmp.Diff(test.message, f.Message); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.fields, f.Fields); diff != "" {
				t.Error(diff)
			}
			test.upstream.Status = test.status
			if diff := cmp.Diff(&test.upstream, f.Upstream); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNotFoundPage(t *testing.T) {
	for body, want := range map[string]string{
		"<html><title>404 Not Found</title></html>": "The answer is a web page and not the API's: what this tool calls may not be there at all. The operator of the gateway should check base_url.",
		`{"message":"no such pet"}`:                 "Check the ids among the arguments; a list or search tool shows which exist.",
	} {
		_, err := jsonTool().ReadPage(&http.Response{StatusCode: 404, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))})
		if diff := cmp.Diff(want, fault.From(err).Hint); diff != "" {
			t.Error(diff)
		}
	}
}

func TestMaskSecrets(t *testing.T) {
	tests := []struct{ in, want string }{
		{"Authorization: Bearer abc.DEF-123_456", "Authorization: Bearer [secret]"},
		{"GET /x?access_token=abc123&page=2", "GET /x?access_token=[secret]&page=2"},
		{`{"refresh_token":"a\"b","ok":1}`, `{"refresh_token":"[secret]","ok":1}`},
		{"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln expired", "jwt [secret] expired"},
		{"postgres://app:hunter2@db:5432/x", "postgres://[secret]@db:5432/x"},
		{"password=hunter2; user=ann", "password=[secret]; user=ann"},
		{"api_key: 9f8a7b6c5d", "api_key: [secret]"},
		{"Invalid API key provided: sk_live_abcdefgh1234", "Invalid API key provided: [secret]"},
		{"client_secret='x y'", "client_secret=[secret]"},
		{"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "[secret]"},
		// What a model has to read stays.
		{"password: must be longer than that", "password: must be longer than that"},
		{"Invalid token: it has expired", "Invalid token: it has expired"},
		{"the token is missing", "the token is missing"},
		{"sort=name&limit=10", "sort=name&limit=10"},
		{"basic plan", "basic plan"},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, maskSecrets(test.in)); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff("[secret] and abc", maskSecrets("own-key and abc", "own-key", "abc")); diff != "" {
		t.Error(diff)
	}
}
