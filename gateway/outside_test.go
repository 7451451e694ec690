package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"pgregory.net/rapid"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/flags/outside"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// How an unreliable provider may behave.
var moods = []string{"well", "well", "well", "fails", "forgets", "panics", "babbles", "slow", "hangs"}

// An unreliable is a flag provider that somebody else wrote.
type unreliable struct {
	openfeature.NoopProvider
	mu    sync.Mutex
	mood  string
	truth map[string]migrations.Stage // by key
	said  map[string]migrations.Stage // that it has given as a good answer, last
	asked int
}

func (u *unreliable) StringEvaluation(ctx context.Context, _ string, _ string, told openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	key, _ := told[openfeature.TargetingKey].(string)
	u.mu.Lock()
	mood, stage := u.mood, u.truth[key]
	u.asked++
	u.mu.Unlock()
	failed := func(err openfeature.ResolutionError) openfeature.StringResolutionDetail {
		return openfeature.StringResolutionDetail{Value: "live", ProviderResolutionDetail: openfeature.ProviderResolutionDetail{ResolutionError: err}}
	}
	switch mood {
	case "fails":
		return failed(openfeature.NewGeneralResolutionError("oh"))
	case "forgets":
		return failed(openfeature.NewFlagNotFoundResolutionError("what flag?"))
	case "panics":
		panic("oh")
	case "babbles":
		return openfeature.StringResolutionDetail{Value: "live and kicking"}
	case "hangs":
		<-ctx.Done()
		return failed(openfeature.NewGeneralResolutionError(ctx.Err().Error()))
	case "slow":
		time.Sleep(12 * time.Millisecond)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.said[key] = stage
	return openfeature.StringResolutionDetail{Value: string(stage), ProviderResolutionDetail: openfeature.ProviderResolutionDetail{Reason: openfeature.TargetingMatchReason}}
}

// Law 4, with a provider that is down, slow, flaps, forgets, panics or answers
// nonsense: no answer of the gateway is an error of its making, nobody is moved
// forward by anything but a good answer of the provider, what it said last
// counts meanwhile, a rollback stands, and complete stays complete.
func TestNothingThatAProviderDoesMovesAnybodyForward(t *testing.T) {
	answer := func(name string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, name) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	table := tableOf(t, fmt.Sprintf(`
upstreams: {monolith: %s, orders: %s}
migrations: {orders: {from: monolith, to: orders, key: "header:X-User"}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`, answer("legacy"), answer("modern")))
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	before := runtime.NumGoroutine()
	rapid.Check(t, func(t *rapid.T) { moody(t, table, client) })
	client.CloseIdleConnections()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before+2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left, and there were %d", runtime.NumGoroutine(), before)
		}
	}
}

