package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"sync"
	"time"
)

// hash is what is kept of a secret.
type hash [sha256.Size]byte

func hashOf(secret string) hash { return sha256.Sum256([]byte(secret)) }

// newSecret returns 256 random bits as text.
func newSecret() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// A session is a browser that has signed in.
type session struct {
	Credential string    // id of the token it was opened with; empty after a sign-on
	Actor      string    // who signed in
	Groups     []string  // by the identity provider
	Opened     time.Time // ends a lifetime later
	Seen       time.Time // ends when idle that long; exact to a minute
}

// maxSessions bounds the sessions of a gateway; the one that was idle longest
// makes room for the next.
const maxSessions = 10_000

// sessions are the browsers that have signed in, by the hash of their cookie.
type sessions struct {
	idle, lifetime time.Duration
	now            func() time.Time

	mu   sync.Mutex // guards what follows
	open map[hash]session
}

// put opens a session and returns its id, the only copy of it.
func (s *sessions) put(opened session) (id string) {
	id = newSecret()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	opened.Opened, opened.Seen = now, now
	if len(s.open) >= maxSessions {
		s.makeRoom(now)
	}
	s.open[hashOf(id)] = opened
	return id
}

// makeRoom drops the sessions that are over, and if there are none the one
// that was idle longest.
func (s *sessions) makeRoom(now time.Time) {
	var oldest hash
	least := now.Add(time.Hour)
	for h, open := range s.open {
		if s.over(open, now) {
			delete(s.open, h)
		} else if open.Seen.Before(least) {
			oldest, least = h, open.Seen
		}
	}
	if len(s.open) >= maxSessions {
		delete(s.open, oldest)
	}
}

func (s *sessions) over(open session, now time.Time) bool {
	return now.Sub(open.Seen) >= s.idle || now.Sub(open.Opened) >= s.lifetime
}

// get returns the session of an id, and notes that it was seen.
func (s *sessions) get(id string) (session, bool) {
	h := hashOf(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	open, ok := s.open[h]
	now := s.now()
	if !ok || s.over(open, now) {
		delete(s.open, h)
		return session{}, false
	}
	if now.Sub(open.Seen) >= time.Minute {
		open.Seen = now
		s.open[h] = open
	}
	open.Groups = slices.Clone(open.Groups)
	return open, true
}

// drop ends a session.
func (s *sessions) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, hashOf(id))
}
