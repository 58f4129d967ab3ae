package tokenstore_test

import (
	"testing"
	"time"

	"mcpgate/auth/tokenstore"
	"mcpgate/auth/tokenstore/tokenstoretest"
	"mcpgate/config"
)

func openFile(t testing.TB, dir string, now func() time.Time) tokenstore.Store {
	t.Helper()
	store, err := tokenstore.Open(t.Context(), config.Store{Type: "file", Path: dir}, tokenstore.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestFileKeepsTheContract(t *testing.T) {
	tokenstoretest.Run(t, func(t *testing.T) tokenstoretest.Subject {
		var c clock
		dir := t.TempDir()
		return tokenstoretest.Subject{One: openFile(t, dir, c.now), Other: openFile(t, dir, c.now), Advance: c.advance}
	})
}
