package evidence

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var usual = Outlook{
	Traffic: Traffic{Hourly: 4000, PerKey: 5, Bad: 0.002},
	Share:   5000,
	Budget:  Budget{Alpha: 0.001, Test: 3, Metrics: 4},
}

// seen simulates a step and returns whether its guard trips.
func seen(rng *rand.Rand, o Outlook, rate float64, hold time.Duration) bool {
	w := float64(o.Share) / Buckets
	s := []Sample{{W: w}}
	for range int(o.keys(hold)) {
		modern, p := rng.Float64() < w, o.Traffic.Bad
		if modern {
			p = rate
		}
		for range int(o.Traffic.PerKey) {
			if rng.Float64() < p {
				if modern {
					s[0].Service++
				} else {
					s[0].Legacy++
				}
				if modern && E(s, Worse(), o.Margin) >= o.Budget.Threshold() {
					return true
				}
				break
			}
		}
	}
	return false
}

func TestWhatTheGuardSaysItSeesItSees(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	n := runs(60, 1000)
	for _, share := range []int{5000, 25_000, 50_000} {
		o := usual
		o.Share = share
		hold := time.Hour
		rate, ok := o.Smallest(hold)
		if !ok || rate <= o.Traffic.Bad {
			t.Fatalf("at %d buckets the smallest worsening is %v, %v", share, rate, ok)
		}
		found, half := 0, 0
		for range n {
			found += count(seen(rng, o, rate, hold))
			half += count(seen(rng, o, o.Traffic.Bad+(rate-o.Traffic.Bad)/2, hold))
		}
		t.Logf("%d buckets: %.4f is seen in %d of %d runs, half the worsening in %d", share, rate, found, n, half)
		if float64(found) < 0.85*float64(n) {
			t.Errorf("at %d buckets %v is said to be seen, and is in %d of %d runs", share, rate, found, n)
		}
		if float64(half) > 0.7*float64(n) {
			t.Errorf("at %d buckets half the worsening is seen as well, in %d of %d runs: the outlook is too gloomy", share, half, n)
		}
	}
}

func TestAnOutageIsSeenSoonerThanATrickle(t *testing.T) {
	outage, ok1 := usual.Until(1)
	trickle, ok2 := usual.Until(0.03)
	if !ok1 || !ok2 || outage >= trickle || outage > 10*time.Minute {
		t.Errorf("an outage is seen after %v (%v), 3 %% after %v (%v)", outage, ok1, trickle, ok2)
	}
	if _, ok := usual.Until(usual.Traffic.Bad); ok {
		t.Error("no worsening is seen")
	}
}

func TestAStepWithFewPeopleIsBlind(t *testing.T) {
	for name, o := range map[string]Outlook{
		"no traffic":         {Share: 5000, Budget: usual.Budget},
		"few people a week":  {Traffic: Traffic{Hourly: 100, Weekly: 150, Bad: 0.001}, Share: 5000, Budget: usual.Budget},
		"nobody on the side": {Traffic: usual.Traffic, Share: 0, Budget: usual.Budget},
		"no control":         {Traffic: usual.Traffic, Share: Buckets, Budget: usual.Budget},
		"no α":               {Traffic: usual.Traffic, Share: 5000},
		"no number":          {Traffic: Traffic{Hourly: math.NaN(), Bad: math.NaN()}, Share: 5000, Budget: usual.Budget},
	} {
		if rate, ok := o.Smallest(time.Hour); ok {
			t.Errorf("%s: sees %v", name, rate)
		}
		if at, ok := o.Until(1); ok {
			t.Errorf("%s: sees an outage after %v", name, at)
		}
	}
}
