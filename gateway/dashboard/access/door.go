package access

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Options say who comes in. The zero value lets nobody in.
type Options struct {
	Shared   Token            // of the file ficus.token: an admin's, which several people may share; zero: none
	Idle     time.Duration    // after which a session ends that nobody uses; 0: four hours
	Lifetime time.Duration    // after which every session ends; 0: twelve hours
	Now      func() time.Time // nil: [time.Now]
}

// A Door knows who may come in. It is safe for concurrent use, and one serves
// all listeners of a process.
type Door struct {
	credentials credentials
	sessions    sessions
}

// Open returns a door.
func Open(o Options) (*Door, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Door{
		credentials: credentials{now: o.Now},
		sessions: sessions{
			idle: cmp.Or(o.Idle, 4*time.Hour), lifetime: cmp.Or(o.Lifetime, 12*time.Hour), now: o.Now, open: map[hash]session{},
		},
	}
	if !o.Shared.IsZero() {
		h := hashOf(o.Shared.secret)
		id := sha256.Sum256(h[:]) // so that its sessions end when the file holds another
		d.credentials.add(credential{ID: "shared-" + hex.EncodeToString(id[:4]), Role: Admin, Hash: h, shared: true})
	}
	return d, nil
}

// Bearer returns who presents a token. Where several people share it, the name
// is empty, and theirs to say.
func (d *Door) Bearer(presented string) (Identity, bool) {
	c, ok := d.credentials.check(presented)
	if !ok {
		return Identity{}, false
	}
	return Identity{Actor: c.Name, Role: c.Role, Groups: c.Groups, Via: ByToken, Shared: c.shared}, true
}

// Session returns who the browser is that shows a cookie. A token that was
// revoked takes its sessions with it.
func (d *Door) Session(id string) (Identity, bool) {
	s, ok := d.sessions.get(id)
	if !ok {
		return Identity{}, false
	}
	c, ok := d.credentials.get(s.Credential)
	if !ok {
		d.sessions.drop(id)
		return Identity{}, false
	}
	return Identity{Actor: s.Actor, Role: c.Role, Groups: c.Groups, Via: BySession, Shared: c.shared}, true
}

// SignIn opens a session for who presents a token, and returns its id for the
// cookie. The name counts where several people share the token. A session that
// the browser had before ends: what somebody planted in it opens nothing.
func (d *Door) SignIn(presented, name, before string) (session string, who Identity, ok bool) {
	c, ok := d.credentials.check(presented)
	if !ok {
		return "", Identity{}, false
	}
	d.sessions.drop(before)
	who = Identity{Actor: cmp.Or(c.Name, name), Role: c.Role, Groups: c.Groups, Via: BySession, Shared: c.shared}
	return d.sessions.put(sessionOf(c, who)), who, true
}

func sessionOf(c credential, who Identity) session {
	return session{Credential: c.ID, Actor: who.Actor}
}

// SignOut ends a session.
func (d *Door) SignOut(session string) { d.sessions.drop(session) }

// Issue makes a token and returns it; it is not kept and can't be shown again.
func (d *Door) Issue(name string, role Role, groups ...string) Token {
	t := NewToken()
	d.credentials.add(credential{ID: newSecret()[:8], Name: name, Role: role, Groups: groups, Hash: hashOf(t.secret)})
	return t
}
