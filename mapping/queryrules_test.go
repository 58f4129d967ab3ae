package mapping

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
)

var erpRules = rules{dialect: dialects["suiteql"], tables: []string{"customer", "transaction", "item"}, limit: 10,
	fields: map[string][]string{"customer": {"id", "name"}, "transaction": {"id", "entity", "total"}}}

var crmRules = rules{dialect: dialects["soql"], tables: []string{"Account", "Contact", "Case"},
	fields: map[string][]string{"Account": {"Id", "Name"}, "Contact": {"Id", "LastName", "Account", "Owner.Name"}}}

// prepared is what a query is sent as, or why it isn't.
func prepared(language string, r rules, text string) string {
	q, err := ParseSelect(language, text)
	if err == nil {
		err = r.prepare(q)
	}
	if err != nil {
		return "! " + err.Error()
	}
	return q.Text(language)
}

func TestRules(t *testing.T) {
	tests := []struct {
		language, text, want string
	}{
		{"suiteql", "SELECT ID FROM Customer", "SELECT ID FROM Customer FETCH FIRST 10 ROWS ONLY"},
		{"suiteql", "SELECT id FROM customer LIMIT 3", "SELECT id FROM customer FETCH FIRST 3 ROWS ONLY"},
		{"suiteql", "SELECT c.*, t.* FROM customer c, item t", "SELECT c.id, c.name, t.* FROM customer c, item t FETCH FIRST 10 ROWS ONLY"},
		{"suiteql", "SELECT COUNT(*) FROM customer", "SELECT COUNT(*) FROM customer FETCH FIRST 10 ROWS ONLY"},
		{"suiteql", "SELECT name AS email FROM customer ORDER BY email", "SELECT name AS email FROM customer ORDER BY email FETCH FIRST 10 ROWS ONLY"},
		{"suiteql", "SELECT name AS email FROM customer ORDER BY UPPER(email)", "! there is no field email in customer here; there are id, name"},
		{"suiteql", "SELECT x.n FROM (SELECT name n FROM customer) x", "SELECT x.n FROM (SELECT name AS n FROM customer) x FETCH FIRST 10 ROWS ONLY"},
		{"suiteql", "SELECT email FROM (SELECT name n FROM customer) x", "! there is no field email in x here; there are n"},
		{"suiteql", "SELECT x.email FROM (SELECT * FROM customer) x", "! there is no field email in x here; there are id, name"},
		{"suiteql", "SELECT id FROM customer c JOIN transaction t ON t.entity = c.id", "! id can be a field of several tables: write c.id or t.id"},
		{"suiteql", "SELECT name FROM customer c JOIN transaction t ON t.entity = c.email", "! there is no field email in c here; there are id, name"},
		{"suiteql", "SELECT customer.id FROM transaction customer", "SELECT customer.id FROM transaction customer FETCH FIRST 10 ROWS ONLY"},
		{"suiteql", "SELECT customer.name FROM transaction customer", "! there is no field name in customer here; there are id, entity, total"},
		{"suiteql", "SELECT id FROM customer WHERE EXISTS (SELECT 1 FROM employee)", "! there is no table employee here; there are customer, transaction, item"},
		{"suiteql", "SELECT id FROM customer WHERE id IN (SELECT entity FROM transaction WHERE name = 'x')",
			"SELECT id FROM customer WHERE id IN (SELECT transaction.entity FROM transaction WHERE customer.name = 'x') FETCH FIRST 10 ROWS ONLY"},
		{"suiteql", "SELECT id FROM customer WHERE id = (SELECT MAX(email) FROM item)",
			"SELECT id FROM customer WHERE id = (SELECT MAX(item.email) FROM item) FETCH FIRST 10 ROWS ONLY"},
		{"suiteql", "SELECT CASE WHEN email = 'x' THEN 1 END FROM customer", "! there is no field email in customer here; there are id, name"},
		{"suiteql", "SELECT e.id FROM customer c", "! there is no table e (of e.id) here; there are c"},
		{"suiteql", "SELECT id FROM customer GROUP BY id HAVING MAX(email) > 1", "! there is no field email in customer here; there are id, name"},
		{"suiteql", "SELECT id FROM customer ORDER BY email", "! there is no field email in customer here; there are id, name"},
		{"soql", "SELECT FIELDS(ALL) FROM Contact", "SELECT Id, LastName FROM Contact"}, // Account is a relation
		{"soql", "SELECT FIELDS(ALL), (SELECT c.Id FROM Contacts c) FROM Account", "SELECT Id, Name, (SELECT Id FROM Contacts) FROM Account"},
		{"soql", "SELECT * FROM Case", "! SOQL has no *: name the fields"},
		{"soql", "SELECT Contact.Account.Name, Owner.Name FROM Contact", "SELECT Account.Name, Owner.Name FROM Contact"},
		{"soql", "SELECT Owner.Email FROM Contact", "! there is no field Owner.Email in Contact here; there are Id, LastName, Account, Owner.Name"},
		{"soql", "SELECT Account.Phone FROM Case", "! there is no field Phone in Account here; there are Id, Name"},
		{"soql", "SELECT Owner.Name FROM Case", "! Owner of Case can't be followed here; only parents with the name of one of these can: Account, Contact, Case"},
		{"soql", "SELECT Id, (SELECT Id FROM Tasks) FROM Account", "! there is no table Tasks here; there are Account, Contact, Case"},
		{"soql", "SELECT Id, (SELECT Email FROM Contacts) FROM Account", "! there is no field Email in Contact here; there are Id, LastName, Account, Owner.Name"},
		{"soql", "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)", "! there is no field AccountId in Contact here; did you mean \"Account\"? There are Id, LastName, Account, Owner.Name"},
	}
	for _, test := range tests {
		r := erpRules
		if test.language == "soql" {
			r = crmRules
		}
		if diff := cmp.Diff(test.want, prepared(test.language, r, test.text)); diff != "" {
			t.Errorf("%s\n%s", test.text, diff)
		}
	}
}

