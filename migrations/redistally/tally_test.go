package redistally

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A gateway counts, and exchanges what it has counted.
type gateway struct {
	*Tally
	name string

	mu  sync.Mutex // guards what follows
	own evidence.Counts
}

func newGateway(t testing.TB, s *server, name string) *gateway {
	t.Helper()
	g := &gateway{name: name}
	g.own.Cells = map[string]*evidence.Cell{"": evidence.NewCell(7, 50_000)}
	g.own.Plans = []string{"plan"}
	g.Tally = New(Options{
		Client: s.client(t), Key: key, Name: name, Logger: slog.New(slog.DiscardHandler),
		Own: func() map[string]evidence.Counts { return map[string]evidence.Counts{"orders": g.counts()} },
	})
	return g
}

func (g *gateway) counts() evidence.Counts {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.own.Clone()
}

// saw counts a request of a person, gone wrong or not.
func (g *gateway) saw(person string, side evidence.Side, bad bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	cell, k := g.own.Cells[""], evidence.KeyOf(person)
	cell.Saw(k, 7, side)
	cell.Epoch(7).Requests[side]++
	if bad {
		cell.Count(evidence.Errors, k, 7, side)
		cell.Streaks = evidence.Streaks{g.name: {Healed: 1, Since: 1, Last: 1}}
	}
}

