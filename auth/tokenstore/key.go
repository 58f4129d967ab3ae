package tokenstore

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
)

// maxName is the length of what stands after the table in a key. Coded as a file's name it stays below 255 characters.
const maxName = 128

// splitKey returns the table and the name of a key. An error is a defect of the caller: nothing else may become a path or a part of a script.
func splitKey(key string) (table, name string, err error) {
	table, name, _ = strings.Cut(key, "/")
	if !validTable(table) || name == "" || len(name) > maxName || strings.ContainsFunc(name, notInName) {
		return "", "", fmt.Errorf("%q is no key of a record", key)
	}
	return table, name, nil
}

func validTable(table string) bool {
	return table != "" && len(table) <= 32 && !strings.ContainsFunc(table, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

func checkTable(table string) error {
	if !validTable(table) {
		return fmt.Errorf("%q is no name of a table", table)
	}
	return nil
}

func notInName(r rune) bool {
	return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// newVersion is a number that no record had before: one that is counted would come again when a record is deleted and made
// anew, and a writer who read the first one could overwrite the second.
func newVersion() uint64 {
	var b [8]byte
	for {
		_, _ = rand.Read(b[:]) // never fails: it ends the program instead
		if version := binary.BigEndian.Uint64(b[:]); version != 0 {
			return version
		}
	}
}

// checkCall is what every call begins with.
func checkCall(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, _, err := splitKey(key)
	return err
}

func checkSwap(ctx context.Context, key string, version uint64, value []byte) error {
	if err := checkCall(ctx, key); err != nil {
		return err
	}
	if value == nil && version == 0 {
		return fmt.Errorf("deleting %q needs the version that is deleted", key)
	}
	return nil
}
