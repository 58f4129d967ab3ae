package mapping

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"mcpgate/config"
	"mcpgate/specs"
)

// TestRoundTrips calls each operation of each document with arguments drawn from its own schema. Three things have to
// hold: what the whole schema accepts, the one that clients see accepts (lowering only widens); ParseArguments accepts
// it; and kin-openapi, which shares no code with us, accepts the request that comes of it. The last is a share, since
// documents contradict themselves.
func TestRoundTrips(t *testing.T) {
	var all tally
	t.Run("documents", func(t *testing.T) {
		for _, location := range documentsFor(t) {
			t.Run(filepath.Base(location), func(t *testing.T) {
				t.Parallel()
				roundTrips(t, location, &all)
			})
		}
	})
	share := float64(all.accepted.Load()) / float64(all.sent.Load())
	t.Logf("kin-openapi accepts %d of %d requests: %.1f %%; %d samples fit no schema", all.accepted.Load(),
		all.sent.Load(), 100*share, all.refused.Load())
	if share < 0.95 {
		t.Errorf("less than 95 %%")
	}
}

// tally counts requests, and samples that the whole schema refused.
type tally struct{ sent, accepted, refused atomic.Int64 }

func roundTrips(t *testing.T, location string, all *tally) {
	document, _, err := specs.Loader{}.Load(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	judge := newJudge(location)
	if judge.err != nil {
		t.Logf("not judged: %v", judge.err)
	}
	cfg := everything()
	cfg.Upstreams["api"].BaseURL = "https://api.example/root"
	tools, _ := Compile(cfg, map[string][]*specs.Document{"api": {document}})
	drawn := drawable(t, cfg, document)
	for _, tool := range tools {
		seen := seenSchema(t, tool)
		for _, full := range []bool{false, true} {
			args, ok := parseSample(t, tool, seen, sampler{full}.value(drawn[tool.Method+" "+tool.Path], 0))
			switch {
			case !ok:
				all.refused.Add(1)
			case judge.err == nil:
				all.sent.Add(1)
				if err := judge.judge(t, tool, args); err != nil {
					t.Logf("%s: %s", tool.Name, firstLine(err))
					continue
				}
				all.accepted.Add(1)
			}
		}
	}
}

// documentsFor are those of the project, and of $MCPGATE_CORPUS where it is set.
func documentsFor(t *testing.T) []string {
	var all []string
	patterns := []string{"../specs/*.yaml", "../specs/testdata/corpus/*"}
	if folder := os.Getenv("MCPGATE_CORPUS"); folder != "" {
		patterns = append(patterns, filepath.Join(folder, "*.*"))
	} else {
		t.Log("MCPGATE_CORPUS names no folder of published documents: only the project's own are called")
	}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, ".json") || strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml") {
				all = append(all, file)
			}
		}
	}
	return all
}

// drawable compiles the arguments of each operation once more, with their formats, which a Tool does not keep because it
// does not check them.
func drawable(t *testing.T, cfg *config.Config, document *specs.Document) map[string]*jsonschema.Schema {
	all := map[string]*jsonschema.Schema{}
	defs := newDefinitions(document)
	defs.compiler.AssertFormat()
	for _, op := range document.Operations() {
		in := collect(defs, op, nil)
		newCompilation(cfg).place(&plan{upstream: cfg.Upstreams["api"], op: op}, in)
		in.assignNames()
		properties, required := map[string]any{}, []any{}
		for _, a := range in.shown() {
			properties[a.name] = a.schema
			if a.required {
				required = append(required, a.name)
			}
		}
		schema, err := defs.compile(map[string]any{"type": "object", "properties": properties, "required": required})
		if err != nil {
			t.Fatal(err)
		}
		all[op.Method+" "+op.Path] = schema
	}
	return all
}

