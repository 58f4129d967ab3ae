package integration

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
)

// TestGitHub serves GitHub's whole API, as its document describes it: the list stays within the budget, and the tool for
// a plain wish is found first, described, and called.
//
// How long it takes to start, and what it holds, is a figure and not a test: see internal/bench/footprint.
func TestGitHub(t *testing.T) {
	document := filepath.Join(modules, "@octokit", "openapi", "generated", "api.github.com.json")
	session := connect(t, serve(t, fmt.Sprintf(
		"discovery: {budget_tokens: 12000}\nupstreams:\n  github:\n    spec: %q\n    base_url: \"sandbox:\"\n    expose: all\n", document)))
	listed, size := 0, 0
	for tool, err := range session.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(tool)
		if err != nil {
			t.Fatal(err)
		}
		listed++
		size += len(raw)
	}
	fmt.Printf("github: %d tools listed, %d bytes, about %d tokens\n", listed, size, size/4)
	if size/4 > 12000 || listed < 3 {
		t.Errorf("%d tools of %d tokens, want the budget of 12000 kept", listed, size/4)
	}

	var found struct {
		Tools []struct{ Name string }
	}
	decode(t, callTool(t, session, call{"search_tools", map[string]any{"query": "create an issue comment"}}), &found)
	if len(found.Tools) == 0 || found.Tools[0].Name != "issues_create-comment" {
		t.Fatalf("found %+v, want issues_create-comment first", found.Tools)
	}
	described := callTool(t, session, call{"describe_tool", map[string]any{"name": "issues_create-comment"}})
	if !described.OK {
		t.Errorf("describe_tool: %v", described.Errors)
	}
	where := map[string]any{"owner": "octo", "repo": "spoon", "title": "It does not work"}
	opened := callTool(t, session, call{"call_tool", map[string]any{"name": "issues_create", "arguments": where}})
	var issue struct{ Number int }
	decode(t, opened, &issue)
	if issue.Number == 0 {
		t.Fatalf("a new issue has no number: %s", opened.Data)
	}
	arguments := map[string]any{"owner": "octo", "repo": "spoon", "issue_number": issue.Number, "body": "Works for me."}
	made := callTool(t, session, call{"call_tool", map[string]any{"name": "issues_create-comment", "arguments": arguments}})
	if !made.OK || made.StatusCode != 201 || !made.Sandbox {
		t.Errorf("call_tool: %+v", made)
	}
	wrong := callTool(t, session, call{"call_tool", map[string]any{"name": "issues_create-coment", "arguments": arguments}})
	if wrong.OK || wrong.Errors[0].Code != "input" {
		t.Errorf("a misspelt name: %+v", wrong)
	}
}
