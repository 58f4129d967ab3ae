package tokenstore_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/auth/tokenstore"
	"mcpgate/internal/seal"
)

const (
	oldKey = "an-old-key-an-old-key-an-old-key"
	newKey = "a-new-key!a-new-key!a-new-key!-!"
)

// login is a value such as the tables of a gateway have.
type login struct {
	Who   string            `json:"who"`
	Token string            `json:"token"`
	Kept  map[string]string `json:"kept,omitempty"`
}

func TestTable(t *testing.T) {
	ctx := t.Context()
	store := tokenstore.NewMemory(nil)
	table := tokenstore.NewTable[login](store, seal.NewRing(oldKey), "grant")
	anne := login{Who: "anne", Token: "very-secret", Kept: map[string]string{"instance_url": "https://a.example"}}

	if err := table.Create(ctx, "a", anne, time.Hour); err != nil {
		t.Fatal(err)
	}
	wantError(t, table.Create(ctx, "a", anne, time.Hour), tokenstore.ErrConflict)
	got, version, err := table.Get(ctx, "a")
	if diff := cmp.Diff(anne, got); diff != "" || err != nil {
		t.Fatal(err, diff)
	}
	next, err := table.Swap(ctx, "a", version, login{Who: "ben"}, 0)
	if err != nil || next == version {
		t.Fatal(next, err)
	}
	_, err = table.Swap(ctx, "a", version, anne, 0)
	wantError(t, err, tokenstore.ErrConflict)
	for _, who := range []string{"claire", "dora"} { // one that is there, one that is not
		if err := table.Put(ctx, who[:1], login{Who: who}, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := table.Put(ctx, who[:1], login{Who: who}, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := table.Take(ctx, "c"); err != nil || got.Who != "claire" {
		t.Fatal(got, err)
	}
	_, err = table.Take(ctx, "c")
	wantError(t, err, tokenstore.ErrNotFound)
	if err := errors.Join(table.Delete(ctx, "c"), table.Delete(ctx, "d")); err != nil {
		t.Fatal(err)
	}
	_, _, err = table.Get(ctx, "d")
	wantError(t, err, tokenstore.ErrNotFound)
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("the error is %v, want %v", err, want)
	}
}

func TestTableHidesWhatItKeeps(t *testing.T) {
	store := tokenstore.NewMemory(nil)
	table := tokenstore.NewTable[login](store, seal.NewRing(oldKey), "grant")
	if err := table.Create(t.Context(), "a", login{Who: "anne", Token: "very-secret"}, 0); err != nil {
		t.Fatal(err)
	}
	record, err := store.Get(t.Context(), "grant/a")
	if err != nil || bytes.Contains(record.Value, []byte("secret")) || bytes.Contains(record.Value, []byte("who")) {
		t.Fatalf("%q, %v", record.Value, err)
	}
}

// TestRecordsOpenOnlyWhereTheyWereSealed moves a record to another key, to another table, under another key ring, and alters it.
func TestRecordsOpenOnlyWhereTheyWereSealed(t *testing.T) {
	ctx := t.Context()
	store := tokenstore.NewMemory(nil)
	ring := seal.NewRing(oldKey)
	table := tokenstore.NewTable[login](store, ring, "grant")
	if err := table.Create(ctx, "a", login{Who: "anne"}, 0); err != nil {
		t.Fatal(err)
	}
	record, err := store.Get(ctx, "grant/a")
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Clone(record.Value)
	altered[len(altered)/2] ^= 1
	for name, value := range map[string][]byte{
		"grant/moved": record.Value, "session/a": record.Value, "grant/altered": altered,
		"grant/cut": record.Value[1:], "grant/short": {1, 2}, "grant/empty": {},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := store.Swap(ctx, name, 0, value, 0); err != nil {
				t.Fatal(err)
			}
			in, key, _ := strings.Cut(name, "/")
			_, version, err := tokenstore.NewTable[login](store, ring, in).Get(ctx, key)
			wantError(t, err, tokenstore.ErrSealed)
			if errors.Is(err, tokenstore.ErrNotFound) || version == 0 {
				t.Errorf("version %d, %v", version, err)
			}
		})
	}
	_, _, err = tokenstore.NewTable[login](store, seal.NewRing(newKey), "grant").Get(ctx, "a")
	wantError(t, err, tokenstore.ErrSealed)
	_, err = tokenstore.NewTable[login](store, seal.NewRing(newKey), "grant").Take(ctx, "a")
	wantError(t, err, tokenstore.ErrSealed)
}

