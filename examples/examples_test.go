// Package examples plays the files in this folder, so that none of them says what no longer works.
package examples

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/gateway"
)

// opened is a gateway that runs an example's file.
type opened struct {
	t *testing.T
	*gateway.Gateway
}

// open runs a file with these variables in its environment, and no others.
func open(t *testing.T, file string, env map[string]string) opened {
	t.Helper()
	cfg, err := config.Load(file, func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if problems := g.Report().Problems; len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, warning := range g.Report().Warnings {
		t.Errorf("%s: %s", warning.Pos.File, warning.Message)
	}
	t.Cleanup(func() {
		if err := g.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return opened{t, g}
}

// offers demands these tools and no others.
func (o opened) offers(want ...string) {
	o.t.Helper()
	var got []string
	for _, tool := range o.Tools() {
		got = append(got, tool.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		o.t.Errorf("the tools differ (-want +got):\n%s", diff)
	}
}

// call calls a tool and demands that it goes well.
func (o opened) call(tool, arguments string) any {
	o.t.Helper()
	outcome := o.Call(o.t.Context(), tool, json.RawMessage(arguments))
	if !outcome.OK {
		o.t.Fatalf("%s(%s): %+v", tool, arguments, outcome.Errors)
	}
	if len(outcome.Data) == 0 {
		return nil
	}
	var data any
	if err := json.Unmarshal(outcome.Data, &data); err != nil {
		o.t.Fatalf("%s(%s): %v", tool, arguments, err)
	}
	return data
}

// fails calls a tool and demands that it fails with a message that holds want.
func (o opened) fails(tool, arguments, want string) {
	o.t.Helper()
	outcome := o.Call(o.t.Context(), tool, json.RawMessage(arguments))
	if outcome.OK || len(outcome.Errors) == 0 {
		o.t.Fatalf("%s(%s) went well: %s", tool, arguments, outcome.Data)
	}
	if said := string(outcome.Errors[0].Code) + ": " + outcome.Errors[0].Message; !strings.Contains(said, want) {
		o.t.Errorf("%s(%s) says %q, which has nothing of %q", tool, arguments, said, want)
	}
}

// at returns the value at a dotted path, as text.
func at(v any, path string) string {
	for _, key := range strings.Split(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			var n int
			if _, err := fmt.Sscan(key, &n); err != nil || n >= len(in) {
				return ""
			}
			v = in[n]
		default:
			return ""
		}
	}
	return fmt.Sprint(v)
}

func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %q, want %q", what, got, want)
	}
}

// seen is a request as an upstream got it.
type seen struct {
	line   string
	header http.Header
	body   string
}

// recorder is an upstream that keeps what it is asked, and answers with what the test says.
func recorder(t *testing.T, answer func(seen) (int, string)) (string, *[]seen) {
	t.Helper()
	var all []seen
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s := seen{r.Method + " " + r.URL.RequestURI(), r.Header, string(body)}
		all = append(all, s)
		status, text := answer(s)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if _, err := io.WriteString(w, text); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, &all
}

func TestPetstore(t *testing.T) {
	text, err := os.ReadFile("petstore/gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(text), "\n"); lines != 4 {
		t.Errorf("four lines are promised, and there are %d", lines)
	}
	o := open(t, "petstore/gateway.yaml", nil)
	o.offers("getPet", "listPets")
	pets, _ := o.call("listPets", `{"status":"available"}`).([]any)
	if len(pets) != 2 {
		t.Errorf("%d pets are available, want 2", len(pets))
	}
	equal(t, "the first pet's name", at(pets, "0.name"), "Biscuit")
	equal(t, "pet 3", at(o.call("getPet", `{"petId":3}`), "name"), "Pepper")
	o.fails("getPet", `{"petId":77}`, `There is no pet with the id "77"`)
	o.fails("listPets", `{"status":"lost"}`, "status")
	if report := o.Report(); report.Withheld["petstore"] != 2 {
		t.Errorf("addPet and deletePet write, so two are withheld; the report says %v", report.Withheld)
	}
}

func TestInline(t *testing.T) {
	o := open(t, "inline/gateway.yaml", nil)
	o.offers("create_note", "get_note", "search_notes", "send_note")
	made := o.call("create_note", `{"text":"Water the plants","tags":["home"]}`)
	equal(t, "the note's source", at(made, "source"), "mcpgate")
	equal(t, "the note", at(o.call("get_note", `{"id":`+at(made, "id")+`}`), "text"), "Water the plants")
	equal(t, "what is found", at(o.call("search_notes", `{"words":"plants"}`), "0.text"), "Water the plants")

	url, all := recorder(t, func(seen) (int, string) { return 200, `{"sent":true}` })
	real := open(t, "inline/gateway.yaml", map[string]string{"NOTES_URL": url + "/v2"})
	real.call("search_notes", `{"words":"a&b","limit":5}`)
	real.call("send_note", `{"id":7,"to":"ada@example.com"}`)
	want := []seen{
		{line: "GET /v2/notes?limit=5&q=a%26b"},
		{line: "POST /v2/notes/7/send", body: `{"message":{"priority":2,"recipients":["ada@example.com"],"subject":"A note for ada@example.com"}}`},
	}
	if diff := cmp.Diff(want, *all, cmp.AllowUnexported(seen{}), cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "header" }, cmp.Ignore())); diff != "" {
		t.Errorf("the requests differ (-want +got):\n%s", diff)
	}
	equal(t, "Accept-Language", (*all)[0].header.Get("Accept-Language"), "en")
	real.fails("send_note", `{"id":7,"to":"ada@example.com","priority":9}`, "priority")
}

