package mapping

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/specs"
)

var update = flag.Bool("update", false, "write what the stories in testdata come to")

// TestStories plays testdata/*.txtar. A story has a gateway.yaml and its documents, and then
//
//	tools           every tool as clients see it (golden)
//	problems        what is wrong with gateway.yaml (golden, where there is any)
//	NAME.call       the tool's name, and under it the arguments
//	NAME.request    what is sent (golden), or NAME.fault
//	NAME.answer     what the upstream answers; several calls may have one
//	NAME.request2   where the answers of a list are joined, the request for the next page, and NAME.answer2
//	NAME.result     what the model gets (golden), or NAME.fault
//
// go test ./mapping -run Stories -update writes the golden parts.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := &story{t: t, archive: archive}
			s.play()
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

type story struct {
	t       *testing.T
	archive *txtar.Archive
	dir     string // its files
}

func (s *story) play() {
	tools, problems := s.compile()
	vet(s.t, tools)
	var listing strings.Builder
	for _, tool := range tools {
		fmt.Fprintln(&listing, showTool(s.t, tool))
	}
	s.golden("tools", listing.String())
	var wrong strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&wrong, "%d:%d: %s\n", p.Pos.Line, p.Pos.Column, p.Message)
		if p.Hint != "" {
			fmt.Fprintf(&wrong, "\t%s\n", p.Hint)
		}
	}
	if wrong.Len() > 0 || s.file("problems") != nil {
		s.golden("problems", wrong.String())
	}
	for _, file := range append([]txtar.File(nil), s.archive.Files...) {
		if name, ok := strings.CutSuffix(file.Name, ".call"); ok {
			s.call(name, string(file.Data), tools)
		}
	}
}

