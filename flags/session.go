package flags

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ficus-gateway/ficus/migrations"
)

// SessionCookie is the name of the cookie that keeps a browser on the key that
// it was first bucketed by, until its session ends: logging in, logging out
// and a session id that rotates change the keys that are found, and must not
// change the side. It is set where the key list allows a cookie, by naming
// anonymous. Its value is '1' or '0' (whether the key is verified), where the
// key was found, '!' and the key, both escaped as in a query, '.' and a tag in
// base64url.
const SessionCookie = "ficus_key"

// session returns the key that the browser has been bucketed by, if the key
// list still asks for its kind.
func (a *Assigner) session(in *Input) (k targetingKey) {
	if !in.anonymous() {
		return k
	}
	seen := 0
	for name, value := range cookies(in.Request.Header) {
		if name != SessionCookie {
			continue
		}
		if k, ok := a.openSession(in, value); ok {
			return k
		}
		if seen++; seen == candidates {
			break
		}
	}
	return targetingKey{}
}

// named reports whether a source is the one that text names, without building
// its name.
func named(source migrations.KeySource, text string) bool {
	kind, name, _ := strings.Cut(text, "%3A") // an escaped colon
	return kind == string(source.Kind) && (name == source.Name || name == url.QueryEscape(source.Name))
}

// SessionCookie returns the cookie that keeps the browser on the key of an
// assignment; nil if it has one already, or needs none. Ask [Storable] before
// setting it.
func (a *Assigner) SessionCookie(in *Input, asg Assignment) *http.Cookie {
	if asg.Key == "" || asg.session || !in.anonymous() {
		return nil
	}
	switch asg.Source.Kind {
	case migrations.KeyURL, migrations.KeyRequest, migrations.KeyIP, migrations.KeyQuery:
		return nil // not of the browser
	}
	return in.cookie(SessionCookie, a.sealSession(asg), 0)
}

// sealSession returns the value of a cookie.
func (a *Assigner) sealSession(asg Assignment) string {
	verified := "0"
	if asg.Verified {
		verified = "1"
	}
	text := verified + url.QueryEscape(asg.Source.String()) + "!" + url.QueryEscape(asg.Key)
	tag := a.sessions.sign([]byte(text))
	return text + "." + strict64.EncodeToString(tag[:])
}

// maxSession bounds the text of a session cookie: every byte of key and source
// may have been escaped.
const maxSession = 3 * (maxKey + 256)

// openSession verifies the value of a cookie. Of an ordinary key nothing is
// allocated.
func (a *Assigner) openSession(in *Input, value string) (k targetingKey, ok bool) {
	cut := strings.LastIndexByte(value, '.')
	if cut < 2 || cut > maxSession || len(value)-cut-1 != idText {
		return k, false
	}
	text := value[:cut]
	var tag [tagSize + 2]byte
	if n, err := strict64.Decode(tag[:], []byte(value[cut+1:])); err != nil || n != tagSize || a.sessions.verify([]byte(text), tag[:tagSize]) < 0 {
		return k, false
	}
	head, key, ok := strings.Cut(text[1:], "!")
	if !ok {
		return k, false
	}
	for _, source := range in.sources() {
		if !named(source, head) {
			continue
		}
		if strings.ContainsAny(key, "%+") {
			var err error
			if key, err = url.QueryUnescape(key); err != nil {
				return k, false
			}
		}
		return targetingKey{text: key, source: source, verified: text[0] == '1', session: true}, key != ""
	}
	return k, false
}
