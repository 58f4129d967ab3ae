package tokenstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"
)

const (
	// lockStale is for how long a lock has to be watched unchanged before its holder counts as dead. Locks are held for
	// milliseconds: what takes long is done before.
	lockStale = 5 * time.Second
	// breakStale is how old a break file is that a dead process left.
	breakStale = time.Minute
)

// fileLocks exclude others from a record, in this process and in others: files that O_EXCL makes. flock would end with its
// process, and is not used since an SMB share may keep it to one machine (nobrl) or refuse it, while creating exclusively is
// part of the protocol.
type fileLocks struct {
	root  *os.Root
	stale time.Duration // lockStale but in tests
}

// fileLock is a lock that is held.
type fileLock struct {
	fileLocks
	name  string
	token string
	since time.Time
}

// lock waits until the lock is free, its holder counts as dead, or ctx ends.
func (l fileLocks) lock(ctx context.Context, name string) (*fileLock, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 3*lockStale, fmt.Errorf("%s is locked all the time", name))
	defer cancel()
	var seen string
	var unchanged time.Time
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		lock, err := l.try(name)
		if err == nil {
			return lock, nil
		}
		// A file that is open elsewhere while it is deleted is busy for a while, on SMB.
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, syscall.EBUSY) {
			return nil, err
		}
		if holder := l.holder(name); holder != seen || unchanged.IsZero() {
			seen, unchanged = holder, time.Now()
		} else if time.Since(unchanged) > l.stale {
			l.breakUp(name, seen)
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// try returns fs.ErrExist where somebody holds the lock.
func (l fileLocks) try(name string) (*fileLock, error) {
	root := l.root
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := root.Mkdir(path.Dir(name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		file, err = root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	}
	if err != nil {
		return nil, err
	}
	lock := &fileLock{l, name, rand.Text(), time.Now()}
	_, err = file.WriteString(lock.token)
	if err = errors.Join(err, file.Close()); err != nil {
		_ = root.Remove(name)
		return nil, err
	}
	return lock, nil
}

// fresh returns an error where the lock was taken so long ago that others may soon count its holder as dead: a process that
// stood still finds out before it does harm.
func (l *fileLock) fresh() error {
	if age := time.Since(l.since); age > l.stale*2/5 {
		return fmt.Errorf("the lock %s was held for %v", l.name, age.Round(time.Millisecond))
	}
	return nil
}

// unlock gives the record free, unless somebody else took the lock over.
func (l *fileLock) unlock() {
	if token, err := l.root.ReadFile(l.name); err == nil && string(token) == l.token {
		_ = l.root.Remove(l.name)
	}
}

// holder tells one holder of a lock from the next.
func (l fileLocks) holder(name string) string {
	token, err := l.root.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	info, err := l.root.Stat(name)
	if err != nil {
		return err.Error()
	}
	return info.ModTime().String() + string(token)
}

// breakUp removes the lock of a holder that counts as dead. One process at a time does so, and looks again before: another
// may have broken the lock, and a third have taken it.
func (l fileLocks) breakUp(name, holder string) {
	root := l.root
	breaking := name + breakSuffix
	file, err := root.OpenFile(breaking, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		if info, err := root.Stat(breaking); err == nil && time.Since(info.ModTime()) > breakStale {
			_ = root.Remove(breaking)
		}
		return
	}
	_ = file.Close()
	defer func() { _ = root.Remove(breaking) }()
	if l.holder(name) == holder {
		_ = root.Remove(name)
	}
}

// pause waits, or returns why ctx ended.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
