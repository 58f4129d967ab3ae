package config

import (
	"fmt"
	"strings"
)

// Errors says where an upstream's errors have their parts, each as a jq expression over the answer's JSON. What yields
// nothing leaves the part to what is found without it: problem+json and the usual names are known.
type Errors struct {
	// Message yields what went wrong in the upstream's words, such as .error.text. Several values are several errors.
	Message string `yaml:"message"`
	// Code yields the upstream's own code, such as .[].errorCode, one for each message.
	Code string `yaml:"code"`
	// Fields yields the names of the fields that are wrong, or {path, message} of each.
	Fields string `yaml:"fields"`
	// Faults says which of the upstream's codes is which fault, such as INVALID_SESSION_ID: authentication.token.expired.
	// * in a code is a wildcard; the longest match wins. A code that is api.rate_limit says that nothing was carried out,
	// and is tried again like a 429, a POST too.
	Faults map[string]string `yaml:"faults"`
	// When is a condition under which a 2xx is an error all the same, such as .success == false.
	When string `yaml:"when"`
}

// errors checks what can be checked without knowing jq or the tree of faults: mapping knows both.
func (v *validator) errors(at Path, e *Errors) {
	for _, code := range sortedNames(e.Faults) {
		path := at.Child("faults", code)
		v.unless(strings.Trim(code, "* ") != "", path, fmt.Sprintf("%q is no code of an upstream", code), "write the code as the upstream does; * is a wildcard")
		v.unless(e.Faults[code] != "", path, "this code has no fault", "write one such as record.duplicate")
	}
}
