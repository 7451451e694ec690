package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/filelog"
	"github.com/ficus-gateway/ficus/routes"
)

// A receiver takes what hooks are told, once it has refused as often as it is
// told to.
type receiver struct {
	url string

	mu      sync.Mutex // guards what follows
	refuse  int
	got     []message
	secret  []byte
	refused []message
}

type message struct {
	header http.Header
	body   []byte
}

func (m message) notice(t *testing.T) (n Notice) {
	t.Helper()
	if err := json.Unmarshal(m.body, &n); err != nil {
		t.Fatalf("%v: %s", err, m.body)
	}
	return n
}

func receive(t *testing.T) *receiver {
	r := new(receiver)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		text, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		m := message{req.Header.Clone(), text}
		if req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s with %q", req.Method, req.Header.Get("Content-Type"))
		}
		if r.secret != nil {
			if err := Verify(r.secret, req.Header.Get("Ficus-Signature"), text, time.Now()); err != nil {
				t.Error(err)
			}
		}
		if r.refuse > 0 {
			r.refuse--
			r.refused = append(r.refused, m)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		r.got = append(r.got, m)
	}))
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

func (r *receiver) messages() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]message(nil), r.got...)
}

// A bench is a log, and a teller of it that can be started again.
type bench struct {
	t     *testing.T
	dir   string
	log   *filelog.Log
	begin func(string) uint64
	said  bytes.Buffer
	stop  func()
	*Teller

	edits sync.Mutex // guards hooks
	hooks []*routes.Hook
}

func set(t *testing.T, hooks ...*routes.Hook) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), hooks: hooks, begin: func(string) uint64 { return 0 }}
	var err error
	if b.log, err = filelog.Open(filepath.Join(b.dir, "ficus.events"), filelog.Options{Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.log.Close() })
	for _, h := range hooks {
		h.Timeout, h.GiveUp = 5*time.Second, time.Hour
	}
	return b
}

// run starts a teller, as a process does.
func (b *bench) run() *bench {
	b.t.Helper()
	place, err := OpenFile(filepath.Join(b.dir, "ficus.told"), func(path string, text []byte) error { return os.WriteFile(path, text, 0o600) })
	if err != nil {
		b.t.Fatal(err)
	}
	b.Teller = New(Options{
		Hooks: func() []*routes.Hook { b.edits.Lock(); defer b.edits.Unlock(); return b.hooks }, Log: b.log, Place: place, Begin: b.begin,
		Logger: slog.New(slog.NewTextHandler(&b.said, nil)),
	})
	ctx, cancel := context.WithCancel(b.t.Context())
	var done sync.WaitGroup
	done.Go(func() { b.Run(ctx) })
	b.stop = func() { cancel(); done.Wait() }
	b.t.Cleanup(b.stop)
	return b
}

func (b *bench) append(events ...migrations.Event) {
	b.t.Helper()
	if _, err := b.log.Append(b.t.Context(), migrations.Unconditional, events...); err != nil {
		b.t.Fatal(err)
	}
}

