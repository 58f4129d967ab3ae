package sandbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mcpgate/specs"
)

// TestAnswersFitTheDocuments asks for everything that the corpus' documents offer to read, and holds the answers to
// the documents' schemas. It prints the share that fits.
func TestAnswersFitTheDocuments(t *testing.T) {
	asked, fit, odd := 0, 0, 0
	eachDocument(t, func(name string, document *specs.Document) {
		n, good, own := askAll(t, document)
		t.Logf("%s: %d of %d, and %d whose own example does not fit", name, good, n, own)
		asked, fit, odd = asked+n, fit+good, odd+own
	})
	if asked == 0 {
		t.Fatal("nothing was asked")
	}
	share := 100 * float64(fit) / float64(asked)
	t.Logf("%d of %d answers fit their documents: %.1f %%; of %d more the document's own example does not", fit, asked, share, odd)
	if share < 95 {
		t.Errorf("%.1f %% of the answers fit, want 95 %% or more", share)
	}
}

// eachDocument loads the documents that the project has, and those of the corpus where there is one.
func eachDocument(t *testing.T, use func(name string, document *specs.Document)) {
	t.Helper()
	folders := []string{"../../specs/testdata/corpus", "../../specs", "../../examples/petstore", "../../examples/several"}
	if corpus := os.Getenv("MCPGATE_CORPUS"); corpus != "" {
		folders = append(folders, corpus)
	}
	for _, folder := range folders {
		files, err := filepath.Glob(folder + "/*.*")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if ext := filepath.Ext(file); ext == ".go" || ext == ".md" || filepath.Base(file) == "gateway.yaml" {
				continue
			}
			path, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			document, _, err := specs.Loader{}.Load(t.Context(), path)
			if err != nil {
				t.Logf("%s: %v", filepath.Base(file), err) // the loader's own tests say which may fail
				continue
			}
			use(filepath.Base(file), document)
		}
	}
}

// TestWritesAreTaken sends a body that fits to everything that writes, in every document, and reads back what was made.
func TestWritesAreTaken(t *testing.T) {
	sent, taken := 0, 0
	eachDocument(t, func(name string, document *specs.Document) {
		u := upstream{t, New([]*specs.Document{document}, nil)}
		endpoints := slices.Clone(u.s.endpoints)
		slices.SortStableFunc(endpoints, func(a, b *endpoint) int { // what deletes comes last, the parts before the whole
			return cmp.Or(cmp.Compare(len(a.method)/6, len(b.method)/6), len(b.path.segments)-len(a.path.segments))
		})
		for n, e := range endpoints {
			if e.method == http.MethodGet || e.method == http.MethodHead || e.method == http.MethodOptions || !e.takesJSON() {
				continue
			}
			sent++
			if why := u.write(e, 40+n); why != "" {
				t.Logf("%s: %s %s: %.300s", name, e.method, e.path.text, why)
				continue
			}
			taken++
		}
	})
	if sent == 0 {
		t.Fatal("nothing was sent")
	}
	share := 100 * float64(taken) / float64(sent)
	t.Logf("%d of %d writes are taken: %.1f %%", taken, sent, share)
	if share < 95 {
		t.Errorf("%.1f %% of the writes are taken, want 95 %% or more", share)
	}
}

func (e *endpoint) takesJSON() bool { return e.op.Body == nil || jsonMedia(e.op.Body.Content) != nil }

// write sends what an endpoint takes, the n-th of its kind, and says what went wrong.
func (u upstream) write(e *endpoint, n int) string {
	body := ""
	if media := e.op.Body; media != nil && jsonMedia(media.Content) != nil {
		value := e.defs.generate(jsonMedia(media.Content).Schema, "", n, 0)
		if fields, ok := value.(map[string]any); ok && e.of != nil && e.does == create {
			delete(fields, e.of.idName)
			if slices.Contains(required(e.bodySchema()), e.of.idName) {
				fields[e.of.idName] = e.defs.generate(properties(e.bodySchema())[e.of.idName], e.of.idName, n, 1)
			}
		}
		text, err := json.Marshal(value)
		if err != nil {
			return err.Error()
		}
		body = string(text)
	}
	a := u.send(e.method+" "+u.pathTo(e), body, u.headersOf(e)...)
	if a.status >= 300 {
		return asNumber(a.status).String() + " " + a.text + " for " + body
	}
	place := a.header.Get("Location")
	if e.does != create || place == "" || !u.s.hasMethod(parsePattern(e.of.path.text+"/{id}"), http.MethodGet) {
		return ""
	}
	parsed, err := url.Parse(place)
	if err != nil {
		return err.Error()
	}
	if got := u.send("GET "+parsed.EscapedPath(), "", u.headersOf(e)...); got.status >= 300 {
		return "made at " + place + ", and then " + got.text
	}
	return ""
}

