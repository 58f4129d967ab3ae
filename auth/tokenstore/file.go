package tokenstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"
)

// marker is a file that every store of this kind has. Where it is gone the folder is: that no record is found means nothing then.
const (
	marker     = "mcpgate-store"
	markerText = "mcpgate store 1\n"
)

// file is a store in a folder, with one file for each record. Processes may share it, over a network share too.
//
// A record is written aside, synced, renamed to .new and from there to .rec, which alone counts while it is there. The step between is for shares that can't
// replace a file that another process is reading: there, the client removes the old file first, and ends in between leave the .new
// one. Renaming is done here rather than by renameio, which knows neither os.Root nor a lock between sync and rename.
type file struct {
	root  *os.Root
	locks fileLocks
	now   func() time.Time
	log   *slog.Logger

	stop context.CancelFunc
	done sync.WaitGroup
}

// openFile opens a folder, and makes it at first. The error is that it can't be made or written, or is something else.
func openFile(dir string, opts Options) (Store, error) {
	root, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	f := &file{root: root, locks: fileLocks{root, lockStale}, now: opts.Now, log: opts.Logger}
	if f.now == nil {
		f.now = time.Now
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	if err := f.mark(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	f.done.Go(func() { f.sweepAlways(ctx) })
	return f, nil
}

func openFolder(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the store's folder can't be made: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("the store's folder can't be opened: %w", err)
	}
	return root, nil
}

// mark writes the marker where there is none.
func (f *file) mark() error {
	text, err := f.root.ReadFile(marker)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := f.publish(marker, []byte(markerText)); err != nil {
			return fmt.Errorf("the store's folder can't be written: %w", err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("the store's folder can't be read: %w", err)
	case string(text) != markerText:
		return fmt.Errorf("the store's folder %s was written by another version of mcpgate", f.root.Name())
	}
	return nil
}

// Get reads the record's file.
func (f *file) Get(ctx context.Context, key string) (Record, error) {
	if err := checkCall(ctx, key); err != nil {
		return Record{}, err
	}
	return f.find(recordPath(key))
}

// Swap writes value aside, and renames it under the record's lock.
func (f *file) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (uint64, error) {
	if err := checkSwap(ctx, key, version, value); err != nil {
		return 0, err
	}
	at := recordPath(key)
	if err := f.compare(at, version); err != nil { // which spares writing what would be refused
		return 0, err
	}
	if value == nil {
		return 0, f.locked(ctx, at, func(lock *fileLock) error {
			if err := f.compare(at, version); err != nil {
				return err
			}
			return f.remove(lock, at)
		})
	}
	next := Record{Value: value, Version: newVersion()}
	if ttl > 0 {
		next.Expires = f.now().Add(ttl)
	}
	aside, err := f.writeAside(at, encodeRecord(next))
	if err != nil {
		return 0, err
	}
	err = f.locked(ctx, at, func(lock *fileLock) error {
		if err := f.compare(at, version); err != nil {
			return err
		}
		return f.replace(lock, aside, at)
	})
	if err != nil {
		_ = f.root.Remove(aside)
		return 0, err
	}
	return next.Version, nil
}

// Take reads and removes the record's file under its lock. A damaged one goes too, with ErrSealed.
func (f *file) Take(ctx context.Context, key string) (Record, error) {
	if err := checkCall(ctx, key); err != nil {
		return Record{}, err
	}
	at := recordPath(key)
	if _, err := f.find(at); errors.Is(err, ErrNotFound) {
		return Record{}, err
	}
	var taken Record
	var damaged error
	err := f.locked(ctx, at, func(lock *fileLock) error {
		var err error
		taken, err = f.find(at)
		if errors.Is(err, ErrSealed) {
			damaged, err = err, nil
		}
		if err != nil {
			return err
		}
		return f.remove(lock, at)
	})
	if err = errors.Join(err, damaged); err != nil {
		return Record{}, err
	}
	return taken, nil
}

// Keys reads the table's folder. What is no record's file there is an error, and the rest follow. A key may be of a record
// whose time is over.
func (f *file) Keys(ctx context.Context, table string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := errors.Join(ctx.Err(), checkTable(table)); err != nil {
			yield("", err)
			return
		}
		files, err := f.list(table)
		if err != nil {
			yield("", err)
			return
		}
		for _, name := range files {
			if ctx.Err() != nil {
				yield("", ctx.Err())
				return
			}
			key, err := recordKey(table, name)
			if err != nil {
				err = fmt.Errorf("%s in the store's folder is no record", path.Join(table, name))
			}
			if !yield(key, err) {
				return
			}
		}
	}
}

// list returns the names of the files that are records or unknown, once each.
func (f *file) list(table string) ([]string, error) {
	dir, err := f.root.Open(table)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.present()
	}
	if err != nil {
		return nil, err
	}
	all, err := dir.Readdirnames(-1)
	if err = errors.Join(err, dir.Close()); err != nil {
		return nil, err
	}
	records := make(map[string]bool, len(all))
	for _, name := range all {
		records[name] = true
	}
	listed := all[:0]
	for _, name := range all {
		next, isNext := strings.CutSuffix(name, nextSuffix)
		switch {
		case strings.HasPrefix(name, "."), strings.HasSuffix(name, asideSuffix), strings.HasSuffix(name, lockSuffix),
			strings.HasSuffix(name, breakSuffix), isNext && records[next+recordSuffix]:
		default:
			listed = append(listed, name)
		}
	}
	return listed, nil
}

