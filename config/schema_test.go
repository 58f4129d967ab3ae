package config

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// compileSchema compiles the shipped schema.
func compileSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("gateway.schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("gateway.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// againstSchema validates a file as an editor would: variables are not filled in.
func againstSchema(t testing.TB, compiled *jsonschema.Schema, text []byte) error {
	t.Helper()
	shieldedText, _ := shield(text)
	var node yaml.Node
	if err := yaml.Unmarshal(shieldedText, &node); err != nil {
		t.Fatal(err)
	}
	unshieldAll(&node)
	var value any
	if err := node.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(value)
}

func unshieldAll(n *yaml.Node) {
	n.Value = unshield(n.Value)
	for _, each := range n.Content {
		unshieldAll(each)
	}
}

// Every gateway.yaml that is shipped pleases the editor that checks it.
func TestExamplesFitTheSchema(t *testing.T) {
	compiled := compileSchema(t)
	checked := 0
	check := func(name string) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := againstSchema(t, compiled, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		checked++
	}
	check("../gateway.yaml")
	err := filepath.WalkDir("../examples", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), "gateway") && strings.HasSuffix(d.Name(), ".yaml") {
			check(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 2 {
		t.Errorf("only %d files were checked", checked)
	}
}

func TestSchemaSaysWhatIsWrong(t *testing.T) {
	compiled := compileSchema(t)
	for _, text := range []string{
		"upstream: {}",
		"upstreams: {a: {spek: x}}",
		"upstreams: {a: {timeout: soon}}",
		"upstreams: {a: {retry: {attempts: many}}}",
		"upstreams: {a: {expose: write}}",
		"upstreams: {a: {limits: {rate: 20}}}",
		"server: {max_body: 4 apples}",
		"server: {sse: maybe}",
		"include: more.yaml",
	} {
		if againstSchema(t, compiled, []byte(text)) == nil {
			t.Errorf("the schema lets %s pass", text)
		}
	}
}

func TestSchemaTakesVariablesEverywhere(t *testing.T) {
	text := `
server: {listen: ":${PORT:-8080}", sse: "${SSE:-false}", max_body: ${MAX}, call_timeout: ${T:-5s}}
auth: {mode: "${MODE:-none}"}
upstreams:
  a:
    spec: ${SPEC}
    retry: {attempts: ${N:-4}, on: ["${ON}", 503]}
    limits: {rate: "${RATE:-20/s}"}
    tools:
      x: {operation: x, arguments: {n: {minimum: "${MIN:-1}", hide: ${HIDE:-false}}}}
`
	if err := againstSchema(t, compileSchema(t), []byte(text)); err != nil {
		t.Error(err)
	}
}

// Every key that the format is meant to have is known, to the decoder and to the schema: what is not built yet says so.
func TestWholeFormatIsKnown(t *testing.T) {
	text, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := againstSchema(t, compileSchema(t), text); err != nil {
		t.Error(err)
	}
	_, err = Load("testdata/whole.yaml", variables("CLI_SECRET=x", "COMPANY=1", "NETSUITE_ACCOUNT_ID=1"))
	problems, _ := errors.AsType[Problems](err)
	later := 0
	for _, p := range problems {
		if strings.Contains(p.Message, "not available yet") {
			later++
			continue
		}
		t.Log(p)
		if strings.Contains(p.Message, "unknown") || strings.Contains(p.Message, "YAML") || strings.Contains(p.Message, "variable") {
			t.Error(p)
		}
	}
	if later < 10 {
		t.Errorf("only %d keys are not available yet:\n%v", later, err)
	}
}
