package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"mcpgate/mapping"
	"mcpgate/specs"
)

// upstream is a sandbox of one document, and the way to call it.
type upstream struct {
	t *testing.T
	s *Sandbox
}

func open(t *testing.T, file string, tools ...*mapping.Tool) upstream {
	t.Helper()
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	document, _, err := specs.Loader{}.Load(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return upstream{t, New([]*specs.Document{document}, tools)}
}

// answered is a response, read.
type answered struct {
	t      *testing.T
	status int
	header http.Header
	text   string
}

// send sends a request: "POST /pets" and a JSON body, or none.
func (u upstream) send(request, body string, header ...string) answered {
	u.t.Helper()
	method, path, _ := strings.Cut(request, " ")
	req, err := http.NewRequestWithContext(u.t.Context(), method, "http://x.sandbox"+path, strings.NewReader(body))
	if err != nil {
		u.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := u.s.RoundTrip(req)
	if err != nil {
		u.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		u.t.Fatal(err)
	}
	return answered{u.t, resp.StatusCode, resp.Header, string(text)}
}

// is demands a status.
func (a answered) is(status int) answered {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("got %d, want %d: %s", a.status, status, a.text)
	}
	return a
}

// at returns the value at a dotted path of the body; "" is the body.
func (a answered) at(path string) any {
	a.t.Helper()
	var v any
	decoder := json.NewDecoder(strings.NewReader(a.text))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		a.t.Fatalf("the body is not JSON: %v: %s", err, a.text)
	}
	if path == "" {
		return v
	}
	for _, key := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[key]
		case []any:
			n := 0
			for _, d := range key {
				n = n*10 + int(d-'0')
			}
			if n >= len(at) {
				a.t.Fatalf("%s: there are %d entries: %s", path, len(at), a.text)
			}
			v = at[n]
		default:
			return nil
		}
	}
	return v
}

// says demands that the value at a path is want, written as in a URL.
func (a answered) says(path, want string) answered {
	a.t.Helper()
	if got := text(a.at(path)); got != want {
		a.t.Errorf("%s is %q, want %q, in %s", path, got, want, a.text)
	}
	return a
}

// has demands n entries in the list at a path.
func (a answered) has(path string, n int) answered {
	a.t.Helper()
	list, ok := a.at(path).([]any)
	if !ok || len(list) != n {
		a.t.Errorf("%q has %d entries, want %d, in %s", path, len(list), n, a.text)
	}
	return a
}

const (
	netsuite   = "../../specs/netsuite.yaml"
	salesforce = "../../specs/salesforce.yaml"
)

func suiteql() *mapping.Tool {
	return &mapping.Tool{Name: "q", Method: "POST", Path: "/query/v1/suiteql", Query: &mapping.Query{Argument: "q", Language: "suiteql"}}
}

func soql() *mapping.Tool {
	return &mapping.Tool{Name: "q", Method: "GET", Path: "/query", Query: &mapping.Query{Argument: "q", Language: "soql"}}
}

// TestNetSuiteStory creates a customer and does with it whatever can be done with one.
func TestNetSuiteStory(t *testing.T) {
	u := open(t, netsuite, suiteql())
	u.send("GET /record/v1/customer/104", "").is(200).says("companyName", "Dovetail Joinery")
	u.send("GET /record/v1/customer?limit=4&offset=8", "").is(200).
		has("items", 2).says("count", "2").says("totalResults", "10").says("hasMore", "false").says("offset", "8").
		says("items.0.id", "109").says("items.0.links.0.href", "http://x.sandbox/record/v1/customer/109")
	u.send("GET /record/v1/customer?q="+"companyName%20START_WITH%20%22Inkwell%22", "").is(200).has("items", 1)

	created := u.send("POST /record/v1/customer", `{"companyName":"Lantern Yard","email":"a@lantern.example","subsidiary":{"id":"2"}}`).is(204)
	if created.text != "" {
		t.Errorf("a 204 has no body, got %q", created.text)
	}
	const place = "http://x.sandbox/record/v1/customer/111"
	if got := created.header.Get("Location"); got != place {
		t.Fatalf("Location is %q, want %q", got, place)
	}
	u.send("GET /record/v1/customer/111", "").is(200).says("companyName", "Lantern Yard").says("entityId", "CUST-111").
		says("balance", "0").says("isInactive", "false").says("subsidiary.refName", "Europe")
	u.send("PATCH /record/v1/customer/111", `{"creditLimit":9007199254740993,"companyName":"Lantern & Yard"}`).is(204)
	u.send("GET /record/v1/customer/111", "").is(200).says("creditLimit", "9007199254740993").
		says("companyName", "Lantern & Yard").says("email", "a@lantern.example")
	u.send("GET /record/v1/customer", "").is(200).says("totalResults", "11")
	u.send("DELETE /record/v1/customer/111", "").is(204)
	u.send("GET /record/v1/customer/111", "").is(404)
}

