package expr

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// claimsOf reads a token's claims as encoding/json does.
func claimsOf(t testing.TB, text string) map[string]any {
	t.Helper()
	var claims map[string]any
	if err := json.Unmarshal([]byte(text), &claims); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"claims": claims}
}

func TestHolds(t *testing.T) {
	const claims = `{"sub": "joe", "groups": ["erp-admins", "staff"], "level": 3, "big": 9007199254740993, "admin": true, "word": "yes",
		"realm_access": {"roles": ["editor"]}, "email": "Joe@Example.com", "nothing": null}`
	for text, want := range map[string]bool{
		`true`:  true,
		`false`: false,
		`claims.groups.exists(g, g == "erp-admins")`:         true,
		`"erp-admins" in claims.groups`:                      true,
		`"sales" in claims.groups`:                           false,
		`"editor" in claims.realm_access.roles`:              true,
		`claims.admin`:                                       true,
		`claims.word`:                                        false, // no boolean
		`claims.level >= 3`:                                  true,
		`claims.level > 3`:                                   false,
		`claims.level == 3`:                                  true,
		`claims["sub"] == "joe"`:                             true,
		`claims.email.lowerAscii().endsWith("@example.com")`: true,
		`claims.email.matches("(?i)@example\\.com$")`:        true,

		// What is missing does not hold, however it is asked for, unless the condition itself says so.
		`claims.tenant == "a"`:                                 false,
		`claims.tenant != "a"`:                                 false,
		`!("a" in claims.missing)`:                             false,
		`claims.realm_access.missing.deeper`:                   false,
		`has(claims.tenant)`:                                   false,
		`!has(claims.tenant)`:                                  true,
		`has(claims.groups) && "staff" in claims.groups`:       true,
		`claims.missing == "a" || "staff" in claims.groups`:    true,
		`claims.sub.exists(x, true)`:                           false, // no list
		`claims.groups > 3`:                                    false,
		`claims.nothing == "x"`:                                false,
		`claims.level / 0.0 > 1.0 && claims.word == "nowhere"`: false,
	} {
		c, err := Compile(text, "claims")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := c.Holds(claimsOf(t, claims)); got != want {
			t.Errorf("%s: %t", text, got)
		}
		if c.String() != text {
			t.Errorf("%s prints as %s", text, c)
		}
	}
}

// Numbers of arguments are json.Number all the way.
func TestHoldsWithNumbersOfJSON(t *testing.T) {
	c, err := Compile(`arguments.amount > 1000 && arguments.lines[0].n == 2 && arguments.rate < 0.5 && arguments.id == 9007199254740993`, "arguments")
	if err != nil {
		t.Fatal(err)
	}
	arguments := map[string]any{
		"amount": json.Number("1000.5"), "rate": json.Number("0.25"), "id": json.Number("9007199254740993"),
		"lines": []any{map[string]any{"n": json.Number("2")}},
	}
	if !c.Holds(map[string]any{"arguments": arguments}) {
		t.Error("does not hold")
	}
	if _, ok := arguments["amount"].(json.Number); !ok {
		t.Error("the caller's value was changed")
	}
}

func TestNothingGiven(t *testing.T) {
	c, err := Compile(`claims.sub == "joe"`, "claims")
	if err != nil {
		t.Fatal(err)
	}
	for _, variables := range []map[string]any{nil, {}, {"claims": nil}, {"claims": "joe"}, {"claims": map[string]any(nil)}} {
		if c.Holds(variables) {
			t.Errorf("%v holds", variables)
		}
	}
}