func moody(t *rapid.T, table *routes.Table, client *http.Client) {
	inner := &unreliable{mood: "well", truth: map[string]migrations.Stage{}, said: map[string]migrations.Stage{}}
	keys := []string{"alice", "bob"}
	for _, key := range keys {
		inner.truth[key] = migrations.Off
	}
	wrap := outside.New(inner, outside.Options{
		Timeout: 8 * time.Millisecond, Patience: 20 * time.Millisecond, AtOnce: 4,
		Fresh: rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond}).Draw(t, "fresh"),
		Valid: func(_, v string) bool { return migrations.Stage(v).Valid() },
	})
	assigner, err := flags.New(flags.Options{Provider: wrap})
	if err != nil {
		t.Fatal(err)
	}
	defer assigner.Close()
	var s migrations.State
	g, err := New(Options{Table: table, State: s, Assigner: assigner, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		g.Close(ctx)
	}()
	server := httptest.NewServer(g)
	defer server.Close()
	defer client.CloseIdleConnections()
	for !wrap.Status().Ready {
		time.Sleep(time.Millisecond)
	}

	apply := func(e migrations.Event, err error) {
		if err != nil {
			return
		}
		if _, s, err = migrations.Admit(s, migrations.Unconditional, time.Now(), e); err != nil {
			t.Fatal(err)
		}
		g.Apply(s)
	}
	plan := *table.Plans["orders"]
	apply(migrations.Event{Migration: "orders", Kind: migrations.Created, From: "monolith", To: "orders"}, nil)
	record := func(split migrations.Split) {
		if e, news := migrations.Record(s, plan, migrations.Ruling{Source: "somebody", Split: split}); news {
			apply(e, nil)
		}
	}
	record(nil)
	settle := func() { // late answers have come
		for wrap.Status().Waiting > 0 {
			time.Sleep(time.Millisecond)
		}
	}
	ask := func(t *rapid.T, key string) {
		inner.mu.Lock()
		mood, truth, asked := inner.mood, inner.truth[key], inner.asked
		said, known := inner.said[key]
		inner.mu.Unlock()
		alone := wrap.Status().LeftAlone
		q, err := http.NewRequest("GET", server.URL+"/orders/7", nil)
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			q.Header.Set("X-User", key)
		}
		res, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s %s, %v: an error of our own making", res.Status, text, err)
		}
		settle()
		modern := func(stage migrations.Stage) bool { return stage.Rank() >= migrations.Live.Rank() }
		m := s.Migrations["orders"]
		inner.mu.Lock()
		reached := inner.asked > asked
		inner.mu.Unlock()
		want := "legacy"
		switch {
		case m.Completed():
			want = "modern"
		case m.RolledBack || key == "":
		case known && modern(said):
			want = "modern"
		}
		also := want // where the provider may or may not have been in time
		if !m.Completed() && !m.RolledBack && key != "" && reached && (mood == "well" || mood == "slow") {
			also = map[bool]string{true: "modern", false: "legacy"}[modern(truth)]
			if mood == "well" && wrap.Status().Slow == 0 && !alone && !known {
				want = also
			}
		}
		if string(text) != want && string(text) != also {
			t.Fatalf("%q is answered by %s, want %s: the provider %s, has said %q and would say %q; %+v", key, text, want, mood, said, truth, m)
		}
	}
	t.Repeat(map[string]func(*rapid.T){
		"":     func(t *rapid.T) {},
		"ask":  func(t *rapid.T) { ask(t, rapid.SampledFrom(append(keys, "")).Draw(t, "key")) },
		"ask2": func(t *rapid.T) { ask(t, rapid.SampledFrom(keys).Draw(t, "key")) },
		"many at once": func(t *rapid.T) {
			var wait sync.WaitGroup
			for i := range 12 {
				wait.Go(func() {
					q, _ := http.NewRequest("GET", server.URL+"/orders/7", nil)
					q.Header.Set("X-User", fmt.Sprint("one of many ", i))
					if res, err := client.Do(q); err != nil || res.StatusCode != http.StatusOK {
						t.Errorf("%v, %v", res, err)
					} else {
						res.Body.Close()
					}
				})
			}
			wait.Wait()
			settle()
		},
		"mood": func(t *rapid.T) {
			inner.mu.Lock()
			defer inner.mu.Unlock()
			inner.mood = rapid.SampledFrom(moods).Draw(t, "mood")
		},
		"flag": func(t *rapid.T) {
			inner.mu.Lock()
			defer inner.mu.Unlock()
			inner.truth[rapid.SampledFrom(keys).Draw(t, "key")] = rapid.SampledFrom(append([]migrations.Stage{migrations.Live, migrations.Live}, migrations.Stages...)).Draw(t, "stage")
		},
		"rollback": func(t *rapid.T) {
			if rapid.IntRange(0, 2).Draw(t, "really") > 0 {
				return
			}
			e, err := migrations.Rollback(s, migrations.Command{Migration: "orders"}, plan, false)
			apply(e, err)
		},
		"resume": func(t *rapid.T) {
			e, err := migrations.Resume(s, migrations.Command{Migration: "orders"}, plan)
			apply(e, err)
			record(nil)
		},
		"complete": func(t *rapid.T) {
			if rapid.IntRange(0, 4).Draw(t, "really") == 0 {
				record(migrations.All(migrations.Complete))
			}
		},
	})
}