// Check writes, reads and removes a file.
func (f *file) Check(ctx context.Context) error {
	if err := errors.Join(ctx.Err(), f.present()); err != nil {
		return err
	}
	probe := "check." + rand.Text() + asideSuffix
	err := f.root.WriteFile(probe, []byte(markerText), 0o600)
	if err == nil {
		_, err = f.root.ReadFile(probe)
	}
	if removed := f.root.Remove(probe); err == nil {
		err = removed
	}
	return err
}

// Close ends the sweeper.
func (f *file) Close() error {
	f.stop()
	f.done.Wait()
	return f.root.Close()
}

// find returns the record whose files are at a path, unless its time is over.
func (f *file) find(at string) (Record, error) {
	r, err := f.read(at)
	if err == nil && r.over(f.now()) {
		return Record{}, ErrNotFound
	}
	return r, err
}

// read returns the record whose files are at a path.
func (f *file) read(at string) (Record, error) {
	// The .new file may become the .rec one between two looks.
	for _, suffix := range []string{recordSuffix, nextSuffix, recordSuffix} {
		data, err := f.root.ReadFile(at + suffix)
		if err == nil {
			return decodeRecord(data)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return Record{}, err
		}
	}
	if err := f.present(); err != nil {
		return Record{}, err
	}
	return Record{}, ErrNotFound
}

// present returns an error where the folder itself is gone.
func (f *file) present() error {
	if _, err := f.root.Stat(marker); err != nil {
		return fmt.Errorf("the store's folder is gone: %w", err)
	}
	return nil
}

// compare returns ErrConflict where the record has another version; 0 is that there is none.
func (f *file) compare(at string, version uint64) error {
	switch r, err := f.find(at); {
	case errors.Is(err, ErrNotFound) && version == 0:
		return nil
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrSealed), err == nil && r.Version != version:
		return ErrConflict
	default:
		return err
	}
}

// locked runs change under the record's lock, after it finished or undid what a dead process began, and syncs the folder.
func (f *file) locked(ctx context.Context, at string, change func(*fileLock) error) error {
	lock, err := f.locks.lock(ctx, at+lockSuffix)
	if err != nil {
		return err
	}
	err = f.recover(at)
	if err == nil {
		err = change(lock)
	}
	lock.unlock()
	if err != nil {
		return err
	}
	return f.syncFolder(path.Dir(at))
}

// recover deals with a .new file that a dead process left: beside a record it never counted, and without one it does.
func (f *file) recover(at string) error {
	if _, err := f.root.Stat(at + nextSuffix); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	_, err := f.root.Stat(at + recordSuffix)
	switch {
	case err == nil:
		return f.root.Remove(at + nextSuffix)
	case errors.Is(err, fs.ErrNotExist):
		return f.root.Rename(at+nextSuffix, at+recordSuffix)
	default:
		return err
	}
}

// remove deletes the record.
func (f *file) remove(lock *fileLock, at string) error {
	if err := lock.fresh(); err != nil {
		return err
	}
	return f.root.Remove(at + recordSuffix)
}

// replace makes the file that was written aside the record.
func (f *file) replace(lock *fileLock, aside, at string) error {
	if err := lock.fresh(); err != nil {
		return err
	}
	if err := f.root.Rename(aside, at+nextSuffix); err != nil {
		return err
	}
	if err := f.root.Rename(at+nextSuffix, at+recordSuffix); err != nil {
		_ = f.root.Remove(at + nextSuffix)
		return err
	}
	return nil
}

// publish writes a file that is whole at once.
func (f *file) publish(name string, data []byte) error {
	aside, err := f.writeAside(name, data)
	if err != nil {
		return err
	}
	if err := f.root.Rename(aside, name); err != nil {
		_ = f.root.Remove(aside)
		return err
	}
	return f.syncFolder(path.Dir(name))
}

// writeAside writes and syncs a file beside another one, and returns its name.
func (f *file) writeAside(at string, data []byte) (string, error) {
	name := at + "." + strings.ToLower(rand.Text()[:13]) + asideSuffix
	aside, err := f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := f.root.Mkdir(path.Dir(at), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		aside, err = f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	}
	if err != nil {
		return "", err
	}
	_, err = aside.Write(data)
	if err == nil {
		err = aside.Sync()
	}
	if err = errors.Join(err, aside.Close()); err != nil {
		_ = f.root.Remove(name)
		return "", err
	}
	return name, nil
}

// syncFolder makes what was renamed or removed in a folder outlast a power cut. Some shares and systems have no such thing.
func (f *file) syncFolder(name string) error {
	dir, err := f.root.Open(name)
	if err != nil {
		return err
	}
	err = dir.Sync()
	_ = dir.Close()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}
