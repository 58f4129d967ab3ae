package config

import "testing"

func TestNearest(t *testing.T) {
	candidates := []string{"operation", "request", "title", "base_url", "spec", "on", "client_id",
		"list_customers", "get_customer", "delete_order", "getPet", "name"}
	for word, want := range map[string]string{
		"operatoin": "operation", "Operation": "operation", "operations": "operation", "baseURL": "base_url", "base-url": "base_url",
		"clientID": "client_id", "sepc": "spec", "specs": "spec", "reqest": "request", "no": "on",
		"get_customers": "get_customer", "getcustomer": "get_customer", "Delete_Order": "delete_order", "getpet": "getPet",
		"case": "", "req": "request", "re": "", "nothing": "", "": "", "x": "", "completely": "", "authentication": "",
	} {
		if got := Nearest(word, candidates); got != want {
			t.Errorf("Nearest(%q) is %q, want %q", word, got, want)
		}
	}
}

func TestNearestNumber(t *testing.T) {
	candidates := []string{"getThing1", "getThing17", "getThing7", "getThing70", "x_putThing17", "x_putThing7"}
	for word, want := range map[string]string{
		"get_thing_7": "getThing7", "getThng7": "getThing7", "get_thng_17": "getThing17", "put_thing_7": "x_putThing7", "getThing8": "getThing1",
	} {
		if got := Nearest(word, candidates); got != want {
			t.Errorf("Nearest(%q) is %q, want %q", word, got, want)
		}
	}
}

// FuzzEditDistance: it is 0 for equal words alone, the same in both directions, and never more than the longer word.
func FuzzEditDistance(f *testing.F) {
	f.Add("operation", "operatoin")
	f.Add("", "é")
	f.Fuzz(func(t *testing.T, a, b string) {
		d := EditDistance(a, b)
		if d != EditDistance(b, a) {
			t.Errorf("%q and %q: %d, and %d the other way", a, b, d, EditDistance(b, a))
		}
		if longer := max(len([]rune(a)), len([]rune(b))); d > longer || (d == 0) != (string([]rune(a)) == string([]rune(b))) && longer <= 100 {
			t.Errorf("%q and %q: %d", a, b, d)
		}
	})
}
