package examples

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShippedFile plays the gateway.yaml that the project ships, as it stands: both systems from the sandbox.
func TestShippedFile(t *testing.T) {
	o := open(t, "../gateway.yaml", nil)
	if n := len(o.Tools()); n < 18 || n > 25 {
		t.Errorf("about twenty tools are promised, and there are %d", n)
	}
	for _, tool := range o.Tools() {
		if len(tool.Name) > 40 {
			t.Errorf("%s: the name is longer than 40", tool.Name)
		}
		if tool.Title == "" || len(tool.Description) < 80 || !strings.Contains(tool.Description, "(NetSuite)") && !strings.Contains(tool.Description, "(Salesforce)") {
			t.Errorf("%s: %q says too little to choose it by", tool.Name, tool.Description)
		}
	}

	// Somebody asks for the company behind a deal that was won, and what it still owes.
	deal := o.call("execute_soql", `{"q":"SELECT Id, AccountId, Amount FROM Opportunity WHERE Name = 'Laboratory survey and support'"}`)
	account := o.call("get_account", `{"id":"`+at(deal, "records.0.AccountId")+`"}`)
	equal(t, "the account", at(account, "Name"), "Glasswing Optics")
	customer := o.call("get_customer", `{"id":"`+at(account, "NetSuite_Customer_Id__c")+`"}`)
	equal(t, "the customer", at(customer, "companyName"), "Glasswing Optics")
	equal(t, "its account", at(customer, "externalId"), at(account, "Id"))
	owed := o.call("execute_suiteql", `{"q":"SELECT id, amountremaining FROM transaction WHERE type = 'CustInvc' AND entity = `+at(customer, "id")+` AND amountremaining > 0"}`)
	invoice := o.call("get_invoice", `{"id":"`+at(owed, "items.0.id")+`"}`)
	equal(t, "what is owed", at(invoice, "amountRemaining"), at(customer, "balance"))

	// A new customer orders, and is billed.
	made := o.call("create_customer", `{"companyName":"Lantern Yard","email":"office@lantern.example"}`)
	order := o.call("create_sales_order", `{"entity":{"id":"`+at(made, "id")+`"},"item":{"items":[{"item":{"id":"501"},"quantity":2}]}}`)
	o.call("update_sales_order", `{"id":"`+at(order, "id")+`","orderStatus":{"id":"B"},"memo":"before Easter"}`)
	approved := o.call("get_sales_order", `{"id":"`+at(order, "id")+`"}`)
	equal(t, "the total", at(approved, "total"), "960")
	equal(t, "the customer's name", at(approved, "entity.refName"), "Lantern Yard")
	equal(t, "the status", at(approved, "orderStatus.refName"), "Pending Fulfillment")
	bill := o.call("invoice_sales_order", `{"id":"`+at(order, "id")+`"}`)
	equal(t, "the invoice's order", at(o.call("get_invoice", `{"id":"`+at(bill, "id")+`"}`), "createdFrom.id"), at(order, "id"))
	o.call("delete_customer", `{"id":"`+at(made, "id")+`"}`)
	o.fails("get_customer", `{"id":"`+at(made, "id")+`"}`, "There is no customer")

	// What a model gets wrong is answered with what would be right.
	o.fails("update_opportunity", `{"id":"006Ab00000Wz006QAC","StageName":"Won"}`, "Closed Won")
	o.fails("execute_suiteql", `{"q":"SELECT id FROM customers"}`, `did you mean "customer"?`)
	o.fails("execute_soql", `{"q":"SELECT Phone2 FROM Account"}`, "Phone")
}

