package gateway

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// A cashbook is an application that takes writes, and acknowledges what it is
// told to.
type cashbook struct {
	acknowledges atomic.Bool
	real         atomic.Int64 // writes that change something
	rehearsed    atomic.Int64 // marked ones, which do not
}

func (l *cashbook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/rehearsal" {
		if l.acknowledges.Load() {
			ack := upstream.Acknowledgement{Secret: []byte("0123456789abcdef"), Mode: r.Header.Get(upstream.ModeField)}
			w.Header().Set(upstream.AcknowledgeField, ack.Sign(r.Header.Get(upstream.NonceField)))
		}
		return
	}
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.Header.Get("Ficus-Shadow") != "":
		l.rehearsed.Add(1)
	case r.Method == http.MethodPost:
		l.real.Add(1)
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"took":%q}`, body)
}

func TestRehearsalsGoOnlyWhereTheyAreAcknowledged(t *testing.T) {
	const shared = "data: shared\n    writes: "
	for name, c := range map[string]struct {
		writes       string
		stage        migrations.Stage
		acknowledged bool
		key          string
		legacy       int64 // real writes that each side takes
		modern       int64
		rehearsed    int64 // by the other side
		reason       shadow.Reason
		sampled      bool
	}{
		"rehearsed":                 {shared + "rehearse", migrations.Shadow, true, "", 1, 0, 1, "", true},
		"rehearsed the other way":   {shared + "rehearse", migrations.Live, true, "", 0, 1, 1, "", true},
		"not acknowledged":          {shared + "rehearse", migrations.Shadow, false, "", 1, 0, 0, shadow.NoAck, true},
		"off":                       {shared + "rehearse", migrations.Off, true, "", 1, 0, 0, "", false},
		"undeclared data stays":     {"writes: rehearse", migrations.Live, true, "", 1, 0, 1, "", true},
		"dual":                      {shared + "dual", migrations.DualWrite, true, "k", 1, 1, 0, "", true},
		"dual at live":              {shared + "dual", migrations.Live, true, "k", 1, 1, 0, "", true},
		"dual without a key":        {shared + "dual", migrations.Shadow, true, "", 1, 0, 0, shadow.NoKey, true},
		"dual not acknowledged":     {shared + "dual", migrations.Shadow, false, "k", 1, 0, 0, shadow.NoAck, true},
		"dual when it is complete":  {shared + "dual", migrations.Complete, true, "k", 0, 1, 0, "", false},
		"follow sends nothing more": {shared + "follow", migrations.Live, true, "k", 0, 1, 0, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			var legacy, modern cashbook
			legacy.acknowledges.Store(c.acknowledged)
			modern.acknowledges.Store(c.acknowledged)
			a, b := httptest.NewServer(&legacy), httptest.NewServer(&modern)
			defer a.Close()
			defer b.Close()
			both := fmt.Sprintf("{url: %s, acknowledge: {path: /rehearsal, secret: 0123456789abcdef}}", a.URL)
			url, s := comparing(t, both, b.URL, c.stage, shadow.Options{}, c.writes)
			var header []string
			if c.key != "" {
				header = []string{"Idempotency-Key", c.key}
			}
			if status, body := request(t, "POST", url+"/api/orders/1", strings.NewReader("a bike"), header...); status != 200 || body != `{"took":"a bike"}` {
				t.Errorf("the user got %d %s", status, body)
			}
			counts := settled(t, s)
			if (counts.Sampled == 1) != c.sampled {
				t.Errorf("sampled %d", counts.Sampled)
			}
			if c.reason != "" && counts.Dropped[c.reason] != 1 {
				t.Errorf("dropped for %v, want %s", counts.Dropped, c.reason)
			}
			if c.reason == "" && c.sampled && counts.Outcomes[compare.Match] != 1 {
				t.Errorf("counts are %+v, want a match", counts)
			}
			if legacy.real.Load() != c.legacy || modern.real.Load() != c.modern {
				t.Errorf("the monolith took %d writes and the service %d, want %d and %d", legacy.real.Load(), modern.real.Load(), c.legacy, c.modern)
			}
			if got := legacy.rehearsed.Load() + modern.rehearsed.Load(); got != c.rehearsed {
				t.Errorf("%d rehearsals, want %d", got, c.rehearsed)
			}
		})
	}
}

// The service that has acknowledged is replaced by one that has not, without
// Ficus hearing of it: no write of a rehearsal reaches it.
func TestRehearsalsEndWithTheProcessThatAcknowledged(t *testing.T) {
	var legacy, modern cashbook
	modern.acknowledges.Store(true)
	a, b := httptest.NewServer(&legacy), httptest.NewServer(&modern)
	defer a.Close()
	url, s := comparing(t, a.URL, b.URL, migrations.Shadow, shadow.Options{}, "data: shared\n    writes: rehearse")
	request(t, "POST", url+"/api/orders/1", strings.NewReader("x"))
	if c := settled(t, s); c.Outcomes[compare.Match] != 1 {
		t.Fatalf("counts are %+v, want a match", c)
	}
	address := b.Listener.Addr().String()
	b.Close()
	var fresh cashbook
	replaced := httptest.NewUnstartedServer(&fresh)
	replaced.Listener.Close()
	replaced.Listener = listenAgain(t, address)
	replaced.Start()
	defer replaced.Close()
	for range 5 {
		request(t, "POST", url+"/api/orders/1", strings.NewReader("x"))
	}
	if c := settled(t, s); c.Dropped[shadow.NoAck] != 5 {
		t.Errorf("dropped for %v, want 5 times %s", c.Dropped, shadow.NoAck)
	}
	if n := fresh.real.Load() + fresh.rehearsed.Load(); n != 0 {
		t.Errorf("%d writes reached a service that has acknowledged nothing", n)
	}
}

// listenAgain listens where a server has just ended.
func listenAgain(t *testing.T, address string) net.Listener {
	t.Helper()
	for range 200 {
		if ln, err := net.Listen("tcp", address); err == nil {
			return ln
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s does not become free", address)
	return nil
}

// A monolith that locks a person's session while it answers: without
// repeatable it is asked once for each request of the user.
func TestProbesNeverLockASession(t *testing.T) {
	var locked sync.Map // by session
	var asked, together atomic.Int64
	legacy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		lock, _ := locked.LoadOrStore(r.Header.Get("Cookie"), new(sync.Mutex))
		if !lock.(*sync.Mutex).TryLock() {
			together.Add(1)
			lock.(*sync.Mutex).Lock()
		}
		defer lock.(*sync.Mutex).Unlock()
		time.Sleep(time.Millisecond)
		fmt.Fprint(w, "page")
	}))
	defer legacy.Close()
	modern := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "another page") }))
	defer modern.Close()
	url, s := comparing(t, legacy.URL, modern.URL, migrations.Shadow, shadow.Options{})
	for range 100 {
		request(t, "GET", url+"/locks/1", nil, "Cookie", "sid=1")
	}
	c := settled(t, s)
	if c.Sampled != 100 || c.Probes != 0 || asked.Load() != 100 || together.Load() != 0 {
		t.Errorf("sampled %d, %d probes; the monolith was asked %d times, %d of them while it held the session", c.Sampled, c.Probes, asked.Load(), together.Load())
	}
}