func (g *gateway) exchange(t testing.TB) {
	t.Helper()
	if err := g.Exchange(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// all returns what a gateway knows of all.
func (g *gateway) all() evidence.Counts { return g.Counts("orders", g.counts()) }

func (g *gateway) requests() uint64 { return g.all().Cells[""].Requests().Sum() }

func (g *gateway) bad() int {
	keys := g.all().Cells[""].Bad[evidence.Errors]
	if keys == nil {
		return 0
	}
	return keys.Len()
}

func three(t testing.TB, s *server) [3]*gateway {
	return [3]*gateway{newGateway(t, s, "ada"), newGateway(t, s, "bob"), newGateway(t, s, "cai")}
}

func TestGatewaysDecideOnTheSum(t *testing.T) {
	s := newServer(t)
	gs := three(t, s)
	for n := range 300 {
		gs[n%3].saw(fmt.Sprint("person ", n), evidence.Side(n/3%2), n%10 == 0)
	}
	gs[0].saw("person 1", evidence.Legacy, true) // who was at another gateway before
	gs[1].saw("person 1", evidence.Legacy, true)
	for range 2 {
		for _, g := range gs {
			g.exchange(t)
		}
	}
	for _, g := range gs {
		all := g.all()
		if g.requests() != 302 || g.bad() != 31 || all.Gateways != 3 || all.Own || len(g.Others()) != 2 {
			t.Errorf("%s knows %d requests, %d people with an error, of %d gateways", g.name, g.requests(), g.bad(), all.Gateways)
		}
		if n := len(all.Cells[""].Streaks); n != 3 {
			t.Errorf("%s knows the streaks of %d gateways", g.name, n)
		}
		want := evidence.Merge(gs[0].counts(), gs[1].counts(), gs[2].counts())
		want.At, want.Gateways = all.At, all.Gateways
		if a, b := text(t, want), text(t, all); a != b {
			t.Errorf("%s knows\n%s\nand the sum is\n%s", g.name, b, a)
		}
	}
	// What is new comes with the next exchange, and only what is new.
	gs[0].saw("somebody", evidence.Modern, true)
	gs[0].exchange(t)
	gs[1].exchange(t)
	if gs[1].bad() != 32 {
		t.Errorf("%d people had an error", gs[1].bad())
	}
}

// TestLostAnswersCountNothingTwice: a write whose answer was lost is repeated,
// and may have come or not.
func TestLostAnswersCountNothingTwice(t *testing.T) {
	s := newServer(t)
	ada, bob := newGateway(t, s, "ada"), newGateway(t, s, "bob")
	wire := s.wire(t)
	bob.Client = wire.client(t)
	bad := 0
	for n := range 60 {
		wire.answers.Store(n%3 == 2)
		bob.saw(fmt.Sprint("person ", n), evidence.Modern, true)
		bad++
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := bob.Exchange(ctx)
		cancel()
		if answered := n%3 == 2; answered != (err == nil) {
			t.Fatalf("exchange %d: %v", n, err)
		}
		ada.exchange(t)
		if ada.bad() > bad || ada.requests() > uint64(bad) || n%3 == 2 && (ada.bad() != bad || ada.requests() != uint64(bad)) {
			t.Fatalf("after %d exchanges: %d requests and %d people, and there were %d", n+1, ada.requests(), ada.bad(), bad)
		}
	}
}

// TestWhatAGatewayCountedOutlivesIt until its test does.
func TestWhatAGatewayCountedOutlivesIt(t *testing.T) {
	s := newServer(t)
	gs := three(t, s)
	now := time.Now()
	for _, g := range gs {
		g.Now = func() time.Time { return now }
		g.saw(g.name, evidence.Modern, true)
		g.own.Enforced = []evidence.Enforcement{{Seq: 7, Gateway: g.name, At: now}}
	}
	for range 2 {
		for _, g := range gs {
			g.exchange(t)
		}
	}
	gs[1].leave()       // ended
	now = now.Add(Gone) // the third was killed
	gs[0].exchange(t)
	all := gs[0].all()
	if gs[0].bad() != 3 || len(all.Cells[""].Streaks) != 1 || len(gs[0].Others()) != 0 || all.Gateways != 3 {
		t.Errorf("%d people had an error; streaks of %v; others: %v; %d gateways", gs[0].bad(), all.Cells[""].Streaks, gs[0].Others(), all.Gateways)
	}
	if silent := gs[0].Silent(); len(silent) != 1 || silent[gs[2].name].IsZero() {
		t.Errorf("silent are %v, and %s alone was killed", silent, gs[2].name)
	}
	if len(all.Enforced) != 3 {
		t.Errorf("rollbacks are in force: %+v", all.Enforced)
	}
	gs[0].mu.Lock()
	gs[0].own.Cells[""] = gs[0].own.Cells[""].Next(9, 50_000, 0, 0, false)
	gs[0].mu.Unlock()
	gs[0].exchange(t)
	gs[0].exchange(t)
	if gs[0].bad() != 0 {
		t.Error("the errors of another test count")
	}
	c := s.client(t)
	if left, err := c.Keys(t.Context(), key("tally:*")).Result(); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestRestartsCountOnce: a process that goes on with the counts of the one
// before it has its name, and takes its place.
func TestRestartsCountOnce(t *testing.T) {
	s := newServer(t)
	ada, bob := newGateway(t, s, "ada"), newGateway(t, s, "bob")
	for n := range 5 {
		bob.saw(fmt.Sprint("person ", n), evidence.Modern, true)
	}
	bob.exchange(t)
	ada.exchange(t)
	again := newGateway(t, s, "bob")
	for n := range 4 { // the last was not kept
		again.saw(fmt.Sprint("person ", n), evidence.Modern, true)
	}
	again.exchange(t)
	ada.exchange(t)
	if ada.bad() != 4 || ada.requests() != 4 {
		t.Errorf("%d people, %d requests", ada.bad(), ada.requests())
	}
}

func TestGatewaysAloneSaySo(t *testing.T) {
	s := newServer(t)
	gs := three(t, s)
	for _, g := range gs {
		g.saw(g.name, evidence.Modern, true)
		g.exchange(t)
	}
	gs[0].exchange(t)
	s.kill()
	if err := gs[0].Exchange(t.Context()); err == nil || gs[0].Err() == nil {
		t.Fatal("nothing is wrong")
	}
	if all := gs[0].all(); all.Own || gs[0].bad() != 3 {
		t.Error("what is a moment old is not believed")
	}
	gs[0].Tally.mu.Lock()
	gs[0].at = gs[0].at.Add(-evidence.Stale)
	gs[0].Tally.mu.Unlock()
	if all := gs[0].all(); !all.Own || all.Gateways != 3 || gs[0].bad() != 1 {
		t.Errorf("own: %v, of %d gateways, %d people", all.Own, all.Gateways, gs[0].bad())
	}
	// Redis is there again, and has lost everything.
	s.start(t)
	for range 3 {
		for _, g := range gs {
			g.exchange(t)
		}
	}
	for _, g := range gs {
		if all := g.all(); all.Own || g.bad() != 3 {
			t.Errorf("%s: own: %v, %d people", g.name, all.Own, g.bad())
		}
	}
}

// TestGatewaysOfOtherVersionsAreLeftOut, aloud, and members that a newer one
// writes are no trouble.
func TestGatewaysOfOtherVersionsAreLeftOut(t *testing.T) {
	s := newServer(t)
	ada, bob, cai := newGateway(t, s, "ada"), newGateway(t, s, "bob"), newGateway(t, s, "cai")
	var said strings.Builder
	ada.Logger = slog.New(slog.NewTextHandler(&said, nil))
	for _, g := range []*gateway{bob, cai} {
		g.saw(g.name, evidence.Modern, true)
		g.exchange(t)
	}
	c := s.client(t)
	older := strings.Replace(c.HGet(t.Context(), key("tallies"), "bob").Val(), `"format":2`, `"format":1`, 1)
	c.HSet(t.Context(), key("tallies"), "bob", older)
	also := strings.Replace(c.HGet(t.Context(), key("tally:cai"), "orders").Val(), `{`, `{"mood":"good",`, 1)
	c.HSet(t.Context(), key("tally:cai"), "orders", also)
	for range 3 {
		ada.exchange(t)
	}
	if ada.bad() != 1 || strings.Count(said.String(), "cannot be read") != 1 || !strings.Contains(said.String(), "gateway=bob") {
		t.Errorf("%d people; said: %s", ada.bad(), said.String())
	}
}

// TestTalliesCostRedisLittle: at 50,000 requests a second Redis has fewer than
// 100 commands a second of each gateway.
func TestTalliesCostRedisLittle(t *testing.T) {
	s := newServer(t)
	gs := three(t, s)
	const seconds = 5
	before := s.commands(t)
	began := time.Now()
	for n := range seconds {
		for i, g := range gs {
			for r := range 50_000 / 3 {
				g.saw(fmt.Sprint(n*i*r%200_000), evidence.Side(r%2), r%1000 == 0)
			}
			g.exchange(t)
		}
	}
	took := time.Since(began)
	after := s.commands(t)
	sum := 0
	for name, n := range after {
		if after[name] -= before[name]; name != "info" && name != "hello" && name != "client|setinfo" && name != "client|setname" {
			sum += n - before[name]
		}
	}
	maps.DeleteFunc(after, func(_ string, n int) bool { return n == 0 })
	each := float64(sum) / seconds / 3
	t.Logf("%.1f commands a second of each gateway: %v; %d exchanges took %v", each, after, 3*seconds, took)
	if each >= 100 {
		t.Errorf("%.1f commands a second of each gateway", each)
	}
	if diff := cmp.Diff(gs[2].requests(), uint64(3*seconds*(50_000/3))); diff != "" {
		t.Error(diff)
	}
}

// FuzzParts holds what comes of Redis to this: whatever it is, it is read or
// refused.
func FuzzParts(f *testing.F) {
	c := evidence.Counts{Cells: map[string]*evidence.Cell{"": evidence.NewCell(7, 50_000), "eu": evidence.NewCell(8, 100)}}
	c.Cells[""].Count(evidence.Errors, 12, 7, evidence.Modern)
	c.Cells["eu"].Saw(13, 8, evidence.Legacy)
	c.Week.Add(time.Unix(1_772_366_400, 0), 14)
	for _, p := range split("orders", c) {
		text, err := p.text()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p.name, text)
	}
	f.Add("orders", []byte(`{"cells":{"":null}}`))
	f.Add("orders"+apart+apart+"errors", []byte(`{"test":7}`))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		var p parcel
		_ = p.take("orders", []byte(`{"cells":{"":{"test":7,"epochs":[{"epoch":7,"share":50000}]}}}`))
		if err := p.take(name, text); err != nil {
			return
		}
		joined := p.join("orders")
		_ = evidence.Merge(joined, leftBehind(joined))
		p.drop(name)
	})
}
