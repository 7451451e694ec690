package evidence

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// voted counts so many keys of a network on a side.
func voted(c *Cell, m Metric, network Network, side Side, n int) {
	for i := range n {
		c.Vote(m, Vote{
			Key: KeyOf(fmt.Sprint(m, network, side, i)), Epoch: 1, Side: side, Network: network,
			At: noon.Add(time.Duration(network) * time.Second), Several: true,
		})
	}
}

var (
	errorsGuard = []Guard{{Metric: Errors, Endpoints: true}}
	budget14    = Budget{Alpha: 0.001, Test: 1, Metrics: 14}
)

// What clients of one network do never trips, however many keys they have.
func TestOneNetworkTripsNothing(t *testing.T) {
	for _, share := range []int{1000, 5000, 50_000, 95_000} {
		alone := NewCell(1, share)
		for i := range 5000 {
			alone.Count(Errors, Key(i), 1, Modern)
		}
		if r := alone.Judge("", errorsGuard, budget14, false)[0]; !r.Trips() {
			t.Errorf("at %d: where there is one network only it is the users: %v", share, r)
		}
		cell := NewCell(1, share)
		voted(cell, Errors, 7, Modern, 5000)
		if r := cell.Judge("", errorsGuard, budget14, true)[0]; r.Trips() {
			t.Errorf("at %d: %v", share, r)
		}
		voted(cell, Errors, 8, Modern, 1) // one user of another network more is no evidence either
		if r := cell.Judge("", errorsGuard, budget14, true)[0]; r.Trips() && share >= 5000 {
			t.Errorf("at %d: one user of another network makes it trip: %v", share, r)
		}
	}
}

// votesUntil returns how many failing keys of five networks it takes to trip, of
// which each falls on the service.
func votesUntil(cell *Cell) int {
	for n := 1; n <= 500; n++ {
		network := Network(100 + n%5)
		cell.Vote(Errors, Vote{Key: KeyOf(fmt.Sprint("user", n)), Epoch: 1, Side: Modern, Network: network, At: noon.Add(time.Hour + time.Duration(n)*time.Second), Several: true})
		if cell.Judge("", errorsGuard, budget14, true)[0].Trips() {
			return n
		}
	}
	return math.MaxInt
}

func TestOneNetworkMasksNothing(t *testing.T) {
	for _, share := range []int{5000, 25_000, 50_000} {
		for _, before := range []int{0, 8, 12} { // networks of which one user each has met an error of the monolith
			with := func(attack int) *Cell {
				cell := NewCell(1, share)
				for i := range before {
					voted(cell, Errors, Network(1000+i), Legacy, 1)
				}
				cell.Vote(Errors, Vote{Key: 1, Epoch: 1, Side: Legacy, Network: 2000, At: noon.Add(30 * time.Minute), Several: true})
				for i := range attack { // its clients make the monolith fail, before the outage
					cell.Vote(Errors, Vote{Key: Key(10 + i), Epoch: 1, Side: Legacy, Network: 2000, At: noon.Add(31 * time.Minute), Several: true})
				}
				return cell
			}
			plain, masked := votesUntil(with(0)), votesUntil(with(1000))
			if float64(masked) > 1.2*float64(plain)+1 {
				t.Errorf("at %d, after %d errors of others: an outage takes %d failing users to be seen, and %d after the attack", share, before, plain, masked)
			} else {
				t.Logf("at %d, after %d errors of others: %d failing users, %d after the attack", share, before, plain, masked)
			}
		}
	}
}

// Five networks see an outage with at most twice the votes of clients whose
// networks are not told apart.
func TestFiveNetworksSeeAnOutage(t *testing.T) {
	for _, share := range []int{1000, 5000, 25_000, 50_000} {
		alone := NewCell(1, share)
		n := 0
		for ; !alone.Judge("", errorsGuard, budget14, false)[0].Trips(); n++ {
			alone.Count(Errors, Key(n), 1, Modern)
		}
		if got := votesUntil(NewCell(1, share)); got > 2*n {
			t.Errorf("at %d: %d votes of five networks, %d of one", share, got, n)
		} else {
			t.Logf("at %d: %d votes of five networks, %d where networks are not told apart", share, got, n)
		}
	}
}

