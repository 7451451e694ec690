package access

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"path/filepath"
	"time"
)

// Options say who comes in. The zero value lets nobody in, and keeps nothing.
type Options struct {
	Shared   Token            // of the file ficus.token: an admin's, which several people may share; zero: none
	Dir      string           // where tokens, sessions and the audit are kept; empty: in memory only
	Idle     time.Duration    // after which a session ends that nobody uses; 0: four hours
	Lifetime time.Duration    // after which every session ends; 0: twelve hours
	Store    Store            // nil: what comes in is this gateway's alone
	SignOn   *SignOnOptions   // nil: people sign in with tokens only
	Logger   *slog.Logger     // nil: silent
	Now      func() time.Time // nil: [time.Now]
}

// The files in the directory of a door.
const (
	TokensFile   = "ficus.tokens"   // hashes of the tokens that were issued
	SessionsFile = "ficus.sessions" // hashes of the cookies of browsers that have signed in
	AuditFile    = "ficus.audit"    // who came in and who was refused, one JSON object a line
)

// A Door knows who may come in. It is safe for concurrent use, and one serves
// all listeners of a process.
type Door struct {
	credentials credentials
	sessions    sessions
	attempts    attempts // to sign in with a token
	returns     attempts // from the identity provider; whoever guesses tokens keeps nobody from signing on
	audit       audit
	signOn      *SignOn // nil: none
	alone       bool    // the store could not be read the last time; Run's
	log         *slog.Logger
	now         func() time.Time
}

// Open returns a door with what its directory keeps.
func Open(o Options) (*Door, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	kept := func(name string) string {
		if o.Dir == "" {
			return ""
		}
		return filepath.Join(o.Dir, name)
	}
	d := &Door{
		credentials: credentials{file: file{kept(TokensFile)}, store: o.Store, now: o.Now},
		sessions: sessions{
			file: file{kept(SessionsFile)}, store: o.Store, idle: cmp.Or(o.Idle, 4*time.Hour), lifetime: cmp.Or(o.Lifetime, 12*time.Hour),
			now: o.Now, open: map[hash]session{}, ended: map[hash]bool{},
		},
		attempts: attempts{now: o.Now},
		returns:  attempts{now: o.Now},
		audit:    audit{path: kept(AuditFile), log: o.Logger, now: o.Now, refused: map[string]*limiter{}},
		log:      o.Logger, now: o.Now,
	}
	var shared []credential
	if !o.Shared.IsZero() {
		h := hashOf(o.Shared.secret)
		id := sha256.Sum256(h[:]) // so that its sessions end when the file holds another
		shared = append(shared, credential{ID: "shared-" + hex.EncodeToString(id[:4]), Name: TokenFile, Role: Admin, Hash: h, shared: true})
	}
	if err := d.credentials.open(shared...); err != nil {
		return nil, err
	}
	if err := d.audit.load(); err != nil { // it goes on from now
		o.Logger.Warn("the audit of before can't be read", "error", err)
	}
	if o.SignOn != nil {
		var err error
		if d.signOn, err = newSignOn(*o.SignOn, o.Now); err != nil {
			return nil, err
		}
	}
	if o.Store != nil {
		d.pull(context.Background())
	}
	if err := d.sessions.load(); err != nil { // people can sign in again
		o.Logger.Warn("everybody has to sign in again", "error", err)
	}
	return d, nil
}

// Run keeps what changes without haste, and takes over what other gateways
// have changed, until ctx ends.
func (d *Door) Run(ctx context.Context) {
	tick := time.NewTicker(storeFresh)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		d.pull(ctx)
		if n%5 == 0 {
			d.flush(ctx)
		}
	}
}

// pull takes over the tokens that other gateways have made and revoked.
func (d *Door) pull(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	err := d.credentials.pull(ctx)
	if err != nil && !d.alone {
		d.log.Warn("what other gateways say of who comes in can't be read; what this one knows stands", "error", err)
	}
	d.alone = err != nil
}

// Close keeps what is not kept yet. Call it when no more requests come and Run has ended.
func (d *Door) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	d.flush(ctx)
	return d.audit.close()
}

func (d *Door) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := errors.Join(d.credentials.flush(ctx), d.sessions.flush()); err != nil && !d.alone {
		d.log.Error("the admin listener can't keep who comes in", "error", err)
	}
}

// Note keeps an entry of the audit, and logs it.
func (d *Door) Note(e Entry) { d.audit.note(e) }

// Audit returns the entries that a filter takes, of the last thousand, newest
// first, and whether there are more.
func (d *Door) Audit(f AuditFilter) (entries []Entry, more bool) { return d.audit.last(f) }

// Bearer returns who presents a token. Where several people share it, the name
// is empty, and theirs to say.
func (d *Door) Bearer(presented string) (Identity, bool) {
	c, ok := d.credentials.check(presented)
	if !ok {
		return Identity{}, false
	}
	return c.identity("", ByToken), true
}

// identity is who presents the token; the name counts where it is shared.
func (c credential) identity(name string, via Way) Identity {
	id := Identity{Actor: c.Name, Role: c.Role, Groups: c.Groups, Via: via, Shared: c.shared}
	if c.shared {
		id.Actor = name
	}
	return id
}

// Session returns who the browser is that shows a cookie. If somebody acts by
// it, it is idle no more; a page that brings itself up to date does not.
// A token that was revoked takes its sessions with it; another gateway may know
// the token of a session that is worth nothing here.
func (d *Door) Session(id string, acts bool) (Identity, bool) {
	s, ok := d.sessions.get(id, acts)
	if !ok {
		return Identity{}, false
	}
	return d.stillWelcome(s)
}

// stillWelcome returns what a session is good for by what holds now.
func (d *Door) stillWelcome(s session) (Identity, bool) {
	if s.Issuer != "" {
		if d.signOn == nil || d.signOn.o.Issuer != s.Issuer {
			return Identity{}, false
		}
		who := d.signOn.identity(s)
		return who, who.Role != ""
	}
	if c, ok := d.credentials.get(s.Credential); ok {
		return c.identity(s.Actor, BySession), true
	}
	return Identity{}, false
}
