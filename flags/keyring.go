package flags

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"hash"
	"sync"
)

const (
	tagSize   = 16 // bytes kept of an HMAC-SHA-256, 128 bits
	minSecret = 16 // bytes
)

// A keyring signs and verifies one kind of cookie. Every secret gives a key of
// its own for every kind, so a tag of one is worth nothing for another. The
// first signs, all verify, so secrets can be replaced without a break.
type keyring []*sync.Pool // of *mac, one pool for each secret

// A mac is an HMAC with room to work in, so that signing allocates nothing.
type mac struct {
	hash.Hash
	in, out []byte
}

func newKeyring(secrets [][]byte, use string) (keyring, error) {
	var ring keyring
	for _, secret := range secrets {
		key, err := derive(secret, use)
		if err != nil {
			return nil, err
		}
		ring = append(ring, &sync.Pool{New: func() any { return &mac{Hash: hmac.New(sha256.New, key)} }})
	}
	return ring, nil
}

// derive makes a key for one use of a secret.
func derive(secret []byte, use string) ([]byte, error) {
	if len(secret) < minSecret {
		return nil, fmt.Errorf("a secret of %d bytes is too short; give at least %d, such as the output of openssl rand -hex 32", len(secret), minSecret)
	}
	return hkdf.Key(sha256.New, secret, nil, "ficus "+use, sha256.Size)
}

func (k keyring) tag(secret int, text []byte) (tag [tagSize]byte) {
	m := k[secret].Get().(*mac)
	defer k[secret].Put(m)
	m.Reset()
	m.in = append(m.in[:0], text...)
	m.Write(m.in)
	m.out = m.Sum(m.out[:0])
	return [tagSize]byte(m.out)
}

// sign returns the tag of text.
func (k keyring) sign(text []byte) [tagSize]byte { return k.tag(0, text) }

// verify returns the number of the secret that signed text, -1 if none did.
func (k keyring) verify(text, tag []byte) int {
	for i := range k {
		want := k.tag(i, text)
		if subtle.ConstantTimeCompare(want[:], tag) == 1 {
			return i
		}
	}
	return -1
}