func TestCompileSaysWhere(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 `column 1: the condition ends too early`,
		`claims.groups.exists(g, g == "x"`: `column 33: missing ')' at the end`,
		`clams.sub == "joe"`:               `column 1: nothing is called 'clams'; did you mean 'claims'?`,
		`"ü" == "ü" && clams.sub`:          `column 15: nothing is called 'clams'`,
		"claims.sub == \"a\" &&\nclams.x":  `line 2, column 1: nothing is called 'clams'`,
		`"admins"`:                         `column 1: this is a string, and a condition has to be true or false`,
		`zebra == 1`:                       `column 1: nothing is called 'zebra'; known: claims`,
		`1 + 2`:                            `column 1: this is a number`,
		`claims`:                           `column 1: this is an object`,
		`claims.sub.matches("(")`:          `column `,
		`claims.sub.shout() == "a"`:        `column 17: nothing is called 'shout'`,
		`claims.groups.exists(`:            `column 22: the condition ends too early`,
		`claims.sub == = 1`:                `column 15: unexpected '= '`,
		`1 == "a"`:                         `column 3: found no matching overload for '_==_'`,
		strings.Repeat("(", 300) + "true":  `column `,
		`"` + strings.Repeat("a", 5000) + `" == "a"`:                         `column 1: a condition of 5009 characters is too long`,
		`claims.a.exists(x, claims.b.exists(y, claims.c.exists(z, x == z)))`: `column `, // three deep
	} {
		c, err := Compile(text, "claims")
		if c != nil || err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
		if wrong, ok := errors.AsType[*Error](err); !ok || wrong.Offset < 0 || wrong.Offset > len(text) {
			t.Errorf("%.60q: the place is %+v", text, wrong)
		}
	}
	_, err := Compile(`"ü" == "ü" && clams.sub`, "claims")
	if wrong, _ := errors.AsType[*Error](err); wrong.Offset != len(`"ü" == "ü" && `) {
		t.Errorf("offset %d", wrong.Offset)
	}
}

// A condition over what a caller's token says can't keep the gateway busy.
func TestHoldsIsBounded(t *testing.T) {
	groups := make([]any, 100_000)
	for i := range groups {
		groups[i] = fmt.Sprint("group-", i)
	}
	variables := map[string]any{"claims": map[string]any{"groups": groups, "text": strings.Repeat("a", 1<<20)}}
	for _, text := range []string{
		`claims.groups.all(g, claims.groups.exists(h, h == "x") || true)`,
		`claims.groups.map(g, g + g).size() > 0`,
		`(claims.text + claims.text).replace("a", "aaaaaaaaaaaaaaaa").replace("a", "aaaaaaaaaaaaaaaa").replace("a", "aaaaaaaaaaaaaaaa").size() > 0`,
		`claims.text.matches("(a*)*b") || true`,
	} {
		c, err := Compile(text, "claims")
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		c.Holds(variables)
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s took %s", text, took)
		}
	}
}

// FuzzHolds: whatever is written, nothing panics, and what holds is a condition that is true.
func FuzzHolds(f *testing.F) {
	f.Add(`"admins" in claims.groups`, `{"groups": ["admins"]}`)
	f.Add(`claims.level >= 3 || has(claims.x.y)`, `{"level": 3.5}`)
	f.Add(`claims.a.exists(x, x.matches(claims.b))`, `{"a": ["x"], "b": "("}`)
	f.Add(`claims.a.map(x, [x, x]).size() > 3 ? claims.b : claims.c`, `{"a": [1, 2], "c": true}`)
	f.Fuzz(func(t *testing.T, text, claims string) {
		c, err := Compile(text, "claims")
		if err != nil {
			wrong, ok := errors.AsType[*Error](err)
			if !ok || wrong.Offset < 0 || wrong.Offset > len(text) || wrong.Line < 1 || wrong.Column < 1 {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		var value map[string]any
		if json.Unmarshal([]byte(claims), &value) != nil {
			return
		}
		variables := map[string]any{"claims": value}
		held := c.Holds(variables)
		// What holds does not hold the other way round: an error would hold neither way.
		opposite, err := Compile("!("+text+"\n)", "claims")
		if err == nil && held && opposite.Holds(variables) {
			t.Fatalf("%q and its opposite hold for %s", text, claims)
		}
	})
}

func BenchmarkHolds(b *testing.B) {
	c, err := Compile(`"erp-admins" in claims.groups`, "claims")
	if err != nil {
		b.Fatal(err)
	}
	variables := claimsOf(b, `{"sub": "joe", "groups": ["staff", "erp-admins"]}`)
	b.ReportAllocs()
	for b.Loop() {
		c.Holds(variables)
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile(`"erp-admins" in claims.groups`, "claims"); err != nil {
			b.Fatal(err)
		}
	}
}
