package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxFileBytes bounds every file that configuration is read from: the longest hand-written one is far below it.
const maxFileBytes = 4 << 20

// file is one YAML file, kept for excerpts.
type file struct {
	name     string // absolute
	lines    []string
	shielded bool            // the parser saw a text that shield had changed
	broken   bool            // it is not YAML
	hidden   map[int][]*node // by line, what no excerpt shows
}

func (f *file) dir() string { return filepath.Dir(f.name) }

// line returns a line without its end; lines count from 1.
func (f *file) line(number int) string {
	if f == nil || number < 1 || number > len(f.lines) {
		return ""
	}
	return strings.TrimSuffix(f.lines[number-1], "\r")
}

// readBounded reads a file that must not be larger than limit.
func readBounded(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("is a folder, not a file")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("is larger than %d bytes", limit)
	}
	return data, nil
}

// reason is an error of the file system without the name, which the message has already.
func reason(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "no such file"
	}
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// parse reads one YAML document. ok is false where a problem kept it from being read.
func (l *loader) parse(name string, data []byte) (f *file, root *yaml.Node, ok bool) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // a byte order mark says nothing in UTF-8
	f = &file{name: name, lines: strings.Split(string(data), "\n")}
	if !l.checkText(f, data) {
		return f, nil, false
	}
	data, f.shielded = shield(data)
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		l.syntaxProblem(f, data, err)
		return f, nil, false
	}
	err := decoder.Decode(&second)
	if err != nil && !errors.Is(err, io.EOF) {
		l.syntaxProblem(f, data, err)
		return f, nil, false
	}
	if err == nil {
		l.report(f, second.Line, 1, nil, "a second document begins here, and gateway.yaml is one document",
			"remove the ---, or put this part into a file of its own and name it under include")
		return f, nil, false
	}
	if len(document.Content) == 0 {
		return f, nil, true
	}
	return f, document.Content[0], true
}

// checkText reports bytes that are no text.
func (l *loader) checkText(f *file, data []byte) bool {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		l.report(f, 0, 0, nil, "is written in UTF-16", "save it as UTF-8")
		return false
	}
	for i, line := range f.lines {
		column := 0
		for rest := line; rest != ""; {
			r, size := utf8.DecodeRuneInString(rest)
			column++
			rest = rest[size:]
			switch {
			case r == utf8.RuneError && size == 1:
				l.report(f, i+1, column, nil, "this is not UTF-8", "save the file as UTF-8")
				return false
			case !printable(r) && (r != '\r' || rest != ""):
				l.report(f, i+1, column, nil, fmt.Sprintf("a control character (%U) stands here", r), "a YAML file is text: remove it")
				return false
			}
		}
	}
	return true
}

// printable reports a character that YAML allows (YAML 1.2, section 5.1).
func printable(r rune) bool {
	return r == '\t' || r == 0x85 || (r >= 0x20 && r <= 0x7e) || (r >= 0xa0 && r != 0xfeff && r != 0xfffe && r != 0xffff)
}

var (
	yamlLine      = regexp.MustCompile(`^yaml: line (\d+): `)
	unknownAnchor = regexp.MustCompile(`unknown anchor '([^']*)'`)
	grammarError  = regexp.MustCompile(`did not find expected (<|node|'-'|key|',')|found (undefined|duplicate|incompatible)`)
	blockError    = regexp.MustCompile(`did not find expected (key|'-' indicator)$`)
)

// syntaxHints answer the errors of the YAML parser that people meet.
var syntaxHints = []struct{ message, hint string }{
	{"mapping values are not allowed", "put quotes around a value that holds a colon and a space, and check the indentation"},
	{"found character that cannot start any token", "put quotes around a value that begins with @, ` or %"},
	{"did not find expected key", "check the indentation of this line and of those above"},
	{"did not find expected alphabetic or numeric character", "put quotes around a value that begins with * or &"},
	{"could not find expected ':'", "a key needs a colon and a space after it"},
	{"did not find expected ',' or", "check the brackets, and put quotes around a value that holds { } [ ] or ,"},
	{"did not find expected '-' indicator", "every item of a list begins with - in the same column"},
	{"found unexpected end of stream", "a quote is opened and never closed"},
	{"unknown anchor", "put quotes around a value that begins with *; as an alias it needs its anchor (&name) before it"},
}

// syntaxProblem reports what the YAML parser found. It names a line, at best.
func (l *loader) syntaxProblem(f *file, data []byte, err error) {
	f.broken = true
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line, column, hint := f.syntaxLine(err.Error(), data), 0, ""
	if parts := yamlLine.FindStringSubmatch(err.Error()); parts != nil {
		text = err.Error()[len(parts[0]):]
	}
	for _, known := range syntaxHints {
		if strings.Contains(text, known.message) {
			hint = known.hint
			break
		}
	}
	for _, near := range []int{line, line + 1, line - 1} {
		indent := f.line(near)
		indent = indent[:len(indent)-len(strings.TrimLeft(indent, " \t"))]
		if at := strings.IndexByte(indent, '\t'); at >= 0 {
			line, column = near, at+1
			text, hint = "a tab can't indent YAML", "use spaces"
			break
		}
	}
	l.report(f, line, column, nil, "this is not YAML: "+text, hint)
}

// syntaxLine is the line of an error of the YAML parser, which leaves the first one out, and counts from 0 in the errors
// of its grammar and from 1 in those of its scanner.
func (f *file) syntaxLine(text string, data []byte) int {
	if message := blockError.FindString(text); message != "" {
		return firstBad(data, message)
	}
	if parts := unknownAnchor.FindStringSubmatch(text); parts != nil {
		return 1 + slices.IndexFunc(f.lines, func(line string) bool { return strings.Contains(line, "*"+parts[1]) })
	}
	parts := yamlLine.FindStringSubmatch(text)
	if parts == nil {
		return 1
	}
	number, err := strconv.Atoi(parts[1])
	if err != nil {
		return 1
	}
	if grammarError.MatchString(text) {
		number++
	}
	return min(number, len(f.lines))
}

// firstBad is the line with which a text begins not to be YAML: for a line that is indented wrongly the parser names the
// beginning of the mapping or list instead.
func firstBad(data []byte, message string) int {
	lines := bytes.SplitAfter(data, []byte("\n"))
	return 1 + sort.Search(len(lines)-1, func(i int) bool {
		var y yaml.Node
		err := yaml.Unmarshal(bytes.Join(lines[:i+1], nil), &y)
		return err != nil && strings.HasSuffix(err.Error(), message)
	})
}
