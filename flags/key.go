package flags

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/ficus-gateway/ficus/migrations"
)

// maxKey is the greatest length of a targeting key in bytes. What is longer
// counts by its hash, so that a client can't make the gateway carry it around.
const maxKey = 128

// A targetingKey is what was found in one request.
type targetingKey struct {
	text     string // empty: keyless
	source   migrations.KeySource
	verified bool
	session  bool // it is the one that the browser has been bucketed by
	resign   bool // an anonymous key whose cookie was signed with a secret that is on its way out
}

// find returns the key that the browser has been bucketed by in its session,
// else the first that is present. An empty value is not.
func (a *Assigner) find(in *Input) targetingKey {
	if in.Given != nil {
		return targetingKey{text: bounded(*in.Given), verified: in.Trusted}
	}
	if k := a.session(in); k.text != "" {
		return k
	}
	for _, source := range in.sources() {
		if k := a.lookup(in, source); k.text != "" {
			k.source = source
			k.text = bounded(k.text)
			return k
		}
	}
	return targetingKey{}
}

// sources returns the places to look for a key, in order.
func (in *Input) sources() []migrations.KeySource {
	if in.Key != nil {
		return in.Key
	}
	return in.Plan.Key
}

// lookup looks for a key in one place. What the client says of itself is
// verified only on the word of a trusted proxy (law 11).
func (a *Assigner) lookup(in *Input, source migrations.KeySource) targetingKey {
	r := in.Request
	said := func(text string) targetingKey { return targetingKey{text: text, verified: in.Trusted} }
	switch source.Kind {
	case migrations.KeyHeader:
		return said(firstHeader(r, source.Name))
	case migrations.KeyCookie:
		for name, value := range cookies(r.Header) {
			if name == source.Name && value != "" {
				return said(value)
			}
		}
	case migrations.KeyQuery:
		for value := range queries(r.URL.RawQuery, source.Name) {
			if value != "" {
				return said(value)
			}
		}
	case migrations.KeyJWT:
		return said(claim(r.Header, source.Name))
	case migrations.KeyIP:
		if in.ClientText != "" && in.Client.Is4() {
			return targetingKey{text: in.ClientText, verified: true}
		}
		return targetingKey{text: network(in.Client), verified: in.Client.IsValid()}
	case migrations.KeyURL:
		return targetingKey{text: target(r)}
	case migrations.KeyRequest:
		return targetingKey{text: strconv.FormatUint(rand.Uint64(), 36)}
	case migrations.KeyAnonymous:
		id, secret := a.anonymous.read(r.Header)
		return targetingKey{text: id, verified: true, resign: secret > 0}
	}
	return targetingKey{}
}

// firstHeader returns the first value of a header field that is not empty.
func firstHeader(r *http.Request, name string) string {
	for _, value := range headerValues(r, name) {
		if value != "" {
			return value
		}
	}
	return ""
}

// headerValues returns all values of a header field. Host, which net/http
// keeps apart, is one.
func headerValues(r *http.Request, name string) []string {
	name = http.CanonicalHeaderKey(name)
	if name == "Host" && r.Host != "" {
		return []string{r.Host}
	}
	return r.Header[name]
}

// network returns an IPv4 address as it is, and of an IPv6 address the /64:
// what one customer has, whose hosts change their lower half at will.
func network(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

// target returns path and query as the client wrote them, which is what a
// shared cache goes by.
func target(r *http.Request) string {
	if len(r.RequestURI) > 0 && r.RequestURI[0] == '/' {
		return r.RequestURI
	}
	return r.URL.RequestURI() // absolute form, or a request that no server has read
}

// bounded returns key, or the hash of a key that is too long.
func bounded(key string) string {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
