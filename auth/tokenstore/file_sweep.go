package tokenstore

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path"
	"strings"
	"time"
)

const (
	// sweepEvery is how often a folder is gone through. The first time is that long after the start, so that a command which lists
	// something never begins.
	sweepEvery = 10 * time.Minute
	// leftOver is how old a file is which no living process can still be working on.
	leftOver = time.Hour
)

// sweepAlways removes what nobody needs any more, until ctx ends.
func (f *file) sweepAlways(ctx context.Context) {
	every := time.NewTicker(sweepEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			if removed, err := f.sweep(ctx); err != nil && ctx.Err() == nil {
				f.log.Warn("the store's folder could not be swept whole", slog.Int("removed", removed), slog.Any("error", err))
			}
		}
	}
}

// sweep removes the records whose time is over, and what dead processes left. It goes on after an error, and returns the last one.
func (f *file) sweep(ctx context.Context) (removed int, last error) {
	err := fs.WalkDir(f.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil && !entry.IsDir() {
			var gone bool
			gone, err = f.sweepFile(ctx, name, entry)
			if gone {
				removed++
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			last = err
		}
		return nil
	})
	if err != nil {
		last = err
	}
	return removed, last
}

// sweepFile reports whether it removed a file.
func (f *file) sweepFile(ctx context.Context, name string, entry fs.DirEntry) (bool, error) {
	switch suffix := path.Ext(name); suffix {
	case recordSuffix, nextSuffix:
		return f.sweepRecord(ctx, strings.TrimSuffix(name, suffix), suffix)
	case asideSuffix, lockSuffix, breakSuffix:
		info, err := entry.Info()
		if err != nil || time.Since(info.ModTime()) < leftOver {
			return false, err
		}
		return true, f.root.Remove(name)
	}
	return false, nil
}

// sweepRecord removes a record whose time is over. It looks again under the lock: somebody may have written it anew.
func (f *file) sweepRecord(ctx context.Context, at, suffix string) (bool, error) {
	r, err := f.read(at)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if suffix == recordSuffix && !r.over(f.now()) {
		return false, nil
	}
	gone := false
	err = f.locked(ctx, at, func(lock *fileLock) error {
		r, err := f.read(at)
		if err != nil || !r.over(f.now()) {
			return err
		}
		gone = true
		return f.remove(lock, at)
	})
	return gone && err == nil, err
}
