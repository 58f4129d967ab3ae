package sandbox

import (
	"net/url"
	"strings"
	"testing"
)

func (u upstream) suiteql(query string) answered {
	u.t.Helper()
	return u.send("POST /query/v1/suiteql", `{"q":`+quote(query)+`}`, "Prefer", "transient")
}

func (u upstream) soql(query string) answered {
	u.t.Helper()
	return u.send("GET /query?q="+url.QueryEscape(query), "")
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func TestSuiteQL(t *testing.T) {
	u := open(t, netsuite, suiteql())
	u.suiteql("SELECT id, companyName FROM customer WHERE companyname LIKE 'a%'").is(200).
		has("items", 1).says("items.0.id", "101").says("items.0.companyname", "Alder Lane Bakery").
		says("totalResults", "1").says("hasMore", "false")
	u.suiteql("SELECT id, tranid, total FROM transaction WHERE type = 'SalesOrd' AND entity = 107 ORDER BY trandate DESC").is(200).
		has("items", 2).says("items.0.tranid", "SO-2011").says("items.1.total", "6400.00")
	u.suiteql("SELECT t.id FROM salesOrder t WHERE t.total > 2000 AND (t.entity = 105 OR t.entity = 110) ORDER BY t.id").is(200).
		has("items", 2).says("items.0.id", "2007")
	u.suiteql("SELECT COUNT(*) FROM invoice WHERE amountremaining > 0").is(200).has("items", 1).says("items.0.expr1", "5")
	u.suiteql("SELECT COUNT(*) AS n FROM customer").is(200).says("items.0.n", "10")
	u.suiteql("SELECT id FROM customer WHERE UPPER(companyname) LIKE 'A%' AND id BETWEEN 101 AND 102 FETCH FIRST 5 ROWS ONLY").is(200).
		has("items", 1).says("items.0.id", "101")
	u.suiteql("SELECT id FROM customer WHERE id IN (SELECT entity FROM transaction WHERE type = 'SalesOrd' AND tranid = 'SO-2011')").is(200).
		has("items", 1).says("items.0.id", "107")
	u.suiteql("SELECT COUNT(*) n FROM transaction WHERE trandate < TO_DATE('2000-01-01', 'YYYY-MM-DD')").is(200).says("items.0.n", "0")
	all := u.suiteql("SELECT * FROM customer WHERE id = 104").is(200).has("items", 1)
	all.says("items.0.currency", "2").says("items.0.email", "accounts@dovetail.example")

	paged := u.send("POST /query/v1/suiteql?limit=3&offset=9", `{"q":"SELECT id FROM customer ORDER BY id"}`, "Prefer", "transient").is(200)
	paged.has("items", 1).says("items.0.id", "110").says("totalResults", "10").says("offset", "9").says("hasMore", "false")

	u.send("POST /record/v1/customer", `{"companyName":"Lantern Yard"}`).is(204)
	u.suiteql("SELECT id FROM customer WHERE companyname = 'lantern yard'").is(200).says("items.0.id", "111")
}

func TestSOQL(t *testing.T) {
	u := open(t, salesforce, soql())
	u.soql("SELECT Id, Name FROM Account WHERE Industry = 'Retail' ORDER BY Name LIMIT 2").is(200).
		says("totalSize", "2").says("done", "true").has("records", 2).
		says("records.0.Name", "Brindle Outdoor Supply").says("records.0.attributes.type", "Account")
	u.soql("select count() from Opportunity where IsClosed = false").is(400)
	u.soql("SELECT COUNT() FROM Opportunity WHERE StageName IN ('Proposal', 'Negotiation')").is(200).
		says("totalSize", "3").says("done", "true").has("records", 0)
	u.soql("SELECT COUNT(Id) FROM Contact").is(200).says("records.0.expr0", "13")
	u.soql("SELECT Id FROM Opportunity WHERE CloseDate >= 2026-09-01 AND Amount > 9000 ORDER BY Amount DESC NULLS LAST").is(200).
		has("records", 2).says("records.0.Id", "006Ab00000Wz012QAC")
	u.soql("SELECT Name, Account.Name FROM Opportunity WHERE Account.BillingCity = 'Antwerp'").is(200).
		has("records", 1).says("records.0.Account.Name", "Juniper Row Hotels")
	u.soql("SELECT Account.Colour FROM Opportunity").is(400)
	u.soql("SELECT Id FROM Account WHERE NetSuite_Customer_Id__c = null").is(200).has("records", 2)
}

func TestQueriesThatFail(t *testing.T) {
	ns, sf := open(t, netsuite, suiteql()), open(t, salesforce, soql())
	for query, want := range map[string]string{
		"SELECT id FROM vendor":                                             "there is no table vendor here; there are customer, invoice, salesOrder, transaction",
		"SELECT colour FROM customer":                                       "there is no field colour in customer; there are balance, ",
		"SELECT id FROM customer WHERE size > 3":                            "there is no field size in customer",
		"SELECT id FROM customer ORDER BY size":                             "there is no field size in customer",
		"DELETE FROM customer":                                              "SELECT",
		"SELECT c.id FROM customer c JOIN transaction t ON t.entity = c.id": "the sandbox does not run joins",
		"SELECT entity, SUM(total) FROM transaction GROUP BY entity":        "the sandbox does not run GROUP BY",
		"SELECT MAX(total) FROM transaction":                                "no function but COUNT",
		"SELECT id FROM customer WHERE id = balance":                        "compares fields with texts, numbers and dates only",
		"SELECT id FROM customer WHERE companyname =":                       "",
	} {
		if got := text(ns.suiteql(query).is(400).at("o:errorDetails.0.detail")); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	sf.soql("SELECT Id FROM Lead").is(400).says("0.errorCode", "INVALID_QUERY")
	sf.soql("SELECT FROM").is(400).says("0.errorCode", "MALFORMED_QUERY")
	sf.send("GET /query", "").is(400).says("0.message", "The parameter q is missing.")
}
