// Package seal turns bytes into text that only this gateway can read and make: for one purpose, one audience and a time.
// It does not know what the bytes mean.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrInvalid is what Open says of a text that was altered, was made for another purpose or audience, or under a key
	// that is gone. Which of these it is can't be told.
	ErrInvalid = errors.New("not sealed here, or not for this")
	// ErrExpired is what Open says of a text that was good until its time was over.
	ErrExpired = errors.New("sealed for a time that is over")
)

// keyBytes is the length of an AES-256 key.
const keyBytes = 32

// Ring seals under its first key and opens under all. It is safe for concurrent use.
type Ring struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	secrets [][]byte
}

// NewRing takes `new,old`: secrets of 32 bytes or more, the first of which seals. Where key is empty, a random one is made,
// so that what was sealed ends with the process.
func NewRing(key string) *Ring {
	r := &Ring{}
	for secret := range strings.SplitSeq(key, ",") {
		if secret = strings.TrimSpace(secret); secret != "" {
			r.secrets = append(r.secrets, []byte(secret))
		}
	}
	if len(r.secrets) == 0 {
		secret := make([]byte, keyBytes)
		_, _ = rand.Read(secret) // never fails: it ends the program instead
		r.secrets = [][]byte{secret}
	}
	return r
}

// Seal encrypts data for a purpose, such as "page", and an audience, such as who may use it. The text is base64url, about
// 45 characters longer than the data in base64; whole seconds of ttl count.
func (r *Ring) Seal(purpose, audience string, ttl time.Duration, data []byte) (string, error) {
	aead, err := derive(r.secrets[0], purpose)
	if err != nil {
		return "", err
	}
	plain := binary.AppendVarint(nil, r.now().Add(ttl).Unix())
	plain = append(plain, data...)
	return encoding.EncodeToString(aead.Seal(nil, nil, plain, bound(purpose, audience))), nil
}

// Open returns what was sealed for the same purpose and audience. The error is ErrInvalid or ErrExpired.
func (r *Ring) Open(purpose, audience, text string) ([]byte, error) {
	sealed, err := encoding.DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // which the decoder skips
		return nil, ErrInvalid
	}
	for _, secret := range r.secrets {
		aead, err := derive(secret, purpose)
		if err != nil {
			return nil, err
		}
		plain, err := aead.Open(nil, nil, sealed, bound(purpose, audience))
		if err != nil {
			continue
		}
		expiry, n := binary.Varint(plain)
		switch {
		case n <= 0:
			return nil, ErrInvalid
		case r.now().Unix() >= expiry:
			return nil, ErrExpired
		}
		return plain[n:], nil
	}
	return nil, ErrInvalid
}

// SealBytes encrypts data for a purpose and an audience, without a time and without base64: for a store, which has a time
// and takes bytes. It is 28 bytes longer than the data. A purpose of Seal is not to be one of SealBytes.
func (r *Ring) SealBytes(purpose, audience string, data []byte) ([]byte, error) {
	aead, err := derive(r.secrets[0], purpose)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, data, bound(purpose, audience)), nil
}

// OpenBytes returns what SealBytes sealed for the same purpose and audience. The error is ErrInvalid.
func (r *Ring) OpenBytes(purpose, audience string, sealed []byte) ([]byte, error) {
	for _, secret := range r.secrets {
		aead, err := derive(secret, purpose)
		if err != nil {
			return nil, err
		}
		if data, err := aead.Open(nil, nil, sealed, bound(purpose, audience)); err == nil {
			return data, nil
		}
	}
	return nil, ErrInvalid
}

// Derive returns n bytes for a purpose out of every secret, the first secret's first: for keys of another kind than Seal's own, such as a
// seed of Ed25519. Every process with the same secret derives the same.
func (r *Ring) Derive(purpose string, n int) ([][]byte, error) {
	keys := make([][]byte, len(r.secrets))
	for i, secret := range r.secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, "mcpgate derive 1 "+purpose, n)
		if err != nil {
			return nil, fmt.Errorf("deriving a key: %w", err)
		}
		keys[i] = key
	}
	return keys, nil
}

func (r *Ring) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}

// encoding takes one text for one value only: unused bits have to be zero.
var encoding = base64.RawURLEncoding.Strict()

// derive makes the key of one purpose out of a secret (RFC 5869), and AES-256-GCM with it. The nonce is random and stands
// before the ciphertext: that is safe for 2^32 texts under one key.
func derive(secret []byte, purpose string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "mcpgate seal 1 "+purpose, keyBytes)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// bound is the additional data: the purpose's length goes first, so that no two pairs are written alike.
func bound(purpose, audience string) []byte {
	data := binary.AppendUvarint(nil, uint64(len(purpose)))
	return append(append(data, purpose...), audience...)
}
