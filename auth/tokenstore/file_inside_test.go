package tokenstore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpgate/internal/seal"
)

func openDir(t testing.TB, dir string) *file {
	t.Helper()
	store, err := openFile(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store.(*file)
}

func write(t testing.TB, f *file, key, value string, ttl time.Duration) uint64 {
	t.Helper()
	version, err := f.Swap(t.Context(), key, 0, []byte(value), ttl)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func wantText(t testing.TB, f *file, key, want string) {
	t.Helper()
	if record, err := f.Get(t.Context(), key); err != nil || string(record.Value) != want {
		t.Fatalf("%s: %q, %v; want %q", key, record.Value, err, want)
	}
}

// wantPlain wants an error that says neither that a record is missing nor that it changed: what makes a 503, and logs nobody out.
func wantPlain(t testing.TB, err error) {
	t.Helper()
	if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrConflict) || errors.Is(err, ErrSealed) {
		t.Fatalf("the error is %v", err)
	}
}

func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such permissions")
	}
	dir := filepath.Join(t.TempDir(), "a", "data")
	f := openDir(t, dir)
	write(t, f, "grant/a", "x", 0)
	if _, err := LocalKey(dir); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		return nil
	})
	if err != nil || files != 3 {
		t.Errorf("%d files, %v", files, err)
	}
}

