package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the output that scripts compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mcpgate": main, "xdg-open": browser, "open": browser})
}

// TestScript plays testdata/script: each file runs the real program.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Values[idpKey{}] = &fakeidpOfScript{}
			return copyFile("testdata/petstore.yaml", filepath.Join(env.WorkDir, "petstore.yaml"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"taken":    taken,
			"upstream": upstream,
			"idp":      idp,
			"member":   member,
			"page":     page,
		},
	})
}

// copyFile puts the document that most scripts read into a script's folder.
func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}
