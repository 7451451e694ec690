package notify

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// Options say what a [Teller] is made of.
type Options struct {
	Hooks  func() []*routes.Hook    // of the config in force; required
	Log    migrations.Log           // required
	Begin  func(hook string) uint64 // event after which a hook begins that was never told; required
	Place  Place                    // required
	Agent  string                   // User-Agent; empty: "ficus"
	Logger *slog.Logger             // nil: slog.Default()
	Client *http.Client             // nil: one of its own, by the proxy that the environment names
}

// A Teller tells hooks what happens. Its methods may be called from anywhere,
// Run once.
type Teller struct {
	Options
	client *http.Client
	agent  string
	logger *slog.Logger
	now    func() time.Time

	mu     sync.Mutex // guards what follows
	desks  map[string]*desk
	counts map[string]*Counts // by hook
}

// A desk is where one hook is told.
type desk struct {
	hook  *routes.Hook
	local chan Notice // what is in no log; closed by nobody
	stop  context.CancelFunc
	done  chan struct{}
}

// What may become of an attempt to tell a hook.
type result int

const (
	delivered result = iota
	failed           // and is tried again
	givenUp
	noRoom // the queue of what is in no log was full
	results
)

// Counts are how often what has become of the attempts to tell a hook, by the
// index of [Results].
type Counts [results]uint64

// Results names what may become of an attempt, for metrics.
var Results = [results]string{"delivered", "failed", "given_up", "no_room"}

const (
	localQueue = 256             // notices for a hook that are in no log
	lookAgain  = time.Second     // after which a change of the config is seen
	holdAgain  = 5 * time.Second // after which a place is held again
)

// New returns a teller.
func New(o Options) *Teller {
	t := &Teller{Options: o, client: o.Client, agent: o.Agent, logger: o.Logger, now: time.Now, desks: make(map[string]*desk), counts: make(map[string]*Counts)}
	if t.client == nil {
		t.client = &http.Client{
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // what is signed goes nowhere else
		}
	}
	if t.agent == "" {
		t.agent = "ficus"
	}
	if t.logger == nil {
		t.logger = slog.Default()
	}
	return t
}

// Tell tells the hooks of something that is in no log. It does not wait; where
// the queue is full, the notice is dropped and counted.
func (t *Teller) Tell(n Notice) {
	n.complete(t.now())
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, d := range t.desks {
		if !d.hook.Wants(n.Event, n.Migration) {
			continue
		}
		select {
		case d.local <- n:
		default:
			t.counted(name)[noRoom]++
		}
	}
}

// Counts calls emit with the counts of each hook.
func (t *Teller) Counts(emit func(hook string, counts Counts)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, counts := range t.counts {
		emit(name, *counts)
	}
}

func (t *Teller) count(hook string, r result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counted(hook)[r]++
}

// counted needs t.mu.
func (t *Teller) counted(hook string) *Counts {
	if t.counts[hook] == nil {
		t.counts[hook] = new(Counts)
	}
	return t.counts[hook]
}

// Run tells the hooks of the config in force until ctx ends.
func (t *Teller) Run(ctx context.Context) {
	defer func() {
		t.settle(ctx, nil)
		t.client.CloseIdleConnections()
	}()
	for {
		t.settle(ctx, t.Hooks())
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAgain):
		}
	}
}

// settle makes the desks those of the hooks.
func (t *Teller) settle(ctx context.Context, hooks []*routes.Hook) {
	wanted := make(map[string]*routes.Hook, len(hooks))
	for _, h := range hooks {
		wanted[h.Name] = h
	}
	var ended []*desk
	t.mu.Lock()
	for name, d := range t.desks {
		if h := wanted[name]; h == nil || !reflect.DeepEqual(*h, *d.hook) {
			d.stop()
			ended = append(ended, d)
			delete(t.desks, name)
			if h == nil {
				delete(t.counts, name)
			}
		}
	}
	t.mu.Unlock()
	for _, d := range ended {
		<-d.done
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, h := range wanted {
		if t.desks[name] == nil {
			d := &desk{hook: h, local: make(chan Notice, localQueue), done: make(chan struct{})}
			ctx, stop := context.WithCancel(ctx)
			d.stop = stop
			t.desks[name] = d
			t.counted(name)
			go t.attend(ctx, d)
		}
	}
}

// attend tells one hook until ctx ends.
func (t *Teller) attend(ctx context.Context, d *desk) {
	defer close(d.done)
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case n := <-d.local:
				_ = t.deliver(ctx, d.hook, n) // ends with ctx
			}
		}
	})
	for ctx.Err() == nil {
		err := t.follow(ctx, d.hook)
		if err != nil && ctx.Err() == nil && !errors.Is(err, migrations.ErrClosed) {
			t.logger.Warn("a hook cannot be told of events now", "hook", d.hook.Name, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(holdAgain):
		}
	}
}

// follow tells a hook of the events from where it was told, as long as the
// place is held.
func (t *Teller) follow(ctx context.Context, h *routes.Hook) error {
	head, err := t.Log.Head(ctx)
	if err != nil {
		return err
	}
	begin := t.Begin(h.Name)
	told, held, err := t.Place.Hold(ctx, h.Name, begin)
	if err != nil || !held {
		return err
	}
	ctx, lost := context.WithCancel(ctx)
	var renewing sync.WaitGroup
	defer func() {
		lost()
		renewing.Wait()
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = t.Place.Release(release, h.Name) // else it runs out
	}()
	renewing.Go(func() {
		defer lost()
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(holdAgain):
			}
			if _, held, err := t.Place.Hold(ctx, h.Name, begin); err != nil || !held {
				return
			}
		}
	})
	if told > head { // the log is another one
		told = head
	}
	for e, err := range t.Log.Follow(ctx, told) {
		if err != nil {
			return err
		}
		if h.Wants(string(e.Kind), e.Migration) {
			if err := t.deliver(ctx, h, OfEvent(e)); err != nil {
				return err
			}
		}
		if err := t.Place.Told(ctx, h.Name, e.Seq); err != nil {
			return err
		}
	}
	return nil
}
