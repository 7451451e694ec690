package redistally

import (
	"context"
	"crypto/rand"
	"log/slog"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

const (
	// Every is the time between two exchanges.
	Every = time.Second
	// Gone is how long a gateway says nothing before it is taken for ended.
	Gone = 10 * time.Second

	keepFor    = 24 * time.Hour // what nobody needs any more
	patience   = time.Second    // for one exchange
	mostOthers = 200            // gateways that are read
	mostBytes  = 8 << 20        // of one part
)

// Options say what a [Tally] exchanges, and where. All but Now and Logger are
// required.
type Options struct {
	Client redis.UniversalClient
	Key    func(thing string) string         // names the keys of the installation
	Name   string                            // of this gateway: no other has, or ever had it; one that goes on with the counts of an ended process has its name
	Own    func() map[string]evidence.Counts // what this gateway has counted, by migration; nobody changes it any more
	Now    func() time.Time                  // the log's clock; nil: time.Now
	Logger *slog.Logger                      // nil: silent
}

// A Tally knows what all gateways have counted. Its methods may be called from
// anywhere.
type Tally struct {
	Options

	run   string     // of this process, among those of that name
	turn  sync.Mutex // held by an exchange; guards what follows
	out   outgoing
	began bool                 // something was published
	in    map[string]*incoming // by the name of the gateway

	mu     sync.Mutex        // guards what follows
	known  map[string]*known // by migration
	at     time.Time         // of the last exchange, by this machine's clock
	most   int               // greatest number of gateways at a time, as far as anybody knows
	alive  []string          // the other gateways that are there, sorted
	silent map[string]int64  // those that neither are nor have said that they end: when they last said anything, in Unix milliseconds
	err    error             // of the last exchange
	failed time.Time         // since when exchanges fail
}

// An incoming is what is known of another gateway.
type incoming struct {
	head    head
	parts   parcel
	have    map[string]uint64 // versions of parts
	strange bool              // it was said that it cannot be read
}

// New returns a tally that knows nothing of the others yet.
func New(o Options) *Tally {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Tally{Options: o, run: rand.Text(), in: make(map[string]*incoming), known: make(map[string]*known), most: 1}
}

// Run exchanges once a second until ctx ends, and then says that this gateway
// has ended.
func (t *Tally) Run(ctx context.Context) {
	for {
		_ = t.Exchange(ctx) // Err tells
		select {
		case <-ctx.Done():
			t.leave()
			return
		case <-time.After(Every - Every/10 + mathrand.N(Every/5)): // so that they don't all come at once
		}
	}
}

// Exchange says what this gateway has counted and reads what the others have.
func (t *Tally) Exchange(ctx context.Context) error {
	t.turn.Lock()
	defer t.turn.Unlock()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now := t.Now()
	heads, err := t.publish(ctx, now, false)
	if err == nil {
		err = t.read(ctx, heads)
	}
	if err == nil {
		t.prune(ctx, now)
	}
	t.settle(now, err)
	return err
}

// leave says goodbye, so that the others need not wait to find out.
func (t *Tally) leave() {
	t.turn.Lock()
	defer t.turn.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, _ = t.publish(ctx, t.Now(), true)
}

// settle makes what was read what is known.
func (t *Tally) settle(now time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = err
	if err != nil {
		if t.failed.IsZero() {
			t.failed = time.Now()
		}
		return
	}
	t.failed, t.at = time.Time{}, time.Now()
	t.alive, t.silent = t.alive[:0], make(map[string]int64)
	for name, g := range t.in {
		switch {
		case g.head.alive(now):
			t.alive = append(t.alive, name)
		case !g.head.Left && g.head.At > 0:
			t.silent[name] = g.head.At
		}
		t.most = max(t.most, g.head.Most)
	}
	slices.Sort(t.alive)
	t.most = max(t.most, len(t.alive)+1)
	t.remember(now)
}

// Err returns why the last exchange failed, nil if it did not.
func (t *Tally) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Others returns the names of the other gateways that are there.
func (t *Tally) Others() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.alive...)
}

// Silent returns the other gateways that have ended without a word, or can't
// reach Redis and may serve all the same, and since when nothing is heard of
// them. One is forgotten when no test needs its counts any more.
func (t *Tally) Silent() map[string]time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[string]time.Time, len(t.silent))
	for name, at := range t.silent {
		out[name] = time.UnixMilli(at).UTC()
	}
	return out
}