func created(id string) migrations.Event {
	return migrations.Event{Migration: id, Kind: migrations.Created, From: "monolith", To: id, Actor: "ficus"}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func TestAHookHearsOfEveryEventInOrderAlthoughItFailsAtFirst(t *testing.T) {
	r := receive(t)
	r.refuse, r.secret = 2, []byte("0123456789abcdef")
	b := set(t, &routes.Hook{Name: "pager", URL: r.url, Secret: "0123456789abcdef"}).run()
	b.append(created("orders"))
	b.append(migrations.Event{Migration: "orders", Kind: migrations.Shifted, Split: migrations.All(migrations.Live), Actor: "ada", Reason: "first users"})
	b.append(migrations.Event{Migration: "orders", Kind: migrations.RolledBack, Split: migrations.All(migrations.Off), Actor: "ficus", Cause: migrations.CauseTest, Reason: "errors: 5 of 6", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736"})
	eventually(t, "three messages", func() bool { return len(r.messages()) == 3 })
	for i, want := range []string{"orders: new, from monolith to orders by ficus", "orders: shifted to live=100% by ada: first users", "orders: rolled back to off=100% by ficus (test): errors: 5 of 6"} {
		m := r.messages()[i]
		n := m.notice(t)
		if n.Text != want || n.Seq != uint64(i+1) || m.header.Get("Ficus-Event") != n.Event || m.header.Get("Ficus-Notice") != n.ID {
			t.Errorf("%s with %v, want %q", m.body, m.header, want)
		}
	}
	if first := r.refused[0].notice(t); first.ID != r.messages()[0].notice(t).ID || len(r.refused) != 2 {
		t.Errorf("refused %d, the first is %+v", len(r.refused), first)
	}
	b.Counts(func(hook string, counts Counts) {
		if hook != "pager" || counts != (Counts{3, 2, 0, 0}) {
			t.Errorf("%s: %v", hook, counts)
		}
	})
}

// What happened while nobody could be told, or nobody was there to tell, is
// told later; and what was told is not told again.
func TestWhatWasMissedIsToldAfterARestart(t *testing.T) {
	r := receive(t)
	b := set(t, &routes.Hook{Name: "pager", URL: r.url}).run()
	b.append(created("orders"))
	eventually(t, "the first message", func() bool { return len(r.messages()) == 1 })
	r.mu.Lock()
	r.refuse = 1 << 30
	r.mu.Unlock()
	b.append(created("carts"))
	eventually(t, "an attempt", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.refused) > 0 })
	b.stop()
	b.append(created("users"))
	r.mu.Lock()
	r.refuse = 0
	r.mu.Unlock()
	b.run()
	eventually(t, "the others", func() bool { return len(r.messages()) == 3 })
	for i, want := range []string{"orders", "carts", "users"} {
		if n := r.messages()[i].notice(t); n.Migration != want {
			t.Errorf("message %d is of %s, want %s", i, n.Migration, want)
		}
	}
}

func TestAHookHearsOfWhatItAskedFor(t *testing.T) {
	slack, all := receive(t), receive(t)
	b := set(t,
		&routes.Hook{Name: "slack", URL: slack.url, Format: routes.HookSlack, Events: []string{"rolledback", routes.Tripped}, Migrations: []string{"orders"}},
		&routes.Hook{Name: "all", URL: all.url}).run()
	b.append(created("orders"), created("carts"))
	for _, id := range []string{"carts", "orders"} {
		b.append(migrations.Event{Migration: id, Kind: migrations.RolledBack, Split: migrations.All(migrations.Off), Actor: "ada", Reason: "<b> & co"})
	}
	eventually(t, "the messages", func() bool { return len(slack.messages()) == 1 && len(all.messages()) == 4 })
	if got := string(slack.messages()[0].body); got != `{"text":"orders: rolled back to off=100% by ada: &lt;b&gt; &amp; co"}` {
		t.Error(got)
	}
	if slack.messages()[0].header.Get("Ficus-Signature") != "" {
		t.Error("signed without a secret")
	}
	b.Tell(Notice{Event: routes.Tripped, Migration: "orders", Text: "orders: tripped"})
	b.Tell(Notice{Event: routes.Behind, Migration: "orders", Text: "orders: the data lags behind"})
	eventually(t, "what is in no log", func() bool { return len(slack.messages()) == 2 && len(all.messages()) == 6 })
	if n := all.messages()[5].notice(t); n.Seq != 0 || n.ID == "" || n.Time.IsZero() {
		t.Errorf("%+v", n)
	}
}

func TestANewHookIsToldFromNowOnAndARemovedOneNoMore(t *testing.T) {
	first, second := receive(t), receive(t)
	b := set(t, &routes.Hook{Name: "first", URL: first.url})
	b.begin = func(string) uint64 { head, _ := b.log.Head(t.Context()); return head }
	b.append(created("before"))
	b.run()
	hears := func(r *receiver, prefix string) {
		n := 0
		eventually(t, prefix, func() bool { // the first ones may come before it is known
			b.append(created(fmt.Sprint(prefix, n)))
			time.Sleep(20 * time.Millisecond)
			n++
			return len(r.messages()) > 0
		})
	}
	hears(first, "early")
	b.edits.Lock()
	b.hooks = []*routes.Hook{{Name: "second", URL: second.url, Timeout: time.Second, GiveUp: time.Minute}}
	b.edits.Unlock()
	hears(second, "late")
	if n := first.messages()[0].notice(t); n.Migration == "before" {
		t.Errorf("the first was told what was before it: %+v", n)
	}
	if n := second.messages()[0].notice(t); !strings.HasPrefix(n.Migration, "late") {
		t.Errorf("the second was told what was before it: %+v", n)
	}
	told := len(first.messages())
	b.append(created("last"))
	eventually(t, "the last", func() bool {
		all := second.messages()
		return all[len(all)-1].notice(t).Migration == "last"
	})
	if n := len(first.messages()); n != told {
		t.Errorf("the first hears of events after it is gone")
	}
}

func TestAMessageIsGivenUpAndTheNextIsSent(t *testing.T) {
	r := receive(t)
	r.refuse = 2
	h := &routes.Hook{Name: "pager", URL: r.url + "/?token=hushhushhush", Secret: "hush456789abcdef"}
	b := set(t, h)
	h.GiveUp = 1200 * time.Millisecond // two attempts
	b.run()
	b.append(created("orders"))
	b.append(created("carts"))
	eventually(t, "the second message", func() bool { return len(r.messages()) == 1 })
	if n := r.messages()[0].notice(t); n.Migration != "carts" {
		t.Errorf("%+v", n)
	}
	b.stop()
	said := b.said.String()
	if !strings.Contains(said, "a hook was not told") || !strings.Contains(said, "hook=pager") || strings.Contains(said, "hush") {
		t.Errorf("the log says %s", said)
	}
}

// Nothing waits where there is no room.
func TestTellNeverWaits(t *testing.T) {
	hang := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer s.Close()
	defer close(hang)
	b := set(t, &routes.Hook{Name: "pager", URL: s.URL}).run()
	eventually(t, "the hook is known", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.desks["pager"] != nil })
	for i := range 2 * localQueue {
		b.Tell(Notice{Event: routes.Behind, Migration: "orders", Text: fmt.Sprint(i)})
	}
	b.Counts(func(_ string, counts Counts) {
		if counts[noRoom] < localQueue-1 {
			t.Errorf("%v", counts)
		}
	})
}

func TestTheSecretMayBeInAFileThatChanges(t *testing.T) {
	r := receive(t)
	file := filepath.Join(t.TempDir(), "secret")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.secret = []byte(strings.TrimSpace(text))
	}
	write("0123456789abcdef\n")
	b := set(t, &routes.Hook{Name: "pager", URL: r.url, SecretFile: file}).run()
	b.append(created("orders"))
	eventually(t, "a message", func() bool { return len(r.messages()) == 1 })
	write("fedcba9876543210")
	b.append(created("carts"))
	eventually(t, "another", func() bool { return len(r.messages()) == 2 })
	// Unsigned it does not go out.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := b.attempt(t.Context(), b.hooks[0], Notice{}, nil); err == nil || len(r.messages()) != 2 {
		t.Errorf("sent without a signature: %v", err)
	}
}