// compile writes the story's files to a folder, and reads them as the program would.
func (s *story) compile() ([]*Tool, []config.Problem) {
	s.dir = s.t.TempDir()
	for _, file := range s.archive.Files {
		name := filepath.Join(s.dir, file.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(name, file.Data, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	cfg, err := config.Load(filepath.Join(s.dir, "gateway.yaml"), func(string) (string, bool) { return "", false })
	if err != nil {
		s.t.Fatal(err)
	}
	documents := map[string][]*specs.Document{}
	for name, upstream := range cfg.Upstreams {
		for _, location := range upstream.Spec {
			document, warnings, err := specs.Loader{}.Load(s.t.Context(), location)
			if err != nil {
				s.t.Fatal(err)
			}
			for _, w := range warnings {
				s.t.Log(w)
			}
			document.Location = filepath.Base(location) // the same on every machine
			documents[name] = append(documents[name], document)
		}
	}
	return Compile(cfg, documents)
}

// call plays one call: arguments, request, and where the story has an answer, result.
func (s *story) call(name, text string, tools []*Tool) {
	toolName, raw, _ := strings.Cut(strings.TrimSpace(text), "\n")
	tool := find(tools, strings.TrimSpace(toolName))
	if tool == nil {
		s.t.Fatalf("%s.call: there is no tool %q", name, toolName)
	}
	args, err := tool.ParseArguments(json.RawMessage(raw))
	if err != nil {
		s.golden(name+".fault", showFault(err))
		return
	}
	w, err := tool.Walk(s.t.Context(), args, nil)
	if err != nil {
		s.golden(name+".fault", showFault(err))
		return
	}
	for n, further := 1, true; further; n++ {
		part := ""
		if n > 1 {
			part = fmt.Sprint(n)
		}
		req := w.Request()
		s.golden(name+".request"+part, showRequest(s.t, req))
		answer := s.file(name + ".answer" + part)
		if answer == nil && n > 1 {
			break // as where time is over
		}
		if answer == nil {
			return
		}
		// The archive's last line end is not the answer's, and headers end their lines with CR LF only on the wire.
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(bytes.TrimSuffix(answer.Data, []byte("\n")))), req)
		if err != nil {
			s.t.Fatalf("%s.answer%s: %v", name, part, err)
		}
		page, err := tool.ReadPage(resp)
		if err != nil {
			s.golden(name+".fault", showFault(err))
			return
		}
		further = w.Add(page)
	}
	result, err := w.Result(s.t.Context())
	if err != nil {
		s.golden(name+".fault", showFault(err))
		return
	}
	s.golden(name+".result", showResult(s.t, result))
}

func (s *story) file(name string) *txtar.File {
	for i := range s.archive.Files {
		if s.archive.Files[i].Name == name {
			return &s.archive.Files[i]
		}
	}
	return nil
}

// golden compares a part of the story with what came out, or writes it.
func (s *story) golden(name, got string) {
	s.t.Helper()
	got = strings.TrimRight(strings.ReplaceAll(got, s.dir+string(filepath.Separator), ""), "\n") + "\n"
	file := s.file(name)
	switch {
	case *update && file != nil:
		file.Data = []byte(got)
	case *update:
		s.archive.Files = append(s.archive.Files, txtar.File{Name: name, Data: []byte(got)})
	case file == nil:
		s.t.Errorf("the story has no %s; it came to\n%s", name, got)
	default:
		if diff := cmp.Diff(string(file.Data), got); diff != "" {
			s.t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func find(tools []*Tool, name string) *Tool {
	for _, tool := range tools {
		if tool.Name == name {
			return tool
		}
	}
	return nil
}

func showTool(t *testing.T, tool *Tool) string {
	var hints []string
	for _, hint := range []struct {
		set  bool
		name string
	}{
		{tool.Annotations.ReadOnly, "read-only"}, {tool.Annotations.Destructive, "destructive"},
		{tool.Annotations.Idempotent, "idempotent"}, {tool.Annotations.OpenWorld, "open-world"},
	} {
		if hint.set {
			hints = append(hints, hint.name)
		}
	}
	var schema bytes.Buffer
	if err := json.Indent(&schema, tool.InputSchema, "", "  "); err != nil {
		t.Fatal(err)
	}
	if tool.OutputSchema != nil {
		schema.WriteString("\nresults: ")
		if err := json.Indent(&schema, tool.OutputSchema, "", "  "); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("%s: %s %s (%s)\n%s\n%s\n%s\n", tool.Name, tool.Method, tool.Path, strings.Join(hints, ", "),
		tool.Title, tool.Description, schema.String())
}

func showFault(err error) string {
	f := fault.From(err)
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", f.Code, f.Message)
	for _, field := range f.Fields {
		fmt.Fprintf(&b, "\t%s: %s\n", field.Path, field.Message)
	}
	if f.Code == fault.Internal {
		fmt.Fprintf(&b, "\tcause: %v\n", errors.Unwrap(f))
	}
	for _, more := range f.More {
		fmt.Fprintf(&b, "and %s", showFault(more))
	}
	return b.String()
}

func showRequest(t *testing.T, req *http.Request) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n", req.Method, req.URL)
	if err := req.Header.Write(&b); err != nil {
		t.Fatal(err)
	}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "\n%s", body)
	}
	return strings.ReplaceAll(b.String(), "\r\n", "\n")
}

func showResult(t *testing.T, result Result) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d\n", result.Status)
	if result.Data != nil {
		if err := json.Indent(&b, result.Data, "", "  "); err != nil {
			t.Fatalf("%v in %s", err, result.Data)
		}
		b.WriteByte('\n')
	}
	if result.Truncated != nil {
		fmt.Fprintf(&b, "truncated: %+v\n", *result.Truncated)
	}
	if result.Rest != nil {
		fmt.Fprintf(&b, "rest: %s\n", result.Rest)
	}
	if result.Note != "" {
		fmt.Fprintf(&b, "note: %s\n", result.Note)
	}
	for _, media := range result.Media {
		fmt.Fprintf(&b, "%s: %q\n", media.Type, media.Data)
	}
	return b.String()
}