// One endpoint of ten that fails is seen though the others fail on both sides.
func TestAnEndpointThatFailsAmongMany(t *testing.T) {
	cell := NewCell(1, 5000)
	rng := rand.New(rand.NewPCG(1, 1))
	fails := func(endpoint string, key Key, side Side) {
		v := Vote{Key: key, Epoch: 1, Side: side}
		cell.Vote(Errors, v)
		cell.VoteAt(cell.At(endpoint), Errors, v)
	}
	for i := range 2000 { // an endpoint that has always failed, on either side alike
		side := Legacy
		if rng.Float64() < 0.05 {
			side = Modern
		}
		fails("GET /reports", Key(i), side)
	}
	if r := cell.Judge("", errorsGuard, budget14, false)[0]; r.Trips() {
		t.Fatal(r)
	}
	for i := range 8 {
		fails("POST /orders", Key(10_000+i), Modern)
	}
	r := cell.Judge("", errorsGuard, budget14, false)[0]
	if !r.Trips() || r.Leading().Of != "POST /orders" {
		t.Errorf("%v, led by %q", r, r.Leading().Of)
	}
}

func TestEndpointsAreBounded(t *testing.T) {
	cell := NewCell(1, 5000)
	for i := range 10 * MostEndpoints {
		cell.At(fmt.Sprint("GET /", i)).Requests[Legacy][0] += 3
	}
	if n := len(cell.Endpoints); n != MostEndpoints || cell.Endpoints[OtherEndpoint] == nil {
		t.Errorf("%d endpoints", n)
	}
	if n := NewCell(1, 5000); n.At("GET /scanned") != nil { // one that was asked once makes room
		n.Endpoints["GET /scanned"].Requests[Legacy][0] = 1
		for i := range MostEndpoints {
			n.At(fmt.Sprint("GET /", i)).Requests[Legacy][0] = 9
		}
		if n.Endpoints["GET /scanned"] != nil || n.Endpoints["GET /30"] == nil {
			t.Error("a scanner's path keeps an endpoint out")
		}
	}
	e := cell.At("GET /0")
	for i := range 10 * endpointVotes {
		cell.VoteAt(e, Errors, Vote{Key: Key(i), Epoch: 1, Side: Modern})
	}
	if n := e.Bad[Errors].Len(); n != endpointVotes {
		t.Errorf("%d keys at one endpoint", n)
	}
}

// Where a class is common, every key meets it; first answers still tell.
func TestAClassThatIsCommonIsSeenByFirstAnswers(t *testing.T) {
	cell := NewCell(1, 50_000)
	guard := []Guard{{Metric: Redirects, First: true, Endpoints: true}}
	for i := range 600 {
		side := Side(i % 2)
		v := Vote{Key: Key(i), Epoch: 1, Side: side}
		cell.Vote(Redirects, v) // sooner or later every key is redirected
		if i%20 < 4 || side == Modern {
			cell.VoteFirst(Redirects, v)
		}
	}
	if r := cell.Judge("", guard, budget14, false)[0]; !r.Trips() || r.Leading().Of != FirstAnswer {
		t.Errorf("%v by %q", r, r.Leading().Of)
	}
}

// With both sides equal and clients of many networks, a record trips at most
// with the chance that it may, parts and mixtures and all.
func TestPartsTripAtMostAlpha(t *testing.T) {
	const alpha, share = 0.05, 30_000
	n := runs(200, 4000)
	rng := rand.New(rand.NewPCG(5, 5))
	trips := 0
	for range n {
		cell, tripped := NewCell(1, share), false
		for key := range Key(150) {
			side := Legacy
			if rng.Float64() < float64(share)/Buckets {
				side = Modern
			}
			v := Vote{Key: key, Epoch: 1, Side: side, Network: Network(1 + rng.IntN(12)), At: noon.Add(time.Duration(key) * time.Second), Several: true}
			m := []Metric{Errors, Denied}[rng.IntN(2)]
			cell.Vote(m, v)
			if rng.IntN(2) == 0 {
				cell.VoteFirst(m, v)
			}
			cell.VoteAt(cell.At(fmt.Sprint("GET /", rng.IntN(4))), m, v)
			for _, r := range cell.Judge("", []Guard{{Metric: Errors, Endpoints: true}, {Metric: Denied, Endpoints: true, First: true}}, Budget{Alpha: alpha * math.Pi * math.Pi / 6, Test: 1}, true) {
				tripped = tripped || r.E >= r.Threshold // without asking that it stands: that only makes it rarer
			}
		}
		trips += count(tripped)
	}
	atMostAlpha(t, trips, n, alpha)
}

