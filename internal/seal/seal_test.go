package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	oldKey = "an-old-key-an-old-key-an-old-key"
	newKey = "a-new-key!a-new-key!a-new-key!-!"
)

func sealed(t testing.TB, r *Ring, purpose, audience, data string) string {
	t.Helper()
	text, err := r.Seal(purpose, audience, time.Hour, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestOpen(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	clock := func() time.Time { return now }
	before := &Ring{Now: clock, secrets: NewRing(oldKey).secrets}
	after := &Ring{Now: clock, secrets: NewRing(newKey + ", " + oldKey).secrets}
	text := sealed(t, before, "page", "anne", "secret")
	for _, test := range []struct {
		name              string
		ring              *Ring
		purpose, audience string
		text              string
		later             time.Duration
		want              error
	}{
		{"as it was sealed", before, "page", "anne", text, 0, nil},
		{"just in time", before, "page", "anne", text, time.Hour - time.Second, nil},
		{"too late", before, "page", "anne", text, time.Hour, ErrExpired},
		{"another purpose", before, "plan", "anne", text, 0, ErrInvalid},
		{"another audience", before, "page", "ben", text, 0, ErrInvalid},
		{"the two shifted", before, "pag", "eanne", text, 0, ErrInvalid},
		{"another key", NewRing(newKey), "page", "anne", text, 0, ErrInvalid},
		{"a random key", NewRing(""), "page", "anne", text, 0, ErrInvalid},
		{"after the rotation", after, "page", "anne", text, 0, nil},
		{"the new key before the rotation", before, "page", "anne", sealed(t, after, "page", "anne", "secret"), 0, ErrInvalid},
		{"nothing", before, "page", "anne", "", 0, ErrInvalid},
		{"no base64", before, "page", "anne", "next page, please", 0, ErrInvalid},
		{"a line end in it", before, "page", "anne", text[:8] + "\n" + text[8:], 0, ErrInvalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			now = time.Unix(1_800_000_000, 0).Add(test.later)
			got, err := test.ring.Open(test.purpose, test.audience, test.text)
			if !errors.Is(err, test.want) {
				t.Fatalf("err = %v, want %v", err, test.want)
			}
			if err == nil && string(got) != "secret" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestSealHidesAndIsSmall(t *testing.T) {
	r := NewRing("")
	one, two := sealed(t, r, "page", "anne", "offset=40"), sealed(t, r, "page", "anne", "offset=40")
	if one == two {
		t.Error("two texts of the same data are alike")
	}
	if len(one) > 64 || strings.Contains(one, "offset") {
		t.Errorf("%d characters: %s", len(one), one)
	}
}

// TestTruncated takes away from either end.
func TestTruncated(t *testing.T) {
	r := NewRing(oldKey)
	text := sealed(t, r, "page", "anne", "offset=40")
	for i := range text {
		for _, cut := range []string{text[:i], text[i+1:]} {
			if _, err := r.Open("page", "anne", cut); !errors.Is(err, ErrInvalid) {
				t.Fatalf("%q opened (%v)", cut, err)
			}
		}
	}
}

// FuzzAltered holds that no text but the sealed one opens, whichever bytes are changed, cut off or added.
func FuzzAltered(f *testing.F) {
	r := NewRing(oldKey)
	raw, err := base64.RawURLEncoding.DecodeString(sealed(f, r, "page", "anne", "offset=40"))
	if err != nil {
		f.Fatal(err)
	}
	for at := range raw {
		f.Add(uint(at), byte(1<<(at%8)), uint(0), "")
	}
	f.Add(uint(0), byte(0), uint(0), "=")
	f.Add(uint(0), byte(0), uint(0), "\n")
	f.Add(uint(0), byte(0), uint(1), "_")
	f.Fuzz(func(t *testing.T, at uint, mask byte, cut uint, tail string) {
		changed := slices.Clone(raw)
		changed[at%uint(len(raw))] ^= mask
		text := base64.RawURLEncoding.EncodeToString(raw)
		altered := base64.RawURLEncoding.EncodeToString(changed)
		altered = altered[:len(altered)-int(cut%uint(len(altered)))] + tail
		got, err := r.Open("page", "anne", altered)
		switch {
		case altered == text && (err != nil || string(got) != "offset=40"):
			t.Fatalf("the text itself: %q, %v", got, err)
		case altered != text && err == nil:
			t.Fatalf("%q opened to %q", altered, got)
		}
	})
}

// TestDerive: the same for every process with the secret, another for every purpose, and never what Seal uses.
func TestDerive(t *testing.T) {
	derived := func(key, purpose string) [][]byte {
		t.Helper()
		keys, err := NewRing(key).Derive(purpose, 32)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	before, after := derived(oldKey, "sign"), derived(newKey+","+oldKey, "sign")
	if len(before) != 1 || len(after) != 2 || !bytes.Equal(before[0], after[1]) || bytes.Equal(after[0], after[1]) {
		t.Errorf("before %x, after %x", before, after)
	}
	if bytes.Equal(before[0], derived(oldKey, "refresh")[0]) {
		t.Error("two purposes share a key")
	}
	if len(before[0]) != 32 {
		t.Errorf("%d bytes", len(before[0]))
	}
	if _, err := NewRing(oldKey).Derive("sign", 256*32); err == nil {
		t.Error("more bytes than HKDF has")
	}
	// Seal and Derive of one purpose: what one derives opens nothing of the other.
	aead, err := derive([]byte(oldKey), "sign")
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(before[0])
	if err != nil {
		t.Fatal(err)
	}
	other, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(nil, nil, aead.Seal(nil, nil, []byte("x"), nil), nil); err == nil {
		t.Error("Seal and Derive share a key")
	}
}