// TestKeysRotate holds that the new key opens nothing old by itself, that the ring does, and that a write seals anew.
func TestKeysRotate(t *testing.T) {
	ctx := t.Context()
	store := tokenstore.NewMemory(nil)
	before := tokenstore.NewTable[login](store, seal.NewRing(oldKey), "grant")
	during := tokenstore.NewTable[login](store, seal.NewRing(newKey+","+oldKey), "grant")
	after := tokenstore.NewTable[login](store, seal.NewRing(newKey), "grant")
	if err := before.Create(ctx, "a", login{Who: "anne"}, 0); err != nil {
		t.Fatal(err)
	}
	_, _, err := after.Get(ctx, "a")
	wantError(t, err, tokenstore.ErrSealed)
	value, version, err := during.Get(ctx, "a")
	if err != nil || value.Who != "anne" {
		t.Fatal(value, err)
	}
	if _, err := during.Swap(ctx, "a", version, value, 0); err != nil {
		t.Fatal(err)
	}
	if value, _, err := after.Get(ctx, "a"); err != nil || value.Who != "anne" {
		t.Fatal(value, err)
	}
	_, _, err = before.Get(ctx, "a")
	wantError(t, err, tokenstore.ErrSealed)
}

func TestAllGoesOnAfterAnError(t *testing.T) {
	ctx := t.Context()
	store := tokenstore.NewMemory(nil)
	table := tokenstore.NewTable[login](store, seal.NewRing(oldKey), "grant")
	for _, who := range []string{"anne", "ben", "claire"} {
		if err := table.Create(ctx, who, login{Who: who}, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Swap(ctx, "grant/broken", 0, []byte("garbage"), 0); err != nil {
		t.Fatal(err)
	}
	var seen, sealed []string
	for entry, err := range table.All(ctx) {
		if errors.Is(err, tokenstore.ErrSealed) {
			sealed = append(sealed, entry.Key)
		} else if err != nil || entry.Value.Who != entry.Key {
			t.Errorf("%+v, %v", entry, err)
		} else {
			seen = append(seen, entry.Key)
		}
	}
	slices.Sort(seen)
	if diff := cmp.Diff([]string{"anne", "ben", "claire"}, seen); diff != "" || !slices.Equal(sealed, []string{"broken"}) {
		t.Error(diff, sealed)
	}
}

// TestWhatDoesNotFitTellsNothing holds that an error does not quote the record.
func TestWhatDoesNotFitTellsNothing(t *testing.T) {
	store := tokenstore.NewMemory(nil)
	ring := seal.NewRing(oldKey)
	if err := tokenstore.NewTable[login](store, ring, "grant").Create(t.Context(), "a", login{Token: "very-secret"}, 0); err != nil {
		t.Fatal(err)
	}
	_, _, err := tokenstore.NewTable[[]int](store, ring, "grant").Get(t.Context(), "a")
	if err == nil || errors.Is(err, tokenstore.ErrSealed) || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	if err := tokenstore.NewTable[func()](store, ring, "grant").Create(t.Context(), "b", nil, 0); err == nil {
		t.Error("a function was written")
	}
}

// failing is a store that can't be reached.
type failing struct{ tokenstore.Store }

var errDown = errors.New("connection refused")

func (failing) Get(context.Context, string) (tokenstore.Record, error) {
	return tokenstore.Record{}, errDown
}

func (failing) Take(context.Context, string) (tokenstore.Record, error) {
	return tokenstore.Record{}, errDown
}

func (failing) Swap(context.Context, string, uint64, []byte, time.Duration) (uint64, error) {
	return 0, errDown
}

// TestADownStoreIsNotAnEmptyOne // else people would be logged out by an outage
func TestADownStoreIsNotAnEmptyOne(t *testing.T) {
	ctx := t.Context()
	table := tokenstore.NewTable[login](failing{}, seal.NewRing(oldKey), "grant")
	_, _, get := table.Get(ctx, "a")
	_, take := table.Take(ctx, "a")
	_, swap := table.Swap(ctx, "a", 1, login{}, 0)
	_, lease := tokenstore.Acquire(ctx, failing{}, "a", time.Minute)
	for _, err := range []error{get, take, swap, lease, table.Put(ctx, "a", login{}, 0), table.Delete(ctx, "a"), table.Create(ctx, "a", login{}, 0)} {
		wantError(t, err, errDown)
	}
}