// A query of SOQL that only counts must not have a limit; every other one gets it.
func TestLimitOfCounts(t *testing.T) {
	r := rules{dialect: dialects["soql"], limit: 5}
	for text, want := range map[string]string{
		"SELECT COUNT() FROM Account":                       "SELECT COUNT() FROM Account",
		"SELECT COUNT(Id), Name FROM Account GROUP BY Name": "SELECT COUNT(Id), Name FROM Account GROUP BY Name LIMIT 5",
		"SELECT Anything.At.All FROM Whatever LIMIT 50":     "SELECT Anything.At.All FROM Whatever LIMIT 5",
	} {
		if got := prepared("soql", r, text); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}

// generator writes statements out of names that are allowed and names that are not.
type generator struct {
	*rand.Rand
	soql bool
}

func (g generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) table() string {
	if g.soql {
		return g.pick("Account", "Contact", "account", "Secret")
	}
	return g.pick("customer", "transaction", "Customer", "customer", "secret")
}

func (g generator) name() string {
	if g.soql {
		return g.pick("Id", "Name", "a.Id", "Account.Name", "Account.Secret", "Secret", "Owner.Name", "Secret.Id", "LastName", "Contact.Id", "Name")
	}
	return g.pick("id", "a.id", "a.name", "name", "total", "b.total", "secret", "a.secret", "b.secret", "customer.id", "secret.id", "id")
}

func (g generator) value(depth int) string {
	if depth <= 0 || g.IntN(3) > 0 {
		return g.name()
	}
	if g.soql {
		return g.pick("FORMAT(", "toLabel(") + g.value(depth-1) + ")"
	}
	switch g.IntN(4) {
	case 0:
		return "NVL(" + g.value(depth-1) + ", " + g.value(depth-1) + ")"
	case 1:
		return "(" + g.value(depth-1) + " || " + g.value(depth-1) + ")"
	case 2:
		return "CASE WHEN " + g.condition(depth-1) + " THEN " + g.value(depth-1) + " ELSE " + g.value(depth-1) + " END"
	}
	return "(" + g.query(depth-1) + ")"
}

func (g generator) condition(depth int) string {
	switch g.IntN(5) {
	case 0:
		return g.value(depth) + " = 'secret'"
	case 1:
		return g.value(depth) + " IN (1, 2)"
	case 2:
		if depth > 0 {
			return g.name() + " IN (" + g.query(depth-1) + ")"
		}
	case 3:
		if depth > 0 {
			return "(NOT " + g.condition(depth-1) + ")"
		}
	}
	if depth > 0 {
		return "(" + g.condition(depth-1) + g.pick(" AND ", " OR ") + g.condition(depth-1) + ")"
	}
	return g.name() + " = 1"
}

func (g generator) query(depth int) string {
	out := "SELECT " + g.value(depth)
	if !g.soql && g.IntN(6) == 0 {
		out += ", " + g.pick("*", "a.*")
	}
	if g.soql && depth > 0 && g.IntN(4) == 0 {
		out += ", (SELECT " + g.name() + " FROM " + g.pick("Contacts", "Secrets") + ")"
	}
	out += " FROM " + g.table() + g.pick(" a", "", " a")
	if !g.soql && g.IntN(3) == 0 {
		out += " JOIN " + g.table() + " b ON " + g.condition(depth-1)
	}
	out += " WHERE " + g.condition(depth)
	if g.IntN(3) == 0 {
		out += " ORDER BY " + g.value(depth-1)
	}
	return out
}

// Whatever passes names nothing outside of the lists: no token of what is sent is the name that no list has.
func TestRulesHoldEverywhere(t *testing.T) {
	passed := map[string]int{}
	for seed := range uint64(6000) {
		for language, r := range map[string]rules{"suiteql": erpRules, "soql": crmRules} {
			text := generator{rand.New(rand.NewPCG(seed, 1)), language == "soql"}.query(2)
			q, err := ParseSelect(language, text)
			if err != nil {
				t.Fatalf("the generator's own %s\n%v", text, err)
			}
			if r.prepare(q) != nil {
				continue
			}
			passed[language]++
			l := lexer{dialect: dialects[language], text: q.Text(language)}
			for token, err := l.next(); token.kind != endToken; token, err = l.next() {
				if err != nil {
					t.Fatal(err)
				}
				if token.kind == nameToken && slices.Contains(strings.Split(strings.ToLower(token.text), "."), "secret") {
					t.Fatalf("%s\nis sent as\n%s", text, l.text)
				}
			}
		}
	}
	for _, language := range []string{"suiteql", "soql"} {
		if passed[language] < 100 {
			t.Errorf("only %d statements of %s passed: the test says nothing", passed[language], language)
		}
	}
}

// FuzzTemplate: whatever a value is, the query has the template's shape, and the value comes out of it as it went in.
func FuzzTemplate(f *testing.F) {
	for _, value := range []string{"", "x", "'", "''", `\`, `\'`, `x' OR '1'='1`, "a\nb\tc", `\\'--`, "{b}", `%\_`, "/*", "é'"} {
		f.Add(value, value)
	}
	const template = "SELECT Id FROM t WHERE a = {a} AND (b LIKE {b} OR c IN ({a}, {b})) ORDER BY Id"
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a + b) {
			return // JSON has none
		}
		for _, language := range []string{"suiteql", "soql"} {
			s := &statement{language: language, template: template, rules: &rules{dialect: dialects[language]}, argument: "q",
				values: map[string]*config.Argument{"a": {}, "b": {}}, names: map[string]string{"a": "a", "b": "b"}}
			shape := func(a, b string) (string, []string) {
				args := Arguments{"a": a, "b": b}
				if wrong := s.write(args); wrong != nil {
					t.Fatal(wrong)
				}
				q, err := ParseSelect(language, args["q"].(string))
				if err != nil {
					t.Fatalf("%q: %v", args["q"], err)
				}
				var values []string
				visitQuery(q, func(e Expression) []Expression {
					if literal, ok := e.(Literal); ok {
						values = append(values, literal.Value.(string))
						e = Literal{"x"}
					}
					return []Expression{e}
				})
				return q.Text(language), values
			}
			want, _ := shape("x", "x")
			got, values := shape(a, b)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
			if diff := cmp.Diff([]string{a, b, a, b}, values); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

// TestRulesBound: what is sent is never a multiple of a small query, and what reads it ends soon.
func TestRulesBound(t *testing.T) {
	r := rules{dialect: dialects["suiteql"], tables: []string{"customer"}, fields: map[string][]string{"customer": {"id", "name"}}}
	tables := func(n int) string {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("customer c%d", i))
		}
		return strings.Join(names, ", ")
	}
	stars := strings.Repeat("*, ", 49) + "*"
	for text, want := range map[string]string{
		"SELECT * FROM " + tables(51):                                "the query reads 51 tables at once; 50 are the most",
		"SELECT " + stars + ", * FROM " + tables(50):                 "* stands for more than 5000 fields here: name the fields",
		"SELECT 1" + strings.Repeat("+1", 50_000) + " FROM customer": "the query has 100022 bytes; 100000 are the most",
	} {
		got := prepared("suiteql", r, text)
		if !strings.Contains(got, want) {
			t.Errorf("%.40s...: got %.200s, want %s", text, got, want)
		}
	}
	if got := prepared("suiteql", r, "SELECT "+stars+" FROM "+tables(50)); strings.Count(got, ",") != 5000-1+49 {
		t.Errorf("fifty stars of fifty tables: got %.200s", got)
	}
}
