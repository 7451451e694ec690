package flags

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"

	"github.com/ficus-gateway/ficus/migrations"
)

// AnonymousCookie is the name of the cookie that holds an anonymous key: a
// random id of 128 bits and a tag of as many that proves who made it, both in
// base64url, one after the other.
const AnonymousCookie = "ficus_id"

const (
	idSize      = 16                 // bytes
	idText      = 22                 // characters that an id or a tag has in base64url
	anonymousBy = 365 * 24 * 60 * 60 // seconds that the cookie lives
	candidates  = 4                  // cookies of one name that are looked at, so that none can make the gateway work
)

// strict64 takes each value in one spelling only.
var strict64 = base64.RawURLEncoding.Strict()

// anonymous reads and makes anonymous keys.
type anonymous struct{ keys keyring }

// read returns the id of the first cookie that carries one of our tags, and
// the number of the secret that made the tag; "" and 0 without one.
func (a anonymous) read(h http.Header) (id string, secret int) {
	seen := 0
	for name, value := range cookies(h) {
		if name != AnonymousCookie {
			continue
		}
		if id, secret, ok := a.open(value); ok {
			return id, secret
		}
		if seen++; seen == candidates {
			break
		}
	}
	return "", 0
}

// open verifies the value of a cookie.
func (a anonymous) open(value string) (id string, secret int, ok bool) {
	if len(value) != 2*idText {
		return "", 0, false
	}
	var raw [idSize]byte
	var tag [tagSize]byte
	if n, err := strict64.Decode(raw[:], []byte(value[:idText])); err != nil || n != idSize {
		return "", 0, false
	}
	if n, err := strict64.Decode(tag[:], []byte(value[idText:])); err != nil || n != tagSize {
		return "", 0, false
	}
	if secret = a.keys.verify(raw[:], tag[:]); secret < 0 {
		return "", 0, false
	}
	return value[:idText], secret, true
}

// seal returns the value of a cookie for an id.
func (a anonymous) seal(id [idSize]byte) string {
	tag := a.keys.sign(id[:])
	return strict64.EncodeToString(id[:]) + strict64.EncodeToString(tag[:])
}

// Cookie returns the anonymous cookie that the answer to a request should set,
// nil if it needs none: the key list does not ask for one, a better key was
// there, or the client has one. The request that it answers stays as it was
// assigned, without this key; only a client that returns the cookie has it.
// Ask [Storable] before setting it.
func (a *Assigner) Cookie(in *Input, asg Assignment) *http.Cookie {
	for _, source := range in.sources() {
		if source.Kind == migrations.KeyAnonymous {
			break
		}
		if source == asg.Source {
			return nil
		}
	}
	if !in.anonymous() {
		return nil
	}
	var id [idSize]byte
	switch {
	case asg.Source.Kind != migrations.KeyAnonymous:
		rand.Read(id[:])
	case asg.resign:
		raw, err := strict64.DecodeString(asg.Key)
		if err != nil || len(raw) != idSize {
			return nil
		}
		copy(id[:], raw)
	default:
		return nil
	}
	return in.cookie(AnonymousCookie, a.anonymous.seal(id), anonymousBy)
}

// anonymous reports whether the key list asks for an anonymous key.
func (in *Input) anonymous() bool {
	for _, source := range in.sources() {
		if source.Kind == migrations.KeyAnonymous {
			return true
		}
	}
	return false
}

// cookie returns a first-party cookie that scripts can't read.
func (in *Input) cookie(name, value string, seconds int) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: seconds,
		HttpOnly: true, Secure: in.Secure, SameSite: http.SameSiteLaxMode,
	}
}
