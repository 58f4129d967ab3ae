package mapping

import (
	"fmt"
	"net/url"
	"strings"

	"mcpgate/internal/fault"
)

// tokenPrefix marks a {name} of a base URL that comes with the caller's login: {token.instance_url}.
const tokenPrefix = "token."

// TokenVariables are the {token.NAME}s in the tool's base URL, without the prefix. Each has to be given with FillToken
// before the request is made.
func (t *Tool) TokenVariables() []string {
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(t.template.base, -1) {
		if name, ok := strings.CutPrefix(match[1], tokenPrefix); ok {
			names = append(names, name)
		}
	}
	return names
}

// FillToken puts the value of a {token.NAME} beside the arguments, whatever a client may have sent under that name.
func (a Arguments) FillToken(name, value string) { a[tokenPrefix+name] = value }

// tokenVariable is the text of a {token.NAME}: part of a host's name or of a path, or where the base begins with it an
// origin such as https://acme.my.salesforce.com. A provider wrote it, so it may not change what stands around it. Which hosts it may
// lead to is not decided here.
func (t *template) tokenVariable(name string, args Arguments, allowed func(string) bool) (string, error) {
	text, ok := args[name].(string)
	if !ok {
		return "", unfilled(name)
	}
	begins := strings.HasPrefix(t.base, "{"+name+"}")
	if !begins && allowed(text) {
		return text, nil
	}
	u, err := url.Parse(text)
	if begins && err == nil && !strings.Contains(text, "#") && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.RawQuery == "" && !u.ForceQuery &&
		(strings.Trim(u.Path, "/") == "" || isPlainPath(strings.Trim(u.Path, "/"))) {
		return strings.TrimRight(text, "/"), nil
	}
	return "", fault.New(fault.ConfigurationInvalid, "the login gives no address that can be used", fmt.Errorf("{%s} is %q", name, text))
}
