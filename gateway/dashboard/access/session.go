package access

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"
)

// A session is a browser that has signed in.
type session struct {
	Credential string    `json:"credential,omitempty"` // id of the token it was opened with; empty after a sign-on
	Issuer     string    `json:"issuer,omitempty"`     // of the sign-on
	Actor      string    `json:"actor"`                // who signed in
	Groups     []string  `json:"groups,omitempty"`     // by the identity provider; never changed
	Opened     time.Time `json:"opened"`               // ends a lifetime later
	Seen       time.Time `json:"seen"`                 // ends when idle that long; exact to a minute

	asked  time.Time // when the store was asked last
	unsent bool      // the store does not know it as it is
}

// maxSessions bounds the sessions of a gateway; the one that was idle longest
// makes room for the next.
const maxSessions = 10_000

// sessions are the browsers that have signed in, by the hash of their cookie.
type sessions struct {
	file           file
	store          Store // nil: one gateway
	idle, lifetime time.Duration
	now            func() time.Time

	mu    sync.Mutex // guards what follows
	open  map[hash]session
	ended map[hash]bool // those that the store has not dropped yet
	dirty bool          // since the file was written

	writing sync.Mutex // held while the file is written
}

// keptSessions is the file of sessions.
type keptSessions struct {
	Sessions map[hash]session `json:"sessions"`
}

// load reads the sessions that an earlier process kept.
func (s *sessions) load() error {
	var kept keptSessions
	if err := s.file.read(&kept); err != nil {
		return fmt.Errorf("reading the sessions: %w", err)
	}
	now := s.now()
	for h, open := range kept.Sessions {
		if !s.over(open, now) && len(s.open) < maxSessions {
			s.open[h] = open
		}
	}
	return nil
}

// put opens a session and returns its id, the only copy of it.
func (s *sessions) put(opened session) (id string) {
	id = newSecret()
	h, now := hashOf(id), s.now()
	opened.Opened, opened.Seen = now, now
	opened.unsent = s.store != nil && s.send(h, opened) != nil
	opened.asked = now
	s.keep(h, opened)
	return id
}

func (s *sessions) keep(h hash, open session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.open[h]; !known && len(s.open) >= maxSessions {
		s.makeRoom(s.now())
	}
	s.open[h] = open
	s.dirty = true
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

// get returns the session of an id. If somebody acts by it, that is noted, and
// the session is idle no more.
func (s *sessions) get(id string, acts bool) (session, bool) {
	h := hashOf(id)
	s.ask(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	open, ok := s.open[h]
	if !ok {
		return session{}, false
	}
	now := s.now()
	if s.over(open, now) {
		delete(s.open, h)
		s.dirty = true
		return session{}, false
	}
	if acts && now.Sub(open.Seen) >= time.Minute {
		open.Seen, open.unsent = now, s.store != nil
		s.open[h] = open
		s.dirty = true
	}
	return open, true
}

// drop ends a session, and reports whether there was one.
func (s *sessions) drop(id string) bool {
	h := hashOf(id)
	s.ask(h)
	s.mu.Lock()
	_, ok := s.open[h]
	delete(s.open, h)
	s.dirty = s.dirty || ok
	s.mu.Unlock()
	if ok && s.store != nil && briefly(func(ctx context.Context) error { return s.store.Delete(ctx, h.value()) }) != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.ended) < maxSessions {
			s.ended[h] = true
		}
	}
	return ok
}

// flush keeps the sessions if any has changed. One that was opened is on disk
// some seconds later, one that was ended at once, so that no crash brings it back.
func (s *sessions) flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	dirty, kept := s.dirty, keptSessions{maps.Clone(s.open)}
	ended := maps.Clone(s.ended)
	s.dirty = false
	s.mu.Unlock()
	err := s.share(kept.Sessions, ended)
	if !dirty {
		return err
	}
	if writing := s.file.write(kept); writing != nil {
		s.mu.Lock()
		s.dirty = true
		s.mu.Unlock()
		err = errors.Join(err, fmt.Errorf("keeping the sessions: %w", writing))
	}
	return err
}
