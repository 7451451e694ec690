package access

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"sync"
	"time"
)

// A What says what an entry of the audit is about.
type What string

// What is audited. Changes of migrations are not: they are in the event log.
const (
	SignedIn     What = "signed in"
	SignedOut    What = "signed out"
	LoginRefused What = "login refused"
	Refused      What = "request refused"
	TokenMade    What = "token created"
	TokenRevoked What = "token revoked"
	Judged       What = "finding judged"
	Reloaded     What = "config read again"
)

// Whats lists what is audited.
var Whats = []What{SignedIn, SignedOut, LoginRefused, Refused, TokenMade, TokenRevoked, Judged, Reloaded}

// An Entry is one line of the audit. It holds no secrets.
type Entry struct {
	Seq    uint64    `json:"seq"`
	Time   time.Time `json:"time"`
	What   What      `json:"what"`
	Actor  string    `json:"actor,omitempty"` // who, as far as they have shown it
	Role   Role      `json:"role,omitempty"`
	Via    Way       `json:"via,omitempty"`
	Peer   string    `json:"peer,omitempty"`   // address and port of the other end
	Client string    `json:"client,omitempty"` // address of whom a trusted proxy speaks for, if the other end is one
	Method string    `json:"method,omitempty"`
	Path   string    `json:"path,omitempty"` // without its query
	Type   string    `json:"type,omitempty"` // of the problem that a refusal was answered with
	Detail string    `json:"detail,omitempty"`
	Missed int       `json:"missed,omitempty"` // refusals of the same type before this that came too fast to be kept
}

// The audit in memory, and on disk.
const (
	ringSize = 1000
	fileSize = 8 << 20 // bytes; then the file becomes FILE.1, and the one before that goes
	tailSize = 256 << 10
)

// An audit keeps who came in and who was refused: the last thousand entries in
// memory, all in the log, and as many as two files hold on disk.
type audit struct {
	path string // empty: not on disk
	log  *slog.Logger
	now  func() time.Time

	mu      sync.Mutex // guards what follows
	ring    []Entry    // oldest first
	next    uint64     // seq of the next
	file    *os.File   // nil: not open
	size    int64
	refused map[string]*limiter // by type of problem, of which there are few
	broken  bool                // the last write failed, which was logged
}

// load reads the end of what an earlier process kept.
func (a *audit) load() error {
	a.next = 1
	if a.path == "" {
		return nil
	}
	text, err := tail(a.path)
	if err != nil {
		return fmt.Errorf("reading the audit: %w", err)
	}
	for line := range bytes.Lines(text) {
		var e Entry
		if json.Unmarshal(line, &e) != nil || e.Seq < a.next { // cut off, or of a process that fell
			continue
		}
		a.keep(e)
		a.next = e.Seq + 1
	}
	return nil
}

func tail(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > tailSize {
		if _, err := f.Seek(-tailSize, io.SeekEnd); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(f, tailSize))
}

func (a *audit) keep(e Entry) {
	if len(a.ring) >= ringSize {
		a.ring = slices.Delete(a.ring, 0, len(a.ring)-ringSize+1)
	}
	a.ring = append(a.ring, e)
}

// token is what a path that somebody pasted a token into must not bring along.
var token = regexp.MustCompile(`ficus_[\w-]{16,}`)

// note keeps an entry. Refusals that come faster than one a second are
// counted, so that nobody can push out what matters.
func (a *audit) note(e Entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e.Path = token.ReplaceAllLiteralString(e.Path, "ficus_…")
	if e.What == Refused || e.What == LoginRefused {
		l := a.refused[e.Type]
		if l == nil {
			l = &limiter{now: a.now}
			a.refused[e.Type] = l
		}
		ok, missed := l.allow()
		if !ok {
			return
		}
		e.Missed = missed
	}
	e.Seq, e.Time = a.next, a.now().UTC()
	a.next++
	a.keep(e)
	a.logged(e)
	if err := a.write(e); err != nil && !a.broken {
		a.broken = true
		a.log.Error("the audit can't be kept on disk", "error", err)
	} else if err == nil {
		a.broken = false
	}
}

func (a *audit) logged(e Entry) {
	level := slog.LevelInfo
	if e.What == Refused || e.What == LoginRefused {
		level = slog.LevelWarn
	}
	a.log.Log(context.Background(), level, "admin: "+string(e.What), "actor", e.Actor, "role", e.Role, "via", e.Via, "peer", e.Peer, "client", e.Client,
		"method", e.Method, "path", e.Path, "type", e.Type, "detail", e.Detail, "not_logged_before", e.Missed)
}

// write appends the entry to the file. What a crash loses is the last of it.
func (a *audit) write(e Entry) error {
	if a.path == "" {
		return nil
	}
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if a.file != nil && a.size > fileSize {
		err := errors.Join(a.file.Close(), os.Rename(a.path, a.path+".1"))
		a.file = nil
		if err != nil {
			return err
		}
	}
	if a.file == nil {
		if a.file, err = os.OpenFile(a.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			return err
		}
		info, err := a.file.Stat()
		if err != nil {
			return err
		}
		a.size = info.Size()
	}
	n, err := a.file.Write(append(text, '\n'))
	a.size += int64(n)
	return err
}

func (a *audit) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return nil
	}
	err := a.file.Close()
	a.file = nil
	return err
}

// An AuditFilter says which entries are wanted. The zero value means the
// newest fifty.
type AuditFilter struct {
	What   What
	Actor  string
	Before uint64 // only older ones; 0 means all
	Limit  int    // 0 means 50
}

// last returns the entries that a filter takes, newest first, and whether
// there are more.
func (a *audit) last(f AuditFilter) (entries []Entry, more bool) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range slices.Backward(a.ring) {
		if f.What != "" && e.What != f.What || f.Actor != "" && e.Actor != f.Actor || f.Before != 0 && e.Seq >= f.Before {
			continue
		}
		if len(entries) == f.Limit {
			return entries, true
		}
		entries = append(entries, e)
	}
	return entries, false
}
