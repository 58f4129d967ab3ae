package specs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const (
	defaultMaxBytes = 64 << 20
	maxFiles        = 2000
)

// file is one file of a document that may be spread over several.
type file struct {
	name string   // as people are told
	path string   // inside the document's folder, with slashes; "" where url is set
	url  *url.URL // nil for a local file
	root *node
	err  error // why it can't be read, so that it is tried once
	ids  map[string]*node
}

// files opens the document and what it refers to: only inside its own folder, or where Allow says yes.
type files struct {
	Loader
	main   *file
	folder *os.Root // the document's folder; nil where it was fetched
	local  string   // the main file as the operating system names it
	opened map[string]*file
	nodes  int
}

// open finds the document; it reads nothing but a folder's listing.
func (l Loader) open(location string) (*files, error) {
	if l.MaxBytes <= 0 {
		l.MaxBytes = defaultMaxBytes
	}
	f := &files{Loader: l, opened: map[string]*file{}}
	if u, err := url.Parse(location); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		f.main = &file{name: shownURL(u), url: u}
		f.opened[u.String()] = f.main
		return f, nil
	}
	name := filepath.FromSlash(location)
	if !filepath.IsAbs(name) {
		name = filepath.Join(l.Dir, name)
	}
	fail := func(message string, cause error) (*files, error) {
		return nil, &Error{Message: message, Pos: Position{File: location}, Cause: cause}
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail("there is no such file", err)
	case err != nil:
		return fail(reason(err), err)
	case info.IsDir():
		main, ok := mainFile(name)
		if !ok {
			return fail("this folder has no openapi.yaml, openapi.json or swagger.json: name the file", nil)
		}
		name, location = filepath.Join(name, main), path.Join(filepath.ToSlash(location), main)
	}
	if f.folder, err = os.OpenRoot(filepath.Dir(name)); err != nil {
		return fail(reason(err), err)
	}
	f.local = name
	f.main = &file{name: location, path: filepath.Base(name)}
	f.opened[f.main.path] = f.main
	return f, nil
}

func mainFile(folder string) (string, bool) {
	for _, stem := range []string{"openapi", "swagger", "index", "api"} {
		for _, extension := range []string{".yaml", ".yml", ".json"} {
			if info, err := os.Stat(filepath.Join(folder, stem+extension)); err == nil && info.Mode().IsRegular() {
				return stem + extension, true
			}
		}
	}
	return "", false
}

func (f *files) close() {
	if f.folder != nil {
		_ = f.folder.Close() // opened for reading: nothing can be lost
	}
}

// root reads the document itself, wherever a symbolic link may lead: gateway.yaml names it.
func (f *files) root(ctx context.Context) (*node, error) {
	if f.main.url != nil {
		return f.parse(f.main, func() ([]byte, error) { return f.fetch(ctx, f.main.url, f.Client) })
	}
	return f.parse(f.main, func() ([]byte, error) {
		file, err := os.Open(f.local)
		if err != nil {
			return nil, err
		}
		return f.read(file)
	})
}

// neighbour returns the root of the file that a $ref in from names. The error says why it is refused or unreadable.
func (f *files) neighbour(ctx context.Context, from *file, reference string) (*node, error) {
	u, err := url.Parse(reference)
	if err != nil {
		return nil, fmt.Errorf("%q is no file name or URL", reference)
	}
	if u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" || u.Scheme == "" && u.Host != "" && from.url == nil {
		return nil, refused(fmt.Sprintf("%q is refused: only files in the document's folder and allowed URLs are read", reference))
	}
	if from.url != nil || u.Scheme != "" {
		return f.neighbourURL(ctx, from, u)
	}
	name := path.Join(path.Dir(from.path), filepath.ToSlash(u.Path))
	if path.IsAbs(u.Path) || !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, leadsOut(reference)
	}
	target, err := f.slot(name, func() *file {
		return &file{name: path.Join(path.Dir(filepath.ToSlash(f.main.name)), name), path: name}
	})
	if err != nil {
		return nil, err
	}
	return f.parse(target, func() ([]byte, error) {
		opened, err := f.folder.Open(filepath.FromSlash(name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, &missingFile{name: target.name}
		case err != nil && strings.Contains(err.Error(), "escapes"):
			return nil, leadsOut(reference)
		case err != nil:
			return nil, err
		}
		return f.read(opened)
	})
}

// refused says that a reference is not followed, and why.
type refused string

func leadsOut(reference string) error {
	return refused(fmt.Sprintf("%q is refused: it leads out of the document's folder; bundle the document into one file", reference))
}

// Error returns the reason.
func (e refused) Error() string { return string(e) }

// missingFile is a neighbour that a document refers to and that is not there.
type missingFile struct{ name string }

// Error says what to do about it.
func (e *missingFile) Error() string {
	return fmt.Sprintf("%s is not there: this is an unbundled source; bundle it, or copy its whole folder", e.name)
}

func (f *files) slot(key string, make func() *file) (*file, error) {
	if known := f.opened[key]; known != nil {
		return known, nil
	}
	if len(f.opened) >= maxFiles {
		return nil, fmt.Errorf("the document refers to more than %d files", maxFiles)
	}
	f.opened[key] = make()
	return f.opened[key], nil
}

// parse reads and parses a file once.
func (f *files) parse(target *file, read func() ([]byte, error)) (*node, error) {
	if target.root != nil || target.err != nil {
		return target.root, target.err
	}
	data, err := read()
	if err == nil {
		target.root, err = (&parser{file: target, nodes: &f.nodes}).parse(data)
	}
	var placed *Error
	var missing *missingFile
	var refusal refused
	if err != nil && !errors.As(err, &placed) && !errors.As(err, &missing) && !errors.As(err, &refusal) {
		err = &Error{Message: reason(err), Pos: Position{File: target.name}, Cause: err}
	}
	target.err = err
	return target.root, err
}

// reason is an error's text without the file name, which stands before it anyway.
func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}

func (f *files) read(from io.ReadCloser) ([]byte, error) {
	defer from.Close()
	data, err := io.ReadAll(io.LimitReader(from, f.MaxBytes+1))
	if err == nil && int64(len(data)) > f.MaxBytes {
		err = fmt.Errorf("larger than %d bytes", f.MaxBytes)
	}
	return data, err
}
