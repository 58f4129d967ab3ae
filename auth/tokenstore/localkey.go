package tokenstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

const (
	localKeyFile  = "local.key"
	localKeyBytes = 32
)

// LocalKey returns the secret that is kept beside the records of a file store, and makes it at first: for a gateway on loopback or stdio
// where gateway.yaml has no key. Two processes that make it at once get one key. The error is that the folder can't be written, or
// that the file holds no key.
func LocalKey(dir string) (string, error) {
	root, err := openFolder(dir)
	if err != nil {
		return "", err
	}
	f := &file{root: root, locks: fileLocks{root, lockStale}}
	key, err := f.localKey()
	if errors.Is(err, fs.ErrNotExist) {
		key, err = f.makeLocalKey()
	}
	return key, errors.Join(err, root.Close())
}

func (f *file) localKey() (string, error) {
	text, err := f.root.ReadFile(localKeyFile)
	if err != nil {
		return "", fmt.Errorf("the store's key can't be read: %w", err)
	}
	key := strings.TrimSpace(string(text))
	if decoded, err := hex.DecodeString(key); err != nil || len(decoded) != localKeyBytes {
		return "", fmt.Errorf("%s in the store's folder holds no key of %d hexadecimal digits: without the right one nothing in the folder can be opened; "+
			"put it back, or delete the whole folder", localKeyFile, 2*localKeyBytes)
	}
	return key, nil
}

func (f *file) makeLocalKey() (string, error) {
	lock, err := f.locks.lock(context.Background(), localKeyFile+lockSuffix)
	if err != nil {
		return "", fmt.Errorf("the store's folder can't be written: %w", err)
	}
	defer lock.unlock()
	key, err := f.localKey()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err // another process made it meanwhile
	}
	secret := make([]byte, localKeyBytes)
	_, _ = rand.Read(secret) // never fails: it ends the program instead
	key = hex.EncodeToString(secret)
	if err := f.publish(localKeyFile, []byte(key+"\n")); err != nil {
		return "", fmt.Errorf("the store's key can't be written: %w", err)
	}
	return key, nil
}