func TestSeveral(t *testing.T) {
	busy := 0
	books, askedOfBooks := recorder(t, func(s seen) (int, string) {
		if busy < 2 && strings.HasPrefix(s.line, "GET /books?") {
			busy++
			return 409, `{"title":"Busy"}`
		}
		return 200, `{"data":[{"id":"bk-09","title":"Salt Roads"}],"pagination":{"total":1}}`
	})
	o := open(t, "several/gateway.yaml", map[string]string{"SHOP_URL": "sandbox:", "BOOKS_URL": books, "BOOKS_TOKEN": "t0ken"})
	o.offers("find_books", "lib_getBook", "lib_lendBook", "lib_listLoans", "shop_addPet", "shop_listPets")

	equal(t, "the book", at(o.call("find_books", `{"author":"Anselm Kerr"}`), "data.0.id"), "bk-09")
	var lines []string
	for _, s := range *askedOfBooks {
		lines = append(lines, s.line)
	}
	if len(lines) != 3 || slices.Compact(lines)[0] != "GET /books?author=Anselm%20Kerr&branch=main&pageSize=10" {
		t.Errorf("409 is tried again here, with the fixed branch and the default pageSize: %v", lines)
	}
	equal(t, "Authorization", (*askedOfBooks)[0].header.Get("Authorization"), "Bearer t0ken")

	equal(t, "the new pet", at(o.call("shop_addPet", `{"name":"Juno","species":"bird"}`), "name"), "Juno")
	o.fails("shop_addPet", `{"name":"Juno"}`, "species")

	shop, askedOfShop := recorder(t, func(seen) (int, string) { return 200, `[]` })
	keyed := open(t, "several/gateway.yaml", map[string]string{"SHOP_URL": shop, "BOOKS_URL": "sandbox:", "SHOP_KEY": "k3y"})
	keyed.call("shop_listPets", `{"status":"sold"}`)
	equal(t, "the request", (*askedOfShop)[0].line, "GET /pets?status=sold")
	equal(t, "X-Shop-Key", (*askedOfShop)[0].header.Get("X-Shop-Key"), "k3y")

	loan := keyed.call("lib_lendBook", `{"bookId":"bk-02","reader":"R-0007","due":"2026-12-24"}`)
	equal(t, "the loan's book", at(loan, "bookId"), "bk-02")
	loans, _ := keyed.call("lib_listLoans", `{"bookId":"bk-02"}`).([]any)
	if len(loans) != 1 {
		t.Errorf("bk-02 has %d loans, want the one that was made", len(loans))
	}
	keyed.fails("lib_lendBook", `{"bookId":"bk-77","reader":"R-0007","due":"2026-12-24"}`, "bk-77")
}

func TestSeveralNeedsItsVariables(t *testing.T) {
	_, err := config.Load("several/gateway.yaml", func(string) (string, bool) { return "", false })
	if err == nil || !strings.Contains(err.Error(), "the root of the pet shop's API") {
		t.Errorf("a missing SHOP_URL is answered with %v", err)
	}
}

// TestEveryExampleIsPlayed keeps a new folder from being forgotten here.
func TestEveryExampleIsPlayed(t *testing.T) {
	files, err := filepath.Glob("*/gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"inline/gateway.yaml", "petstore/gateway.yaml", "several/gateway.yaml"}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("the examples differ from those that are played (-want +got):\n%s", diff)
	}
}
