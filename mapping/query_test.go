package mapping

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSelect(t *testing.T) {
	got, err := ParseSelect("suiteql", `select c.id, count(*) n FROM Customer c WHERE a = 'O''Brien\' AND (b > -1.50 OR NOT c IS NULL);`)
	if err != nil {
		t.Fatal(err)
	}
	want := &Select{
		Fields: []Selected{{Value: Column{"c.id"}}, {Value: Call{Function: "COUNT", Arguments: []Expression{Star{}}}, Alias: "n"}},
		From:   []Table{{Name: "Customer", Alias: "c"}},
		Where: And{
			Comparison{Column{"a"}, "=", []Expression{Literal{`O'Brien\`}}},
			Or{Comparison{Column{"b"}, ">", []Expression{Literal{json.Number("-1.50")}}}, Not{Comparison{Column{"c"}, "IS NULL", nil}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What a query is sent as; "" where it is sent as it stands.
func TestSelectText(t *testing.T) {
	tests := []struct{ language, text, want string }{
		{"suiteql", "SELECT * FROM customer", ""},
		{"suiteql", "select\n c.id, c.name as label,\tc.* from Customer c;", "SELECT c.id, c.name AS label, c.* FROM Customer c"},
		{"suiteql", "SELECT DISTINCT a + b * -2 - (c - 1) / 2 || 'x' FROM t", "SELECT DISTINCT ((a + (b * -2)) - ((c - 1) / 2)) || 'x' FROM t"},
		{"suiteql", "SELECT TOP 5 a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a FETCH FIRST 5 ROWS ONLY"},
		{"suiteql", "SELECT a FROM t LIMIT 10 OFFSET 20", "SELECT a FROM t OFFSET 20 ROWS FETCH FIRST 10 ROWS ONLY"},
		{"suiteql", "SELECT t.id FROM transaction t inner join customer c on c.id=t.entity LEFT OUTER JOIN x ON (x.a=c.b and x.c=1) CROSS JOIN y, z",
			"SELECT t.id FROM transaction t JOIN customer c ON c.id = t.entity LEFT JOIN x ON x.a = c.b AND x.c = 1 CROSS JOIN y, z"},
		{"suiteql", "SELECT nvl(builtin.df(entity), '-') n, sum(distinct total) FROM t GROUP BY BUILTIN.DF(entity) HAVING SUM(total) > 5 ORDER BY 2 DESC NULLS LAST, n",
			"SELECT NVL(BUILTIN.DF(entity), '-') AS n, SUM(DISTINCT total) FROM t GROUP BY BUILTIN.DF(entity) HAVING SUM(total) > 5 ORDER BY 2 DESC NULLS LAST, n"},
		{"suiteql", "SELECT CASE WHEN a > 1 THEN 'x' ELSE b END, case a when 1 then 2 end k FROM t",
			"SELECT CASE WHEN a > 1 THEN 'x' ELSE b END, CASE a WHEN 1 THEN 2 END AS k FROM t"},
		{"suiteql", "SELECT x.n FROM (SELECT id n FROM t) x WHERE EXISTS (SELECT 1 FROM u WHERE u.a = x.n) AND x.n NOT IN (SELECT b FROM v) AND n BETWEEN 1 AND 2",
			"SELECT x.n FROM (SELECT id AS n FROM t) x WHERE EXISTS (SELECT 1 FROM u WHERE u.a = x.n) AND x.n NOT IN (SELECT b FROM v) AND n BETWEEN 1 AND 2"},
		{"suiteql", "SELECT id FROM t WHERE rownum < 5 AND d > sysdate - 30 AND e >= TO_DATE('2026-01-31', 'YYYY-MM-DD')",
			"SELECT id FROM t WHERE ROWNUM < 5 AND d > SYSDATE - 30 AND e >= TO_DATE('2026-01-31', 'YYYY-MM-DD')"},
		{"suiteql", "SELECT id FROM t WHERE a <> 'it''s' AND NOT (b = 1 OR c LIKE '%''%') AND d NOT LIKE 'x'",
			"SELECT id FROM t WHERE a != 'it''s' AND NOT (b = 1 OR c LIKE '%''%') AND d NOT LIKE 'x'"},
		{"soql", "SELECT Id, a.Name, (SELECT Id FROM Contacts WHERE Email != NULL LIMIT 3) FROM Account a", ""},
		{"soql", "SELECT COUNT() FROM Account", ""},
		{"soql", "SELECT COUNT(Id) n, calendar_year(CloseDate) FROM Opportunity GROUP BY rollup(Type, StageName) HAVING COUNT(Id) > 1",
			"SELECT COUNT(Id) n, CALENDAR_YEAR(CloseDate) FROM Opportunity GROUP BY ROLLUP(Type, StageName) HAVING COUNT(Id) > 1"},
		{"soql", "SELECT FORMAT(Amount) amt, toLabel(Status), FIELDS(STANDARD) FROM Opportunity", ""},
		{"soql", "SELECT Id FROM Account WHERE CreatedDate = last_n_days:30 AND LastModifiedDate > TODAY AND IsDeleted = false AND d > 2026-01-31T10:00:00.000+01:00",
			"SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS:30 AND LastModifiedDate > TODAY AND IsDeleted = FALSE AND d > 2026-01-31T10:00:00.000+01:00"},
		{"soql", `SELECT Id FROM Account WHERE Name = 'O\'Brien \\ \n' AND Name LIKE '10\% \\ %'`, ""},
		{"soql", "SELECT Id FROM Account WHERE Name NOT LIKE 'A%' AND Phone IS NOT NULL", "SELECT Id FROM Account WHERE (NOT Name LIKE 'A%') AND Phone != NULL"},
		{"soql", "SELECT Id FROM Account WHERE Langs__c INCLUDES ('en;de', 'fr') AND Id IN (SELECT AccountId FROM Contact) LIMIT 5 OFFSET 2", ""},
		{"soql", "SELECT Id FROM Case", ""},
		{"soql", "SELECT Id FROM Order o ORDER BY o.Id", ""},
		{"none", "SELECT größe FROM t WHERE d >= 2026-01-31 AND b = TRUE", ""},
	}
	for _, test := range tests {
		query, err := ParseSelect(test.language, test.text)
		if err != nil {
			t.Errorf("%s\n%v", test.text, err)
			continue
		}
		if test.want == "" {
			test.want = test.text
		}
		if diff := cmp.Diff(test.want, query.Text(test.language)); diff != "" {
			t.Errorf("%s\n%s", test.text, diff)
		}
	}
}

func TestParseSelectRefuses(t *testing.T) {
	tests := []struct{ language, text, want string }{
		{"suiteql", "", `column 1: expected SELECT: nothing else can be run, the query ends`},
		{"suiteql", "DELETE FROM customer", `column 1: expected SELECT: nothing else can be run, found "DELETE"`},
		{"suiteql", "WITH x AS (SELECT 1 FROM t) SELECT a FROM x", `column 1: expected SELECT: nothing else can be run, found "WITH"`},
		{"suiteql", "SELECT", `column 7: expected a field, the query ends`},
		{"suiteql", "SELECT a, FROM t", `column 11: expected a field, found "FROM"`},
		{"suiteql", "SELECT a t", `column 11: expected FROM, the query ends`},
		{"suiteql", "SELECT a FROM", `column 14: expected the type to read, the query ends`},
		{"suiteql", "SELECT a FROM t JOIN u", `column 23: expected ON, the query ends`},
		{"suiteql", "SELECT a FROM t WHERE", `column 22: expected a field, NOT or (, the query ends`},
		{"suiteql", "SELECT a FROM t WHERE a", `column 24: expected =, !=, <, <=, >, >=, LIKE, IN, BETWEEN or IS NULL, the query ends`},
		{"suiteql", "SELECT a FROM t WHERE a = \"b\"", `column 27: texts stand in single quotes: 'text'`},
		{"suiteql", "SELECT a FROM t WHERE a = 'b", `column 27: the text that begins here has no end: expected '`},
		{"suiteql", "SELECT a FROM t WHERE a = 1 b", `column 29: expected the end of the query, found "b"`},
		{"suiteql", "SELECT a FROM t WHERE (a = 1", `column 29: expected AND, OR or ), the query ends`},
		{"suiteql", "SELECT a FROM t WHERE a IN 1", `column 28: expected ( and a list of values, found "1"`},
		{"suiteql", "SELECT a FROM t WHERE a LIKE 1", `column 30: expected a pattern in quotes, such as 'A%', found "1"`},
		{"suiteql", "SELECT a FROM t\nWHERE a == 1", `line 2, column 10: expected a value: 'text', a number, a field or a function, found "="`},
		{"suiteql", "SELECT a FROM t WHERE a = 12abc", `column 27: "12abc" is neither a name nor a number`},
		{"suiteql", "SELECT a FROM t WHERE a >= 2026-01-31", `column 28: a date is written TO_DATE('2026-01-31', 'YYYY-MM-DD') here`},
		{"suiteql", "SELECT a FROM t WHERE a = TRUE", `column 27: there is no TRUE here: fields that are yes or no hold 'T' or 'F'`},
		{"suiteql", "SELECT a FROM t LIMIT -1", `column 23: expected a whole number, found "-"`},
		{"suiteql", "SELECT a FROM t LIMIT 1 LIMIT 2", `column 25: expected the end of the query, found "LIMIT"`},
		{"suiteql", "SELECT a FROM t ORDER a", `column 23: expected BY, found "a"`},
		{"suiteql", "SELECT a FROM t; DELETE FROM t", `column 18: expected the end: one statement at a time, found "DELETE"`},
		{"suiteql", "SELECT a FROM t -- comment", `column 17: comments are not allowed`},
		{"suiteql", "SELECT a /* comment */ FROM t", `column 10: comments are not allowed`},
		{"suiteql", "SELECT SUMM(a) FROM t", `column 8: the function SUMM is not known; did you mean "SUM"?`},
		{"suiteql", "SELECT a FROM t UNION SELECT b FROM u", `column 17: expected WHERE, ORDER BY, LIMIT, or another name for the type, found "UNION"`},
		{"suiteql", "SELECT a FROM t WHERE a.* = 1", `column 23: expected a field, NOT or (, found "a.*"`},
		{"suiteql", "SELECT é FROM t WHERE a = €", `column 27: '€' has no place in a query`},
		{"suiteql", "SELECT a FROM t WHERE a = {b}", `column 27: '{' has no place in a query`},
		{"suiteql", "SELECT a FROM t WHERE (a = 1) + 2", `column 31: expected AND, OR or ), found "+"`},
		{"suiteql", "SELECT a = 1 FROM t", `column 10: expected FROM, found "="`},
		{"soql", "SELECT a FROM t FOR UPDATE", `column 17: expected WHERE, ORDER BY, LIMIT, or another name for the type, found "FOR"`},
		{"soql", "SELECT TYPEOF What WHEN Account THEN Phone END FROM Event", `column 8: TYPEOF is not taken here: select the fields that all types have, or query one type`},
		{"soql", "SELECT Id FROM Account, Contact", `column 23: SOQL joins no tables: a parent's field is written Account.Name, children are a subquery (SELECT Id FROM Contacts) among the fields`},
		{"soql", "SELECT Id FROM Account WHERE Name = Phone", `column 37: expected ` + soqlValues + `, found "Phone"`},
		{"soql", "SELECT Id FROM Account WHERE Name = 'a''b'", `column 39: in SOQL a quote in a text is written \', not ''`},
		{"soql", `SELECT Id FROM Account WHERE Name = '\x'`, `column 38: \x means nothing in a text of SOQL; a backslash is written \\`},
		{"soql", `SELECT Id FROM Account WHERE Name = 'x\'`, `column 37: the text that begins here has no end: expected '`},
		{"soql", "SELECT Id FROM Account WHERE a BETWEEN 1 AND 2", `column 32: expected =, !=, <, <=, >, >=, LIKE, IN, INCLUDES or EXCLUDES, found "BETWEEN"`},
		{"soql", "SELECT Id FROM Account WHERE d = LAST_N_DAY:3", `column 34: LAST_N_DAY:3 is no date here; did you mean "LAST_N_DAYS:"?`},
	}
	for _, test := range tests {
		_, err := ParseSelect(test.language, test.text)
		if err == nil {
			t.Errorf("%s\nwas taken", test.text)
			continue
		}
		if diff := cmp.Diff(test.want, err.Error()); diff != "" {
			t.Errorf("%s\n%s", test.text, diff)
		}
	}
}

// FuzzParseSelect: what a query is sent as parses to the same query.
func FuzzParseSelect(f *testing.F) {
	for _, text := range []string{
		"SELECT * FROM t", "SELECT a, COUNT(*) n FROM t x WHERE (a='b''c' OR NOT (b IN (1,2) AND c IS NULL)) ORDER BY a DESC NULLS LAST LIMIT 1 OFFSET 2",
		`SELECT a FROM t WHERE a LIKE '\'%\_\\' AND b NOT IN (2026-01-31, true, null)`, "SELECT COUNT() FROM t",
		"SELECT a FROM t WHERE NOT NOT ((((a < -1.5e3))))", `select a.* from t where a='\\'`, "SELECT a - -1 || (SELECT b FROM u) FROM t, (SELECT 1 FROM t) x",
		"SELECT CASE a WHEN 1 THEN b ELSE c END FROM t LEFT JOIN u ON t.a = u.b AND EXISTS (SELECT x FROM y) FETCH FIRST 3 ROWS ONLY;",
		"SELECT FIELDS(ALL), (SELECT Id FROM Contacts) FROM Account WHERE a INCLUDES ('x') AND d = LAST_N_DAYS:3",
	} {
		for _, language := range []string{"suiteql", "soql", "none"} {
			f.Add(language, text)
		}
	}
	f.Fuzz(func(t *testing.T, language, text string) {
		if dialects[language] == nil {
			return
		}
		query, err := ParseSelect(language, text)
		if err != nil {
			return
		}
		sent := query.Text(language)
		again, err := ParseSelect(language, sent)
		if err != nil {
			t.Fatalf("%q is sent as %q: %v", text, sent, err)
		}
		if diff := cmp.Diff(query, again); diff != "" {
			t.Fatalf("%q is sent as %q\n%s", text, sent, diff)
		}
	})
}
