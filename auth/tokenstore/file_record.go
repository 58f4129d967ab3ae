package tokenstore

import (
	"bytes"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"time"
)

// A record's file is magic, version, expiry (milliseconds of Unix time, 0 for never), a CRC-32C of all the rest, and the
// value. The checksum finds what a disk or a share wrote by halves; against altering, the value is sealed.
const (
	magic      = "mcpgate1"
	headerSize = len(magic) + 8 + 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encodeRecord(r Record) []byte {
	data := make([]byte, 0, headerSize+len(r.Value))
	data = append(data, magic...)
	data = binary.BigEndian.AppendUint64(data, r.Version)
	var expires int64
	if !r.Expires.IsZero() {
		expires = r.Expires.UnixMilli()
	}
	data = binary.BigEndian.AppendUint64(data, uint64(expires))
	data = binary.BigEndian.AppendUint32(data, checksum(data, r.Value))
	return append(data, r.Value...)
}

// decodeRecord returns what encodeRecord wrote. The error is ErrSealed: the file is of somebody else, or was written by halves.
func decodeRecord(data []byte) (Record, error) {
	if len(data) < headerSize || !bytes.HasPrefix(data, []byte(magic)) {
		return Record{}, fmt.Errorf("the file is no record: %w", ErrSealed)
	}
	head, value := data[:headerSize-4], data[headerSize:]
	if binary.BigEndian.Uint32(data[headerSize-4:]) != checksum(head, value) {
		return Record{}, fmt.Errorf("the file is damaged: %w", ErrSealed)
	}
	r := Record{Value: value, Version: binary.BigEndian.Uint64(data[8:])}
	if expires := int64(binary.BigEndian.Uint64(data[16:])); expires != 0 {
		r.Expires = time.UnixMilli(expires)
	}
	return r, nil
}

func checksum(head, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, value)
}

// The files of a record, besides its lock.
const (
	recordSuffix = ".rec" // the record
	nextSuffix   = ".new" // the record that is about to take its place; it counts where there is no other
	asideSuffix  = ".tmp" // what is being written
	lockSuffix   = ".lock"
	breakSuffix  = ".break" // held while a dead process's lock is removed
)

// names are lower-case letters and digits, since some file systems don't tell a from A. They are at most 205 long.
var names = base32.HexEncoding.WithPadding(base32.NoPadding)

// recordPath is where a record's files are, without a suffix. There is a folder for each table, and none below: file
// systems find one of 100,000 names as fast as one of 100.
func recordPath(key string) string {
	table, name, _ := strings.Cut(key, "/")
	return table + "/" + strings.ToLower(names.EncodeToString([]byte(name)))
}

// recordKey is the key whose record's file has this name in the folder of a table.
func recordKey(table, file string) (string, error) {
	file = strings.TrimSuffix(strings.TrimSuffix(file, recordSuffix), nextSuffix)
	name, err := names.DecodeString(strings.ToUpper(file))
	if err != nil {
		return "", err
	}
	key := table + "/" + string(name)
	if _, _, err := splitKey(key); err != nil || recordPath(key) != table+"/"+file {
		return "", fmt.Errorf("%q is no name of a record's file", file)
	}
	return key, nil
}