// TestSalesOrderIsBilled makes an order and an invoice out of it.
func TestSalesOrderIsBilled(t *testing.T) {
	u := open(t, netsuite, suiteql())
	u.send("POST /record/v1/salesOrder", `{"entity":{"id":"104"},"item":{"items":[{"item":{"id":"502"},"quantity":2}]}}`).is(204)
	u.send("GET /record/v1/salesOrder/2013", "").is(200).says("total", "315.5").says("tranId", "SO-2013").
		says("entity.refName", "Dovetail Joinery").says("item.items.0.item.refName", "Display shelf").
		says("item.items.0.amount", "315.5").says("orderStatus.refName", "Pending Approval").says("type", "SalesOrd")
	billed := u.send("POST /record/v1/salesOrder/2013/!transform/invoice", "").is(204)
	if got := billed.header.Get("Location"); got != "http://x.sandbox/record/v1/invoice/3009" {
		t.Fatalf("Location is %q", got)
	}
	u.send("GET /record/v1/invoice/3009", "").is(200).says("total", "315.5").says("amountRemaining", "315.5").
		says("createdFrom.refName", "Sales order SO-2013").says("type", "CustInvc")
	u.send("POST /record/v1/salesOrder/9/!transform/invoice", "").is(404)
}

// TestSalesforceStory is the same for the CRM, whose answers look otherwise.
func TestSalesforceStory(t *testing.T) {
	u := open(t, salesforce, soql())
	created := u.send("POST /sobjects/Account", `{"Name":"Lantern Yard","Type":"Prospect"}`).is(201).
		says("success", "true").has("errors", 0)
	id := text(created.at("id"))
	if id != "001Ab00000Kp013QAC" {
		t.Fatalf("the id is %q, which is not in the manner of the others", id)
	}
	u.send("GET /sobjects/Account/"+id, "").is(200).says("Id", id).says("Name", "Lantern Yard").
		says("attributes.type", "Account").says("attributes.url", "/sobjects/Account/"+id)
	u.send("PATCH /sobjects/Account/"+id, `{"Industry":"Retail"}`).is(204)
	u.send("GET /sobjects/Account/"+id, "").is(200).says("Industry", "Retail").says("Type", "Prospect")
	u.send("DELETE /sobjects/Account/"+id, "").is(204)
	u.send("GET /sobjects/Account/"+id, "").is(404).says("0.errorCode", "NOT_FOUND")
	u.send("POST /sobjects/Contact", `{"FirstName":"Ada","LastName":"Lindqvist"}`).is(201)
	u.send("GET /sobjects/Contact/003Ab00000Tn014QAC", "").is(200).says("Name", "Ada Lindqvist")
}

// TestErrorsAreInTheDocumentsManner shows what a model learns from its mistakes.
func TestErrorsAreInTheDocumentsManner(t *testing.T) {
	ns, sf := open(t, netsuite, suiteql()), open(t, salesforce, soql())
	ns.send("POST /record/v1/customer", `{"email":"a@b.example"}`).is(400).
		says("status", "400").says("o:errorDetails.0.detail", "The required field companyName is missing.").
		says("o:errorDetails.0.o:errorPath", "companyName")
	ns.send("POST /record/v1/customer", `{"companyName":7}`).is(400).
		says("o:errorDetails.0.detail", "The field companyName has to be a string, not integer.")
	ns.send("POST /record/v1/salesOrder", `{"entity":{"id":"104"},"item":{"items":[{"quantity":1}]}}`).is(400).
		says("o:errorDetails.0.o:errorPath", "item.items[0].item")
	ns.send("GET /record/v1/customer/999", "").is(404).
		says("o:errorDetails.0.detail", `There is no customer with the id "999"; ids here look like "110".`)
	ns.send("POST /record/v1/customer", `{"companyName":`).is(400)
	ns.send("POST /record/v1/customer", "").is(400).says("o:errorDetails.0.detail", "The request needs a body.")
	ns.send("POST /query/v1/suiteql", `{"q":"SELECT id FROM customer"}`).is(400).
		says("o:errorDetails.0.detail", "The header Prefer is missing.")
	sf.send("POST /sobjects/Opportunity", `{"Name":"x","StageName":"Won","CloseDate":"2026-01-01"}`).is(400).
		says("0.fields.0", "StageName")
	sf.send("POST /sobjects/Opportunity", `{"Name":"x","StageName":"Proposal","CloseDate":"tomorrow"}`).is(400).
		says("0.message", `The field CloseDate has to be a date such as 2026-01-31, not "tomorrow".`)
	sf.send("POST /sobjects/Opportunity", `{"Name":"x","StageName":"Proposal","CloseDate":"2026-01-01","Probability":101}`).is(400).
		says("0.message", "The field Probability can't be 101: its maximum is 100.")
	sf.send("POST /sobjects/Account", `{}`).is(400).says("0.errorCode", "REQUIRED_FIELD_MISSING").says("0.fields.0", "Name")
	if got := text(sf.send("GET /sobjects/Lead/1", "").is(404).at("0.message")); !strings.Contains(got, "/sobjects/Account/{id}") {
		t.Errorf("an unknown path is answered without the known ones: %s", got)
	}
	not := ns.send("PUT /record/v1/customer/104", "{}").is(405)
	if got := not.header.Get("Allow"); got != "DELETE, GET, PATCH" {
		t.Errorf("Allow is %q", got)
	}
}