// A record says to the bit what it said when it was made, after it was written
// and read.
func TestPartsAreRecomputedToTheBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := NewCell(1, rapid.IntRange(1, 99_999).Draw(t, "share"))
		cell.Begin(2, rapid.IntRange(1, 99_999).Draw(t, "later share"))
		for i := range rapid.IntRange(0, 120).Draw(t, "votes") {
			v := Vote{
				Key: Key(i), Epoch: uint64(rapid.IntRange(1, 2).Draw(t, "epoch")), Side: Side(rapid.IntRange(0, 1).Draw(t, "side")),
				Network: Network(rapid.IntRange(0, 20).Draw(t, "network")), At: noon.Add(time.Duration(i) * time.Second), Several: true,
			}
			cell.Vote(Denied, v)
			if rapid.Bool().Draw(t, "first") {
				cell.VoteFirst(Denied, v)
			}
			cell.VoteAt(cell.At(rapid.SampledFrom([]string{"GET /a", "GET /b", "POST /c"}).Draw(t, "endpoint")), Denied, v)
		}
		several := rapid.Bool().Draw(t, "several")
		for _, r := range append(cell.Judge("", []Guard{{Metric: Denied, Endpoints: true, First: true}}, Budget{Alpha: 1, Test: 1}, several), cell.Reverse("", Denied, Budget{Alpha: 1, Test: 1}, several)) {
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var read Record
			if err := json.Unmarshal(text, &read); err != nil {
				t.Fatal(err)
			}
			if err := read.Check(); err != nil {
				t.Fatalf("%v: %v", r, err)
			}
			if r.Least > r.E {
				t.Fatalf("without one network E is %v, with all %v", r.Least, r.E)
			}
		}
	})
}

// First answers, good and bad: with both sides alike they trip at most with the
// chance that they may, at any share, and a service that is better never does.
func TestTrialsTripAtMostAlpha(t *testing.T) {
	const alpha = 0.05
	n := runs(150, 4000)
	for _, c := range []struct {
		share           int
		legacy, service float64 // share of users who are answered badly
	}{{5000, 0.1, 0.1}, {50_000, 0.3, 0.3}, {95_000, 0.02, 0.02}, {95_000, 0.5, 0.5}, {95_000, 0.5, 0.1}, {20_000, 0.5, 0.1}} {
		rng := rand.New(rand.NewPCG(6, uint64(c.share)))
		trips := 0
		for range n {
			cell, tripped := NewCell(1, c.share), false
			e := []*Endpoint{cell.At("GET /a"), cell.At("POST /b")}
			for key := range Key(300) {
				side, bad := Legacy, c.legacy
				if rng.Float64() < float64(c.share)/Buckets {
					side, bad = Modern, c.service
				}
				e[key%2].Answer(rng.Float64() >= bad, Vote{Key: key, Epoch: 1, Side: side, Network: Network(1 + rng.IntN(9)), At: noon.Add(time.Duration(key) * time.Second), Several: true})
				if key%5 == 0 {
					r := cell.Judge("", []Guard{{Metric: Harm, Basis: ByTrial}}, Budget{Alpha: alpha * math.Pi * math.Pi / 6, Test: 1}, true)[0]
					tripped = tripped || r.E >= r.Threshold
				}
			}
			trips += count(tripped)
		}
		atMostAlpha(t, trips, n, alpha)
	}
}
