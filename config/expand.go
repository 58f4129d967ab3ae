package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	maxNesting      = 20       // of ${A:-${B:-...}}
	maxExpanded     = 1 << 20  // bytes of one value after expansion
	maxSecretFile   = 64 << 10 // bytes that ${file:...} reads
	keyVaultPending = "@Microsoft.KeyVault("
)

// expander puts the values of variables into scalars. It runs after the YAML is parsed, so no value can add structure,
// and what a variable holds is never expanded again.
type expander struct {
	env func(string) (string, bool)
}

// expandError says what is wrong with a ${...}, and the way out.
type expandError struct{ message, hint string }

func (e *expandError) Error() string { return e.message }

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)

// expand returns text with every ${...} replaced and $$ as a dollar sign. Any other $ stays as it is. dir is the folder
// that a relative ${file:...} is in.
func (e *expander) expand(text, dir string) (string, error) {
	return e.expandNested(text, dir, 0)
}

func (e *expander) expandNested(text, dir string, depth int) (string, error) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	if depth > maxNesting {
		return "", &expandError{"${...} is nested too deeply", fmt.Sprintf("at most %d levels", maxNesting)}
	}
	var b strings.Builder
	for {
		at := strings.IndexByte(text, '$')
		if at < 0 || at == len(text)-1 {
			b.WriteString(text)
			break
		}
		b.WriteString(text[:at])
		text = text[at:]
		switch text[1] {
		case '$':
			b.WriteByte('$')
			text = text[2:]
		case '{':
			length := variableLength(text)
			if length < 0 {
				return "", &expandError{"${ has no closing }", "write $${ for the characters themselves"}
			}
			value, err := e.variable(text[2:length-1], dir, depth)
			if err != nil {
				return "", err
			}
			b.WriteString(value)
			text = text[length:]
		default:
			b.WriteByte('$')
			text = text[1:]
		}
		if b.Len() > maxExpanded {
			return "", &expandError{fmt.Sprintf("the value is larger than %d bytes once its variables are filled in", maxExpanded), ""}
		}
	}
	return b.String(), nil
}

// variable answers what stands between ${ and }.
func (e *expander) variable(inside, dir string, depth int) (string, error) {
	if name, ok := strings.CutPrefix(inside, "file:"); ok {
		return e.file(name, dir, depth)
	}
	name := variableName.FindString(inside)
	operator, rest := "", inside[len(name):]
	if len(rest) >= 2 {
		operator, rest = rest[:2], rest[2:]
	}
	if name == "" || (operator == "" && rest != "") || (operator != "" && operator != ":-" && operator != ":?") {
		return "", &expandError{
			fmt.Sprintf("${%s} is not a variable", inside),
			"write ${NAME}, ${NAME:-default}, ${NAME:?message} or ${file:/path}, and $${ for the characters themselves",
		}
	}
	value, set := e.env(name)
	switch {
	case operator == ":-" && value == "":
		return e.expandNested(rest, dir, depth+1)
	case operator == ":?" && value == "":
		if rest == "" {
			rest = "it has to be set"
		}
		return "", &expandError{fmt.Sprintf("the variable %s is empty or not set: %s", name, rest), ""}
	case !set:
		return "", &expandError{
			fmt.Sprintf("the variable %s is not set", name),
			fmt.Sprintf("set it in the environment or in .env, or write ${%s:-default}", name),
		}
	}
	return value, nil
}

// file reads ${file:NAME}, as container platforms mount secrets. The line end at the end is not part of the value.
func (e *expander) file(name, dir string, depth int) (string, error) {
	name, err := e.expandNested(name, dir, depth+1)
	if err != nil {
		return "", err
	}
	if name == "" {
		return "", &expandError{"${file:} names no file", "write ${file:/run/secrets/name}"}
	}
	place := name
	if !filepath.IsAbs(place) {
		place = filepath.Join(dir, place)
	}
	data, err := readBounded(place, maxSecretFile)
	if err != nil {
		return "", &expandError{fmt.Sprintf("${file:%s}: %s", name, reason(err)), ""}
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}

// variableLength returns the length of the ${...} at the start of text, its nested ones included, or -1 where it has
// no end.
func variableLength(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "$$"):
			i++
		case strings.HasPrefix(text[i:], "${"):
			if depth++; depth > maxNesting+1 {
				return -1
			}
			i++
		case text[i] == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