func seenSchema(t *testing.T, tool *Tool) *jsonschema.Schema {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(tool.InputSchema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource("mem:///seen", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("mem:///seen")
	if err != nil {
		t.Fatalf("%s: %v", tool.Name, err)
	}
	return schema
}

// parseSample checks the first two properties. A sample that the whole schema refuses says nothing: the sampler is simple.
func parseSample(t *testing.T, tool *Tool, seen *jsonschema.Schema, sample any) (Arguments, bool) {
	if tool.arguments.Validate(sample) != nil {
		return nil, false
	}
	raw, err := json.Marshal(sample)
	if err != nil {
		t.Fatal(err)
	}
	if err := seen.Validate(sample); err != nil {
		t.Errorf("%s: what clients see is narrower: %v\n%s\n%s", tool.Name, err, raw, tool.InputSchema)
	}
	args, err := tool.ParseArguments(raw)
	if err != nil && tool.together == nil {
		t.Errorf("%s: %v\n%s", tool.Name, err, raw)
	}
	return args, err == nil
}

// judge validates requests with kin-openapi.
type judge struct {
	document *openapi3.T
	err      error
}

func newJudge(location string) *judge {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, u *url.URL) ([]byte, error) { return os.ReadFile(u.Path) }
	data, err := os.ReadFile(location)
	if err != nil {
		return &judge{err: err}
	}
	var head struct{ Swagger any }
	if yaml.Unmarshal(data, &head) != nil || head.Swagger == nil {
		document, err := loader.LoadFromFile(location)
		return &judge{document, err}
	}
	var generic any
	if err := yaml.Unmarshal(data, &generic); err != nil {
		return &judge{err: err}
	}
	text, err := json.Marshal(generic)
	if err != nil {
		return &judge{err: err}
	}
	var old openapi2.T
	if err := json.Unmarshal(text, &old); err != nil {
		return &judge{err: err}
	}
	document, err := openapi2conv.ToV3WithLoader(&old, loader, nil)
	return &judge{document, err}
}

func (j *judge) judge(t *testing.T, tool *Tool, args Arguments) error {
	req, err := tool.NewRequest(t.Context(), args)
	if err != nil {
		return err
	}
	// What arrives is what counts: the request is read again as a server would.
	var wire bytes.Buffer
	if err := req.Write(&wire); err != nil {
		return err
	}
	item := j.document.Paths.Value(tool.Path)
	if item == nil || item.GetOperation(tool.Method) == nil {
		return fmt.Errorf("kin-openapi has no %s %s", tool.Method, tool.Path)
	}
	arrived, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		return err
	}
	params, err := pathParams(tool.Path, strings.TrimPrefix(req.URL.EscapedPath(), "/root"))
	if err != nil {
		return err
	}
	return openapi3filter.ValidateRequest(t.Context(), &openapi3filter.RequestValidationInput{
		Request: arrived, QueryParams: arrived.URL.Query(), PathParams: params,
		Route: &routers.Route{Spec: j.document, Path: tool.Path, PathItem: item, Method: tool.Method,
			Operation: item.GetOperation(tool.Method)},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true},
	})
}

// pathParams reads the values of a path as a server's router would.
func pathParams(template, path string) (map[string]string, error) {
	template, _, _ = strings.Cut(template, "#")
	template, _, _ = strings.Cut(template, "?")
	var names []string
	pattern := placeholder.ReplaceAllStringFunc(regexp.QuoteMeta(template), func(s string) string { return s })
	pattern = regexp.MustCompile(`\\\{(.+?)\\\}`).ReplaceAllStringFunc(pattern, func(s string) string {
		names = append(names, strings.ReplaceAll(s[2:len(s)-2], `\`, ""))
		return `([^/]*)`
	})
	match := regexp.MustCompile(`^` + pattern + `$`).FindStringSubmatch(path)
	if match == nil {
		return nil, fmt.Errorf("%s is no %s", path, template)
	}
	params := map[string]string{}
	for i, name := range names {
		value, err := url.PathUnescape(match[i+1])
		if err != nil {
			return nil, err
		}
		params[name] = value
	}
	return params, nil
}

func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return cut(text, 300)
}
