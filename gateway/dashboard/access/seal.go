package access

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
)

// A seal closes what a browser carries for us, so that it can neither read nor
// change it; gateways with the same secret can all open it.
type seal struct{ aead cipher.AEAD }

// newSeal makes the seal for one use of a secret.
func newSeal(secret []byte, use string) (seal, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "ficus "+use, 32)
	if err != nil {
		return seal{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return seal{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return seal{aead}, err
}

func (s seal) close(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, text, nil)), nil
}

var errSeal = errors.New("it was not sealed here")

func (s seal) open(sealed string, v any) error {
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return errSeal
	}
	if text, err = s.aead.Open(nil, nil, text, nil); err != nil {
		return errSeal
	}
	return json.Unmarshal(text, v)
}

// newSealSecret is for those who have none: what it seals does not outlive the process.
func newSealSecret() []byte {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return secret
}
