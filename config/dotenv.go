package config

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/joho/godotenv"
)

// readDotenv reads NAME=value lines. What the file holds is secret: no message quotes it.
func (l *loader) readDotenv(name string) map[string]string {
	f := &file{name: name}
	data, err := readBounded(name, maxFileBytes)
	if err != nil {
		l.report(f, 0, 0, nil, reason(err), "")
		return nil
	}
	values, err := godotenv.Parse(bytes.NewReader(data))
	if err != nil {
		l.report(f, dotenvLine(data, err), 0, nil, "this is not a NAME=value line", "put quotes around a value that holds # or spaces")
		return nil
	}
	return values
}

// dotenvLine finds the line in godotenv's error, which quotes the rest of the file from the place on: 0 where it does
// not.
func dotenvLine(data []byte, err error) int {
	_, quoted, ok := strings.Cut(err.Error(), ` near `)
	if !ok {
		return 0
	}
	rest, unquoteErr := strconv.Unquote(quoted)
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	at := strings.Index(text, rest)
	if unquoteErr != nil || rest == "" || at < 0 {
		return 0
	}
	return 1 + strings.Count(text[:at], "\n")
}