// TestADeadProcessLeavesOldOrNew makes every state that a process may leave between two of its steps.
func TestADeadProcessLeavesOldOrNew(t *testing.T) {
	tests := []struct {
		name         string
		record, next string // what the files say; "" is no file
		want         string // "" is that there is no record
	}{
		{"nothing", "", "", ""},
		{"the old record", "old", "", "old"},
		{"renamed once, the old one still there", "old", "new", "old"},
		{"renamed once, the old one removed by the share", "", "new", "new"},
	}
	for _, tt := range tests {
		for _, then := range []string{"read", "swap", "take", "sweep", "list"} {
			t.Run(tt.name+", then "+then, func(t *testing.T) {
				f := openDir(t, t.TempDir())
				write(t, f, "grant/other", "x", 0)
				at := recordPath("grant/a")
				var version uint64
				for suffix, value := range map[string]string{recordSuffix: tt.record, nextSuffix: tt.next} {
					if value == "" {
						continue
					}
					r := Record{Value: []byte(value), Version: newVersion()}
					if value == tt.want {
						version = r.Version
					}
					if err := f.root.WriteFile(at+suffix, encodeRecord(r), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				ctx := t.Context()
				switch then {
				case "swap":
					if _, err := f.Swap(ctx, "grant/a", version, []byte("newest"), 0); err != nil {
						t.Fatal(err)
					}
					wantText(t, f, "grant/a", "newest")
				case "take":
					record, err := f.Take(ctx, "grant/a")
					if tt.want == "" != errors.Is(err, ErrNotFound) || string(record.Value) != tt.want {
						t.Fatalf("%q, %v", record.Value, err)
					}
					if _, err := f.Get(ctx, "grant/a"); !errors.Is(err, ErrNotFound) {
						t.Fatalf("after Take: %v", err)
					}
				case "sweep":
					if _, err := f.sweep(ctx); err != nil {
						t.Fatal(err)
					}
					if _, err := f.root.Stat(at + nextSuffix); !errors.Is(err, fs.ErrNotExist) {
						t.Errorf("the file is still there: %v", err)
					}
					fallthrough
				case "read":
					record, err := f.Get(ctx, "grant/a")
					if tt.want == "" != errors.Is(err, ErrNotFound) || string(record.Value) != tt.want {
						t.Fatalf("%q, %v", record.Value, err)
					}
				case "list":
					var keys []string
					for key, err := range f.Keys(ctx, "grant") {
						if err != nil {
							t.Fatal(err)
						}
						keys = append(keys, key)
					}
					slices.Sort(keys)
					want := []string{"grant/a", "grant/other"}
					if tt.want == "" {
						want = want[1:]
					}
					if !slices.Equal(keys, want) {
						t.Errorf("listed %q", keys)
					}
				}
			})
		}
	}
}

func TestTheLockOfADeadProcessIsTakenOver(t *testing.T) {
	dir := t.TempDir()
	one, other := openDir(t, dir), openDir(t, dir)
	one.locks.stale, other.locks.stale = 50*time.Millisecond, 50*time.Millisecond
	version := write(t, one, "grant/a", "old", 0)
	for _, left := range []string{"token of the dead", ""} { // which may die before it writes its token
		if err := one.root.WriteFile(recordPath("grant/a")+lockSuffix, []byte(left), 0o600); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for i := range 8 {
			f := []*file{one, other}[i%2]
			wg.Go(func() {
				next, err := f.Swap(t.Context(), "grant/a", version, []byte("new"), 0)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
					defer func() { version = next }()
				} else if !errors.Is(err, ErrConflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Fatalf("%d of 8 wrote", won)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "grant"))
	if err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
}

// TestALivingHolderIsWaitedFor holds that a lock which changes hands is never taken for a dead one's.
func TestALivingHolderIsWaitedFor(t *testing.T) {
	f := openDir(t, t.TempDir())
	f.locks.stale = time.Hour
	lock, err := f.locks.lock(t.Context(), "a"+lockSuffix)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	if _, err := f.locks.lock(ctx, "a"+lockSuffix); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	lock.unlock()
	again, err := f.locks.lock(t.Context(), "a"+lockSuffix)
	if err != nil {
		t.Fatal(err)
	}
	lock.unlock() // the first one again: it is no longer its own
	if _, err := f.root.Stat("a" + lockSuffix); err != nil {
		t.Error("another one's lock was removed")
	}
	again.unlock()
}

// TestWhoStoodStillWritesNothing lets every lock be too old at once, as after a process was stopped while it held one.
func TestWhoStoodStillWritesNothing(t *testing.T) {
	f := openDir(t, t.TempDir())
	version := write(t, f, "grant/a", "old", 0)
	f.locks.stale = 0
	_, err := f.Swap(t.Context(), "grant/a", version, []byte("new"), 0)
	wantPlain(t, err)
	_, err = f.Swap(t.Context(), "grant/a", version, nil, 0)
	wantPlain(t, err)
	_, err = f.Take(t.Context(), "grant/a")
	wantPlain(t, err)
	wantText(t, f, "grant/a", "old")
	entries, err := fs.ReadDir(f.root.FS(), "grant")
	if err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	f := openDir(t, dir)
	ahead := time.Duration(0)
	f.now = func() time.Time { return time.Now().Add(ahead) }
	write(t, f, "code/brief", "x", time.Minute)
	write(t, f, "code/long", "x", time.Hour)
	write(t, f, "grant/ever", "x", 0)
	left := []string{"grant/abc.0123.tmp", "grant/abc.lock", "check.ABC.tmp", "grant/abc.lock.break"}
	for _, name := range left {
		for _, begin := range []string{"old", "young"} {
			name := filepath.Join(dir, filepath.Dir(name), begin+filepath.Base(name))
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if begin == "old" {
				before := time.Now().Add(-2 * leftOver)
				if err := os.Chtimes(name, before, before); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	ahead = 2 * time.Minute
	removed, err := f.sweep(t.Context())
	if err != nil || removed != len(left)+1 {
		t.Errorf("removed %d, %v", removed, err)
	}
	wantText(t, f, "code/long", "x")
	wantText(t, f, "grant/ever", "x")
	for _, name := range left {
		if _, err := f.root.Stat(filepath.Join(filepath.Dir(name), "young"+filepath.Base(name))); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.root.Stat(recordPath("code/brief") + recordSuffix); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the record that is over: %v", err)
	}
}

// TestForeignAndDamagedFiles are reported, stop nobody, and can be written over and deleted.
func TestForeignAndDamagedFiles(t *testing.T) {
	f := openDir(t, t.TempDir())
	ctx := t.Context()
	write(t, f, "grant/good", "x", 0)
	whole := encodeRecord(Record{Value: []byte("value"), Version: 7})
	flipped := slices.Clone(whole)
	flipped[len(flipped)-1] ^= 1
	for key, data := range map[string][]byte{"cut": whole[:len(whole)-1], "flipped": flipped, "zeros": make([]byte, 100), "empty": nil} {
		if err := f.root.WriteFile(recordPath("grant/"+key)+recordSuffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"grant/README.txt", "grant/.DS_Store", "grant/ABC.rec"} {
		if err := f.root.WriteFile(name, []byte("hello"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reported, keys := 0, 0
	for _, err := range f.Keys(ctx, "grant") {
		if err != nil {
			reported++
		} else {
			keys++
		}
	}
	if reported != 2 || keys != 5 {
		t.Errorf("%d reported, %d keys", reported, keys)
	}
	table := NewTable[string](f, seal.NewRing(""), "grant")
	for _, key := range []string{"cut", "flipped", "zeros", "empty"} {
		if _, err := f.Get(ctx, "grant/"+key); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v", key, err)
		}
		if err := table.Create(ctx, key, "x", 0); !errors.Is(err, ErrConflict) {
			t.Errorf("%s: %v", key, err)
		}
	}
	if err := errors.Join(table.Put(ctx, "cut", "mended", 0), table.Delete(ctx, "flipped")); err != nil {
		t.Fatal(err)
	}
	if value, _, err := table.Get(ctx, "cut"); err != nil || value != "mended" {
		t.Error(value, err)
	}
	if _, _, err := table.Get(ctx, "flipped"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	wantText(t, f, "grant/good", "x")
}

// TestAFolderThatIsGoneIsNoEmptyStore // a share that went away logs nobody out
func TestAFolderThatIsGoneIsNoEmptyStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	f := openDir(t, dir)
	version := write(t, f, "grant/a", "x", 0)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, get := f.Get(t.Context(), "grant/a")
	_, take := f.Take(t.Context(), "grant/a")
	_, swap := f.Swap(t.Context(), "grant/a", version, []byte("y"), 0)
	_, create := f.Swap(t.Context(), "grant/b", 0, []byte("y"), 0)
	var keys error
	for _, err := range f.Keys(t.Context(), "grant") {
		keys = err
	}
	for _, err := range []error{get, take, swap, create, keys, f.Check(t.Context())} {
		wantPlain(t, err)
	}
}

func TestAFolderThatCantBeWritten(t *testing.T) {
	dir := t.TempDir()
	f := openDir(t, dir)
	version := write(t, f, "grant/a", "x", 0)
	if err := os.Chmod(filepath.Join(dir, "grant"), 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "grant"), 0o700) })
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	_, err := f.Swap(t.Context(), "grant/a", version, []byte("y"), 0)
	wantPlain(t, err)
	wantText(t, f, "grant/a", "x")
}

func TestOpenSaysWhatIsWrongWithAFolder(t *testing.T) {
	dir := t.TempDir()
	occupied := filepath.Join(dir, "file")
	if err := os.WriteFile(occupied, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	future := filepath.Join(dir, "future")
	if err := errors.Join(os.Mkdir(future, 0o700), os.WriteFile(filepath.Join(future, marker), []byte("mcpgate store 2\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{occupied: "can't be made", filepath.Join(occupied, "below"): "can't be made", future: "another version"} {
		if _, err := openFile(path, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestRecordNamesComeBack(t *testing.T) {
	for _, name := range []string{"a", "A", "-", "_", "abc_DEF-123", strings.Repeat("z", 128)} {
		at := recordPath("grant/" + name)
		table, base, _ := strings.Cut(at, "/")
		if key, err := recordKey(table, base+recordSuffix); err != nil || key != "grant/"+name || len(base) > 205 || base != strings.ToLower(base) {
			t.Errorf("%s: %s, %v", base, key, err)
		}
	}
}

// FuzzDecodeRecord holds that only what encodeRecord wrote is a record.
func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte("mcpgate1"))
	f.Add(encodeRecord(Record{Value: []byte("value"), Version: 1, Expires: time.UnixMilli(1)}))
	f.Add(encodeRecord(Record{Version: 1}))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRecord(data)
		if err != nil {
			if !errors.Is(err, ErrSealed) {
				t.Fatal(err)
			}
			return
		}
		if again := encodeRecord(r); string(again) != string(data) {
			t.Fatalf("%x became %x", data, again)
		}
	})
}

func TestLocalKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	keys := make([]string, 16)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = LocalKey(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(slices.Compact(slices.Clone(keys))) != 1 || len(keys[0]) != 64 {
		t.Fatalf("%d keys of %d digits", len(slices.Compact(keys)), len(keys[0]))
	}
	if other, err := LocalKey(t.TempDir()); err != nil || other == keys[0] {
		t.Errorf("another folder has the same key (%v)", err)
	}
	for _, text := range []string{"", "\n", keys[0][:62], keys[0] + "00", strings.Repeat("x", 64)} {
		if err := os.WriteFile(filepath.Join(dir, localKeyFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LocalKey(dir); err == nil || len(text) > 2 && strings.Contains(err.Error(), text) {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
	if _, err := LocalKey(filepath.Join(dir, localKeyFile)); err == nil {
		t.Error("a file is taken for a folder")
	}
}
