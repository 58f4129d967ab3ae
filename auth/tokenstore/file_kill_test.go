package tokenstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// killFolder names the folder that a child process is to write to until it is killed.
const killFolder = "MCPGATE_TEST_KILL_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killFolder); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

const (
	killRecords = 8
	killStale   = 200 * time.Millisecond
)

// writeUntilKilled counts in several records, four goroutines at a time, and says so after each write: "record count". It makes and takes others in between.
func writeUntilKilled(dir string) {
	store, err := openFile(dir, Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	store.(*file).locks.stale = killStale
	for worker := range 4 {
		go func() {
			for i := worker; ; i = (i + 4) % killRecords {
				if err := countOn(store, i, os.Stdout); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
			}
		}()
	}
	select {}
}

func countOn(store Store, i int, said io.Writer) error {
	ctx := context.Background()
	key := fmt.Sprintf("grant/%d", i)
	record, err := store.Get(ctx, key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	count := 0
	if err == nil {
		if count, err = readCount(record.Value); err != nil {
			return err
		}
	}
	if _, err := store.Swap(ctx, key, record.Version, countText(count+1), time.Hour); err != nil {
		return err
	}
	fmt.Fprintln(said, i, count+1)
	code := fmt.Sprintf("code/%d-%d", i, count)
	if _, err := store.Swap(ctx, code, 0, countText(count), time.Hour); err != nil && !errors.Is(err, ErrConflict) {
		return err
	}
	if _, err := store.Take(ctx, code); err != nil {
		return err
	}
	fmt.Fprintln(said, "took", code)
	return nil
}

// countText is some kilobytes, so that half of it would be seen.
func countText(n int) []byte { return []byte(strings.Repeat(fmt.Sprintf("%d,", n), 2000)) }

func readCount(value []byte) (int, error) {
	var n int
	if _, err := fmt.Sscanf(string(value), "%d,", &n); err != nil {
		return 0, err
	}
	if string(value) != string(countText(n)) {
		return 0, fmt.Errorf("a record of %d bytes is not whole", len(value))
	}
	return n, nil
}

// TestKillLosesNothing kills a writing process again and again, and reads after each time: what it said to have written is there, and what it said to
// have taken is not.
func TestKillLosesNothing(t *testing.T) {
	const kills = 10
	dir := t.TempDir()
	f := openDir(t, dir)
	f.locks.stale = killStale
	said := map[int]int{}
	for range kills {
		taken := runAndKill(t, dir, said)
		for i := range killRecords {
			record, err := f.Get(t.Context(), fmt.Sprintf("grant/%d", i))
			if said[i] == 0 && errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				t.Fatalf("record %d: %v", i, err)
			}
			// A write may be done and not yet said.
			if count, err := readCount(record.Value); err != nil || count < said[i] || count > said[i]+1 {
				t.Fatalf("record %d is at %d, %v; said was %d", i, count, err, said[i])
			}
		}
		for _, code := range taken {
			if _, err := f.Get(t.Context(), code); !errors.Is(err, ErrNotFound) {
				t.Fatalf("%s was taken, and reading it says: %v", code, err)
			}
		}
	}
	total := 0
	for i := range killRecords {
		total += said[i]
		if err := countOn(f, i, io.Discard); err != nil { // a dead process's lock is taken over
			t.Fatalf("record %d: %v", i, err)
		}
	}
	if total < kills*killRecords {
		t.Errorf("only %d writes in all", total)
	}
	t.Logf("%d writes, %d kills", total, kills)
}

// runAndKill runs a writer for some dozens of writes, kills it, and notes what it said.
func runAndKill(t *testing.T, dir string, said map[int]int) (taken []string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), killFolder+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines, until := 0, 50+rand.N(100)
	for scanner := bufio.NewScanner(out); scanner.Scan(); lines++ {
		if lines == until {
			_ = child.Process.Kill()
		}
		var i, count int
		if code, ok := strings.CutPrefix(scanner.Text(), "took "); ok {
			taken = append(taken, code)
		} else if n, _ := fmt.Sscanf(scanner.Text(), "%d %d", &i, &count); n == 2 && strings.Count(scanner.Text(), " ") == 1 {
			said[i] = count
		}
	}
	_ = child.Wait()
	if lines < until {
		t.Fatalf("the writer ended by itself after %d lines", lines)
	}
	return taken
}
