package main

import "strings"

// limits are refusals that say more of kin-openapi's validator than of the request. They count as refused all the same.
var limits = []struct{ reason, because string }{
	{"unsupported schema of request body", "it does not decode objects, or a choice of schemas, in a form"},
	{"Value is not nullable", "it reads a field of a form without a type as null"},
	{"in query has an error: decoding oneOf failed", "it decodes no alternative that does not say its type"},
	{"has non primitive type object", "it does not decode objects inside of query arrays"},
	{"unsupported parameter.in", "it does not know OpenAPI 3.2's querystring"},
	{"property \"grant_type\" is missing", "it drops fields of a form that the schema requires and does not describe"},
	{"at '': got string, want", "it reads a text/plain body as a string, whatever its schema says"},
	{"in query has an error: empty value is not allowed", "it can't decode a choice among constants"},
	{"in query has an error: doesn't match schema due to: value must be a string", "of a string or a list it decodes a list always"},
	{"request body has an error: value is required but missing", "a form without fields has no bytes, and it takes that for no form"},
}

// because returns what a refusal says of the validator, "" where it may well be right.
func because(reason string) string {
	for _, limit := range limits {
		if strings.Contains(reason, limit.reason) {
			return " [kin-openapi: " + limit.because + "]"
		}
	}
	return ""
}
