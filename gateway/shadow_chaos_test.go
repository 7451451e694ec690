package gateway

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// Law 8 while everything goes wrong at once: candidates and controls that
// misbehave in every way, users who leave, reloads that put another candidate
// in its place, shifts of all stages, and at last the end of the shadow in the
// midst of it. What was sampled has become something, all of it, and every
// byte is given back.
func TestWhatIsCountedAddsUpWhateverHappens(t *testing.T) {
	for seed := range uint64(numbers(40, 4)) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			chaos(t, seed)
		})
	}
}

func chaos(t *testing.T, seed uint64) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := func(h http.HandlerFunc) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // or the server never sees that the other end has gone
			h(w, r)
		}))
		t.Cleanup(s.Close)
		t.Cleanup(s.CloseClientConnections)
		return s.URL
	}
	moody := func(number uint64) http.HandlerFunc {
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(seed, number))
		names := slices.Sorted(maps.Keys(wild))
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			mood := random.IntN(4 * len(names))
			mu.Unlock()
			if mood < len(names) {
				wild[names[mood]](w, r)
				return
			}
			order("")(w, r)
		}
	}
	legacy := server(moody(1))
	configs := []string{comparingConfig(legacy, server(moody(2)), "compare: {timeout: 30ms}", "writes: rehearse")}
	for _, name := range slices.Sorted(maps.Keys(wild)) {
		configs = append(configs, comparingConfig(legacy, server(wild[name]), "compare: {timeout: 30ms}", "writes: rehearse"))
	}
	g, s := comparingGateway(t, configs[0], migrations.Shadow, shadow.Options{Budget: 1 << 20, PerUpstream: 4, Waiting: 8})
	url := "http://" + listen(t, g, routes.Listener{})

	var users sync.WaitGroup
	for user := range uint64(16) {
		users.Go(func() {
			random := rand.New(rand.NewPCG(seed, 100+user))
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				patience := 20 * time.Millisecond
				if random.IntN(4) == 0 { // a user who leaves
					patience = time.Duration(random.IntN(2000)) * time.Microsecond
				}
				each, leave := context.WithTimeout(ctx, patience)
				method, body := http.MethodGet, io.Reader(nil)
				if random.IntN(4) == 0 {
					method, body = http.MethodPost, strings.NewReader(strings.Repeat("x", random.IntN(40<<10)))
				}
				r, _ := http.NewRequestWithContext(each, method, url+"/api/orders/7", body)
				r.Header.Set("X-User", fmt.Sprint(user))
				if res, err := client.Do(r); err == nil {
					_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
					res.Body.Close()
				}
				leave()
			}
		})
	}
	random := rand.New(rand.NewPCG(seed, 3))
	stages := []migrations.Stage{migrations.Off, migrations.Shadow, migrations.Shadow, migrations.Live}
	for seq := uint64(2); seq < 60; seq++ {
		if err := g.Install(tableOf(t, configs[random.IntN(len(configs))])); err != nil {
			t.Error(err)
		}
		g.Apply(migrations.State{Seq: seq, Migrations: map[string]migrations.Migration{
			"orders": {ID: "orders", From: "monolith", To: "orders", Seq: seq, Split: migrations.All(stages[random.IntN(len(stages))])},
		}})
		time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
	}
	s.Close() // while users go on
	time.Sleep(20 * time.Millisecond)
	cancel()
	users.Wait()
	c := settled(t, s)
	if c.Sampled == 0 || len(c.Dropped) < 3 {
		t.Errorf("too little has happened: %+v", c)
	}
	if used := s.Budget().Used(); used != 0 {
		t.Errorf("%d bytes are not given back", used)
	}
	t.Logf("%+v", c)
}
