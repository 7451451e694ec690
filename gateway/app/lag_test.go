package app

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

func TestDataThatLagsBehindHoldsTheRampAndSaysSo(t *testing.T) {
	var answer atomic.Value
	answer.Store("0.05\n")
	probe := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer.Load() == "" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, answer.Load().(string))
	}))
	r := start(t, strings.NewReplacer("$PROBE", probe, "$MONOLITH", named(t, "monolith")).Replace(anywhere+`
upstreams: {monolith: $MONOLITH, orders: $MONOLITH}
migrations:
  orders:
    from: monolith
    to: orders
    key: "header:X-User"
    data: {synced: {lag: $PROBE/lag, max_lag: 400ms}}
    ramp: [{stage: live, share: 5%}, {stage: complete}]
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`))
	held := func() bool {
		m, err := r.client.Migration(t.Context(), "orders")
		if err != nil {
			t.Fatal(err)
		}
		return m.Ramp == migrations.RampHeld && m.Cells[0].Cause == migrations.CauseLag && m.Lag.Trouble != ""
	}
	m, err := r.client.Migration(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.Resume(t.Context(), "orders", "go", m.Seq); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the ramp begins when the lag is known", func() bool { return r.follower.State().Migrations["orders"].Step == 1 })
	answer.Store("0.9")
	eventually(t, "the ramp is held when the lag is too much", held)
	if m, _ := r.client.Migration(t.Context(), "orders"); !strings.Contains(m.Lag.Trouble, "900ms, more than 400ms") {
		t.Errorf("%+v", m.Lag)
	}
	answer.Store("")
	eventually(t, "a probe that fails is said to be so", func() bool {
		m, err := r.client.Migration(t.Context(), "orders")
		return err == nil && !m.Lag.Known && strings.Contains(m.Lag.Trouble, "not known")
	})
	answer.Store("0")
	eventually(t, "the lag is known again", func() bool {
		m, err := r.client.Migration(t.Context(), "orders")
		return err == nil && m.Lag.Known && m.Lag.Trouble == ""
	})
	for _, want := range []string{"data lags behind", "data has caught up"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
}

// A probe that hangs is given up, one after the other, and what was measured
// long ago is not known any more.
func TestALagProbeThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := &migrations.Plan{ID: "orders", Data: migrations.DataSynced, Synced: &migrations.Synced{Lag: "http://lag/", MaxLag: 10 * time.Second}}
		var asked, together atomic.Int32
		var hang atomic.Bool
		var behind atomic.Bool
		var told atomic.Int32
		l := newLags(func() map[string]*migrations.Plan { return map[string]*migrations.Plan{"orders": plan} },
			func(_ string, is bool) { behind.Store(is); told.Add(1) }, slog.New(slog.DiscardHandler))
		l.client.Transport = answering(func(r *http.Request) (string, error) {
			asked.Add(1)
			if together.Add(1) > 1 {
				t.Error("two probes at once")
			}
			defer together.Add(-1)
			if !hang.Load() {
				return "1.5", nil
			}
			<-r.Context().Done()
			return "", r.Context().Err()
		})
		go l.run(t.Context())
		time.Sleep(16 * time.Second)
		synctest.Wait()
		if got := l.of("orders"); !got.Known || got.Behind != 1500*time.Millisecond || asked.Load() != 4 || told.Load() != 4 || behind.Load() {
			t.Fatalf("%+v after %d probes, told %d times", got, asked.Load(), told.Load())
		}
		hang.Store(true)
		time.Sleep(8 * time.Second)
		if got := l.of("orders"); !got.Known {
			t.Error("one probe went wrong, and the lag is not known any more")
		}
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if got := l.of("orders"); got.Known {
			t.Error("what was measured long ago still counts")
		}
		if n := asked.Load(); n < 6 || n > 9 || !behind.Load() {
			t.Errorf("%d probes, behind %v", n, behind.Load())
		}
		// Another probe knows nothing of what this one has found.
		hang.Store(false)
		time.Sleep(20 * time.Second)
		if got := l.of("orders"); !got.Known {
			t.Error("the probe answers, and the lag is not known")
		}
	})
}

// answering is a transport that answers by itself.
type answering func(r *http.Request) (string, error)

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := a(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

func TestWhatALagProbeMayAnswer(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0.25\n": 250 * time.Millisecond, " 12 ": 12 * time.Second, "-0.3": 0, "1e-3": time.Millisecond,
	} {
		if got, err := parseLag(text); err != nil || got != want {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "NaN", "Inf", "-Inf", "1e300", "12s", "<html>", "1 2", strings.Repeat("9", 64)} {
		if got, err := parseLag(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		} else if !strings.Contains(err.Error(), "as plain text: 0.25") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzLag(f *testing.F) {
	for _, text := range []string{"0", "0.25\n", "-1", "NaN", "1e9", "0x1p4", "١"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parseLag(text); err == nil && (got < 0 || got > 1<<31*time.Second) {
			t.Errorf("%q is read as %s", text, got)
		}
	})
}
