package mapping

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSelect(t *testing.T) {
	tests := []struct {
		text string
		want *Select
	}{
		{"SELECT * FROM customer", &Select{Fields: []Selected{{Name: "*"}}, From: "customer"}},
		{"select\n c.id, c.name as label,\tc.* from Customer c;", &Select{
			Fields: []Selected{{Name: "c.id"}, {Name: "c.name", Alias: "label"}, {Name: "c.*"}}, From: "Customer", Alias: "c"}},
		{"SELECT COUNT() FROM Account", &Select{Fields: []Selected{{Function: "COUNT"}}, From: "Account"}},
		{"SELECT count(*) n, COUNT(Owner.Name) FROM Account AS a", &Select{
			Fields: []Selected{{Function: "COUNT", Name: "*", Alias: "n"}, {Function: "COUNT", Name: "Owner.Name"}}, From: "Account", Alias: "a"}},
		{"SELECT id FROM t WHERE a = 'O''Brien' AND b != 'it\\'s \\\\ \\n' AND c = 1.50 AND d >= 2026-01-31", &Select{
			Fields: []Selected{{Name: "id"}}, From: "t", Where: And{
				Comparison{"a", "=", "O'Brien"}, Comparison{"b", "!=", `it's \ \n`},
				Comparison{"c", "=", json.Number("1.50")}, Comparison{"d", ">=", Date("2026-01-31")}}}},
		{"SELECT id FROM t WHERE a <> -12345678901234567890 OR NOT b = TRUE AND c = null", &Select{
			Fields: []Selected{{Name: "id"}}, From: "t", Where: Or{
				Comparison{"a", "!=", json.Number("-12345678901234567890")},
				And{Not{Comparison{"b", "=", true}}, Comparison{"c", "=", nil}}}}},
		{"SELECT id FROM t WHERE (a < 1 OR a > 2) AND (b IN ('x', 2, false))", &Select{
			Fields: []Selected{{Name: "id"}}, From: "t", Where: And{
				Or{Comparison{"a", "<", json.Number("1")}, Comparison{"a", ">", json.Number("2")}},
				Comparison{"b", "IN", []any{"x", json.Number("2"), false}}}}},
		{"SELECT id FROM t WHERE a NOT IN ('x') AND b LIKE 'A%' AND c not like '_' AND d IS NULL AND e is not null", &Select{
			Fields: []Selected{{Name: "id"}}, From: "t", Where: And{
				Comparison{"a", "NOT IN", []any{"x"}}, Comparison{"b", "LIKE", "A%"}, Comparison{"c", "NOT LIKE", "_"},
				Comparison{"d", "IS NULL", nil}, Comparison{"e", "IS NOT NULL", nil}}}},
		{"SELECT id FROM t WHERE CreatedDate > 2026-01-31T10:00:00.000+01:00", &Select{
			Fields: []Selected{{Name: "id"}}, From: "t", Where: Comparison{"CreatedDate", ">", Date("2026-01-31T10:00:00.000+01:00")}}},
		{"SELECT id FROM t ORDER BY a, b DESC NULLS LAST, c ASC NULLS FIRST LIMIT 10 OFFSET 20", &Select{
			Fields: []Selected{{Name: "id"}}, From: "t", OrderBy: []Order{{Field: "a"}, {"b", true, "LAST"}, {"c", false, "FIRST"}},
			Limit: new(10), Offset: 20}},
		{"SELECT id FROM t OFFSET 5 ROWS FETCH NEXT 10 ROWS ONLY", &Select{
			Fields: []Selected{{Name: "id"}}, From: "t", Limit: new(10), Offset: 5}},
		{"SELECT id FROM t FETCH FIRST 1 ROW ONLY", &Select{Fields: []Selected{{Name: "id"}}, From: "t", Limit: new(1)}},
		{"SELECT id FROM t LIMIT 0", &Select{Fields: []Selected{{Name: "id"}}, From: "t", Limit: new(0)}},
		{"SELECT größe__c FROM Maß__c", &Select{Fields: []Selected{{Name: "größe__c"}}, From: "Maß__c"}},
	}
	for _, test := range tests {
		got, err := ParseSelect(test.text)
		if err != nil {
			t.Errorf("%s\n%v", test.text, err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s\n%s", test.text, diff)
		}
	}
}

func TestParseSelectRefuses(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", `column 1: expected SELECT: nothing else can be run, the query ends`},
		{"DELETE FROM customer", `column 1: expected SELECT: nothing else can be run, found "DELETE"`},
		{"SELECT", `column 7: expected a field, the query ends`},
		{"SELECT a, FROM t", `column 11: expected a field, found "FROM"`},
		{"SELECT a t", `column 11: expected FROM, the query ends`},
		{"SELECT a FROM", `column 14: expected the type to read, the query ends`},
		{"SELECT a FROM t, u", `column 16: expected the end of the query, found ","`},
		{"SELECT a FROM t JOIN u", `column 17: expected WHERE, ORDER BY, LIMIT, or another name for the type, found "JOIN"`},
		{"SELECT a FROM t WHERE", `column 22: expected a field, NOT or (, the query ends`},
		{"SELECT a FROM t WHERE a", `column 24: expected =, !=, <, <=, >, >=, LIKE, IN or IS NULL, the query ends`},
		{"SELECT a FROM t WHERE a = b", `column 27: expected a value: 'text', a number, a date, TRUE, FALSE or NULL, found "b"`},
		{"SELECT a FROM t WHERE a = \"b\"", `column 27: texts stand in single quotes: 'text'`},
		{"SELECT a FROM t WHERE a = 'b", `column 27: the text that begins here has no end: expected '`},
		{"SELECT a FROM t WHERE a = 1 b", `column 29: expected the end of the query, found "b"`},
		{"SELECT a FROM t WHERE (a = 1", `column 29: expected AND, OR or ), the query ends`},
		{"SELECT a FROM t WHERE a IN 1", `column 28: expected ( and a list of values, found "1"`},
		{"SELECT a FROM t WHERE a IN ()", `column 29: expected a value: 'text', a number, a date, TRUE, FALSE or NULL, found ")"`},
		{"SELECT a FROM t WHERE a IN (SELECT b FROM u)", `column 29: expected a value: 'text', a number, a date, TRUE, FALSE or NULL, found "SELECT"`},
		{"SELECT a FROM t WHERE a LIKE 1", `column 30: expected a pattern in quotes, such as 'A%', found "1"`},
		{"SELECT a FROM t\nWHERE a == 1", `line 2, column 10: expected a value: 'text', a number, a date, TRUE, FALSE or NULL, found "="`},
		{"SELECT a FROM t WHERE a = 12abc", `column 27: "12abc" is neither a name nor a number`},
		{"SELECT a FROM t LIMIT -1", `column 23: expected a whole number, found "-1"`},
		{"SELECT a FROM t LIMIT 1.5", `column 23: expected a whole number, found "1.5"`},
		{"SELECT a FROM t LIMIT 1 LIMIT 2", `column 25: expected the end of the query, found "LIMIT"`},
		{"SELECT a FROM t ORDER a", `column 23: expected BY, found "a"`},
		{"SELECT a FROM t ORDER BY a NULLS", `column 33: expected FIRST or LAST, the query ends`},
		{"SELECT a FROM t; DELETE FROM t", `column 18: expected the end: one statement at a time, found "DELETE"`},
		{"SELECT a FROM t -- comment", `column 17: comments are not allowed`},
		{"SELECT a /* comment */ FROM t", `column 10: comments are not allowed`},
		{"SELECT SUM(a) FROM t", `column 8: the function SUM is not known; COUNT is`},
		{"SELECT COUNT(DISTINCT a) FROM t", `column 14: expected a field, * or ), found "DISTINCT"`},
		{"SELECT a FROM t UNION SELECT b FROM u", `column 17: expected WHERE, ORDER BY, LIMIT, or another name for the type, found "UNION"`},
		{"SELECT a FROM t WHERE a.* = 1", `column 23: expected a field, NOT or (, found "a.*"`},
		{"SELECT é FROM t WHERE a = €", `column 27: '€' has no place in a query`},
	}
	for _, test := range tests {
		_, err := ParseSelect(test.text)
		if err == nil {
			t.Errorf("%s\nwas taken", test.text)
			continue
		}
		if diff := cmp.Diff(test.want, err.Error()); diff != "" {
			t.Errorf("%s\n%s", test.text, diff)
		}
	}
}

// FuzzParseSelect: what a query is printed as parses to the same query.
func FuzzParseSelect(f *testing.F) {
	for _, text := range []string{
		"SELECT * FROM t", "SELECT a, COUNT(*) n FROM t x WHERE (a='b''c' OR NOT (b IN (1,2) AND c IS NULL)) ORDER BY a DESC NULLS LAST LIMIT 1 OFFSET 2",
		"SELECT a FROM t WHERE a LIKE '\\'%' AND b NOT IN (2026-01-31, true, null) FETCH FIRST 3 ROWS ONLY;", "SELECT COUNT() FROM t",
		"SELECT a FROM t WHERE NOT NOT ((((a < -1.5e3))))", "select a.* from t where a='\\\\'",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		query, err := ParseSelect(text)
		if err != nil {
			return
		}
		again, err := ParseSelect(query.String())
		if err != nil {
			t.Fatalf("%q prints as %q: %v", text, query, err)
		}
		if diff := cmp.Diff(query, again); diff != "" {
			t.Fatalf("%q prints as %q\n%s", text, query, diff)
		}
	})
}
