package sandbox

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"mcpgate/specs"
)

var (
	firstNames = []string{"Ada", "Bram", "Clara", "Dario", "Edda"}
	lastNames  = []string{"Lindqvist", "Okoro", "Marchetti", "Sato", "Novak"}
	companies  = []string{"Alder Works", "Brightwater", "Cobalt Row", "Dunmore Trading", "Eastgate Studio"}
	cities     = []string{"Lisbon", "Ghent", "Tampere", "Graz", "Cork"}
	countries  = []string{"Portugal", "Belgium", "Finland", "Austria", "Ireland"}
	streets    = []string{"Harbour Street", "Mill Lane", "Station Road", "Elm Walk", "Market Square"}
)

func fitLength(s specs.Schema, v string) string {
	if most, ok := number(s["maxLength"]); ok && most >= 0 && float64(utf8.RuneCountInString(v)) > most {
		v = string([]rune(v)[:int(most)])
	}
	if least, ok := number(s["minLength"]); ok {
		for float64(len(v)) < math.Min(least, 256) {
			v += "x"
		}
	}
	return v
}

func pick(list []string, n int) string { return list[n%len(list)] }

// words makes a string up, by its format, else by its name.
func words(s specs.Schema, name string, n int) string {
	p := plain(name)
	format, _ := s["format"].(string)
	first, last := pick(firstNames, n), pick(lastNames, n)
	switch format {
	case "date-time":
		return fmt.Sprintf("2026-%02d-%02dT09:30:00Z", 1+n%12, 3+n%25)
	case "date":
		return fmt.Sprintf("2026-%02d-%02d", 1+n%12, 3+n%25)
	case "time":
		return "09:30:00Z"
	case "duration":
		return "PT1H"
	case "email", "idn-email":
		return strings.ToLower(first + "." + last + "@example.com")
	case "uuid":
		return uuid(name + strconv.Itoa(n))
	case "uri", "url", "iri", "uri-reference":
		return fmt.Sprintf("https://example.com/%s/%d", p, n+1)
	case "hostname":
		return "www.example.com"
	case "ipv4":
		return fmt.Sprintf("192.0.2.%d", n+1)
	case "ipv6":
		return fmt.Sprintf("2001:db8::%d", n+1)
	case "byte":
		return "c2FuZGJveA=="
	case "binary":
		return "sandbox"
	}
	return named(p, n, first, last)
}

// named makes a string up by the property's name, in plain letters.
func named(p string, n int, first, last string) string {
	switch {
	case strings.HasSuffix(p, "email"):
		return strings.ToLower(first + "." + last + "@example.com")
	case strings.Contains(p, "phone"):
		return fmt.Sprintf("+1 555 01%02d", n%100)
	case strings.Contains(p, "firstname"), p == "givenname":
		return first
	case strings.Contains(p, "lastname"), p == "familyname", p == "surname":
		return last
	case strings.Contains(p, "username"), p == "login":
		return strings.ToLower(first)
	case strings.Contains(p, "company"), strings.Contains(p, "organi"):
		return pick(companies, n)
	case strings.Contains(p, "city"):
		return pick(cities, n)
	case strings.Contains(p, "countrycode"):
		return pick([]string{"PT", "BE", "FI", "AT", "IE"}, n)
	case strings.Contains(p, "country"):
		return pick(countries, n)
	case strings.Contains(p, "street"), strings.Contains(p, "address"):
		return fmt.Sprintf("%d %s", 10+n, pick(streets, n))
	case strings.Contains(p, "postal"), strings.Contains(p, "zip"):
		return fmt.Sprintf("%05d", 10100+n)
	case strings.Contains(p, "currency"):
		return "EUR"
	case strings.HasSuffix(p, "url"), strings.HasSuffix(p, "uri"), p == "href", p == "website":
		return fmt.Sprintf("https://example.com/%s/%d", p, n+1)
	case strings.HasSuffix(p, "at") && len(p) > 4, strings.Contains(p, "timestamp"):
		return fmt.Sprintf("2026-%02d-%02dT09:30:00Z", 1+n%12, 3+n%25)
	case strings.Contains(p, "date"):
		return fmt.Sprintf("2026-%02d-%02d", 1+n%12, 3+n%25)
	case strings.HasSuffix(p, "id"), p == "uuid", p == "key":
		return strconv.Itoa(1001 + n)
	case strings.Contains(p, "description"), strings.Contains(p, "comment"), strings.Contains(p, "note"), p == "text", p == "body":
		return fmt.Sprintf("Made up by the sandbox (%d).", n+1)
	case p == "name", p == "title", p == "label", p == "subject", strings.HasSuffix(p, "name"):
		return fmt.Sprintf("Example %d", n+1)
	case p == "":
		return "example"
	}
	return fmt.Sprintf("%s %d", p, n+1)
}