// TestShippedLists follows the lists of both systems to their end, page by page and joined.
func TestShippedLists(t *testing.T) {
	file, err := os.ReadFile("../gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	specs, err := filepath.Abs("../specs")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(file), "spec: specs/", "spec: "+specs+"/")
	small := strings.Replace(text, "batchSize=200", "batchSize=5", 1)
	if small == text {
		t.Fatal("the file does not say how many rows a page has")
	}
	copied := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(copied, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	o := open(t, copied, nil)
	for _, test := range []struct {
		tool, items string
		arguments   map[string]any
		calls, want int
	}{
		{"list_invoices", "items", map[string]any{}, 1, 8},
		{"list_invoices", "items", map[string]any{"limit": 3}, 3, 8},
		{"list_customer", "items", map[string]any{"limit": 4, "offset": 4}, 2, 6},
		{"execute_suiteql", "items", map[string]any{"q": "SELECT id FROM customer ORDER BY id", "limit": 4}, 3, 10},
		{"execute_soql", "records", map[string]any{"q": "SELECT Id FROM Account"}, 1, 12},
	} {
		seen := map[string]bool{}
		calls := 0
		for next := ""; calls == 0 || next != ""; calls++ {
			if next != "" {
				test.arguments["next"] = next
			}
			arguments, err := json.Marshal(test.arguments)
			if err != nil {
				t.Fatal(err)
			}
			outcome := o.Call(t.Context(), test.tool, arguments)
			var items []map[string]any
			fields := map[string]json.RawMessage{}
			if err := json.Unmarshal(outcome.Data, &fields); err != nil {
				t.Fatalf("%s: %v in %s %+v", test.tool, err, outcome.Data, outcome.Errors)
			}
			if err := json.Unmarshal(fields[test.items], &items); err != nil {
				t.Fatalf("%s: %v in %s", test.tool, err, outcome.Data)
			}
			for _, item := range items {
				seen[fmt.Sprint(item["id"], item["Id"])] = true
			}
			next = outcome.Next
			if calls > 20 {
				t.Fatal("it has no end")
			}
		}
		if calls != test.calls || len(seen) != test.want {
			t.Errorf("%s(%v): %d items in %d calls, want %d in %d", test.tool, test.arguments, len(seen), calls, test.want, test.calls)
		}
	}
}

// TestShippedFileWithARealUpstream names one in the environment.
func TestShippedFileWithARealUpstream(t *testing.T) {
	url, all := recorder(t, func(seen) (int, string) { return 200, `{"items":[]}` })
	o := open(t, "../gateway.yaml", map[string]string{"NETSUITE_BASE_URL": url + "/services/rest", "NETSUITE_TOKEN": "t0ken"})
	o.call("execute_suiteql", `{"q":"SELECT id FROM customer"}`)
	got := (*all)[0]
	equal(t, "the request", got.line, "POST /services/rest/query/v1/suiteql")
	equal(t, "Prefer", got.header.Get("Prefer"), "transient")
	equal(t, "Authorization", got.header.Get("Authorization"), "Bearer t0ken")
	equal(t, "the body", got.body, `{"q":"SELECT id FROM customer FETCH FIRST 1000 ROWS ONLY"}`)
	equal(t, "the sandbox's answer for the other", at(o.call("execute_soql", `{"q":"SELECT COUNT() FROM Account"}`), "totalSize"), "12")
}

// TestEnvironmentExample holds .env.example to the variables that gateway.yaml reads.
func TestEnvironmentExample(t *testing.T) {
	file, err := os.ReadFile("../gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]bool{}
	for _, m := range regexp.MustCompile(`\$\{(\w+)`).FindAllStringSubmatch(string(file), -1) {
		read[m[1]] = true
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#?([A-Z][A-Z0-9_]*)=`).FindAllStringSubmatch(string(example), -1) {
		named[m[1]] = true
	}
	if diff := cmp.Diff(read, named); diff != "" {
		t.Errorf(".env.example names other variables than gateway.yaml reads (-read +named):\n%s", diff)
	}
}

// TestShippedFileTellsOfErrors plays what the two systems answer to calls that can't be.
func TestShippedFileTellsOfErrors(t *testing.T) {
	answers := map[string]struct {
		status int
		body   string
	}{
		"GET /customer/1": {404, `{"o:errorDetails":[{"detail":"no such record","o:errorCode":"NONEXISTENT_ID"}]}`},
		"POST /customer":  {400, `{"o:errorDetails":[{"detail":"it is there already","o:errorCode":"DUP_ENTITY"}]}`},
		"GET /Account/1":  {401, `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`},
		"POST /Account":   {200, `{"id":null,"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":"Name is missing","fields":["Name"]}]}`},
	}
	url, _ := recorder(t, func(s seen) (int, string) {
		method, path, _ := strings.Cut(s.line, " ")
		for want, answer := range answers {
			wantMethod, suffix, _ := strings.Cut(want, " ")
			if method == wantMethod && strings.HasSuffix(path, suffix) {
				return answer.status, answer.body
			}
		}
		return 500, `{}`
	})
	o := open(t, "../gateway.yaml", map[string]string{"NETSUITE_BASE_URL": url, "NETSUITE_TOKEN": "t", "SALESFORCE_BASE_URL": url, "SALESFORCE_TOKEN": "t"})
	o.fails("get_customer", `{"id":"1"}`, "record.not_found")
	o.fails("create_customer", `{"companyName":"x"}`, "record.duplicate")
	o.fails("get_account", `{"id":"1"}`, "authentication.token.expired")
	o.fails("create_account", `{"Name":"x"}`, "Name is missing")
}