// askAll sends every GET of a document, with the ids of records that are there. odd are those left out because the
// document's own examples do not fit its schemas.
func askAll(t *testing.T, document *specs.Document) (asked, fit, odd int) {
	t.Helper()
	v := validator(t, document)
	u := upstream{t, New([]*specs.Document{document}, nil)}
	for _, e := range u.s.endpoints {
		if e.method != http.MethodGet {
			continue
		}
		asked++
		a := u.send("GET "+u.pathTo(e), "", u.headersOf(e)...)
		if a.status >= 300 {
			t.Logf("GET %s: %d %.200s", e.path.text, a.status, a.text)
			continue
		}
		media := (*specs.Media)(nil)
		if success := e.success(); success != nil {
			media = jsonMedia(success.Content)
		}
		if media == nil || len(media.Schema) == 0 || a.text == "" {
			fit++
			continue
		}
		if err := v.validate(media.Schema, a.at("")); err != nil {
			if v.isOdd(e, media) {
				asked, odd = asked-1, odd+1
				continue
			}
			t.Logf("GET %s: %.900v\n%.300s", e.path.text, err, a.text)
			continue
		}
		fit++
	}
	return asked, fit, odd
}

// pathTo fills a path in with records that are there, and the parameters that it demands with values that fit.
func (u upstream) pathTo(e *endpoint) string {
	var b strings.Builder
	at := e.path
	for i, s := range at.segments {
		b.WriteByte('/')
		if s.match == nil {
			b.WriteString(url.PathEscape(s.literal))
			continue
		}
		prefix := pattern{key: keyOf(at.segments[:i+1])}
		id := "1"
		for _, other := range u.s.endpoints {
			if other.isOne() && other.path.key == prefix.key && len(other.of.records) > 0 {
				id = other.of.records[0].id
			}
		}
		filled := at.text
		filled = splitPath(filled)[i]
		b.WriteString(placeholder.ReplaceAllString(filled, url.PathEscape(id)))
	}
	q := url.Values{}
	for _, p := range e.op.Parameters {
		if p.In == "query" && p.Required {
			q.Set(p.Name, text(e.defs.generate(p.Schema, p.Name, 0, 0)))
		}
	}
	if len(q) > 0 {
		b.WriteString("?" + q.Encode())
	}
	return cmp.Or(b.String(), "/")
}

func (u upstream) headersOf(e *endpoint) []string {
	var out []string
	for _, p := range e.op.Parameters {
		if p.In == "header" && p.Required {
			out = append(out, p.Name, text(e.defs.generate(p.Schema, p.Name, 0, 0)))
		}
	}
	return out
}

// schemas holds a document's schemas, compiled when they are needed.
type schemas struct {
	t        *testing.T
	compiler *jsonschema.Compiler
	defs     map[string]any
	made     int
}

func validator(t *testing.T, document *specs.Document) *schemas {
	t.Helper()
	v := &schemas{t: t, compiler: jsonschema.NewCompiler(), defs: map[string]any{}}
	for name, s := range document.Defs {
		v.defs[name] = map[string]any(s)
	}
	v.compiler.DefaultDraft(jsonschema.Draft2020)
	v.compiler.UseRegexpEngine(anyPattern)
	v.add("defs", map[string]any{"$defs": v.defs})
	return v
}

func (v *schemas) add(name string, schema any) {
	v.t.Helper()
	text, err := json.Marshal(schema)
	if err != nil {
		v.t.Fatal(err)
	}
	text = []byte(strings.ReplaceAll(string(text), `"#/$defs/`, `"defs#/$defs/`))
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.compiler.AddResource(name, parsed); err != nil {
		v.t.Fatal(err)
	}
}

// validate holds a value to a schema of the document.
func (v *schemas) validate(schema specs.Schema, value any) error {
	v.t.Helper()
	v.made++
	name := "schema" + asNumber(v.made).String()
	v.add(name, map[string]any(schema))
	compiled, err := v.compiler.Compile(name)
	if err != nil {
		return err
	}
	return compiled.Validate(value)
}

// isOdd reports whether an example that the document gives for the records breaks the document's own schema.
func (v *schemas) isOdd(e *endpoint, media *specs.Media) bool {
	for _, example := range media.Examples {
		if v.validate(media.Schema, example) != nil {
			return true
		}
	}
	if e.of == nil {
		return false
	}
	for _, example := range schemaExamples(e.of) {
		if v.validate(e.of.schema, example) != nil {
			return true
		}
	}
	return false
}

// matchesAll stands for a pattern: the sandbox makes no text up to fit one.
type matchesAll struct{ pattern string }

func (matchesAll) MatchString(string) bool { return true }
func (m matchesAll) String() string        { return m.pattern }

func anyPattern(pattern string) (jsonschema.Regexp, error) { return matchesAll{pattern}, nil }
