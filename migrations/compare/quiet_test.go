package compare

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// volatile is a kind of field that differs from itself: how it draws its
// value, and how far two that differ agree.
type volatile struct {
	name  string
	draw  func(r *rand.Rand, tick int) int
	agree func(a, b int) Level
}

func always(l Level) func(a, b int) Level { return func(a, b int) Level { return l } }

var volatiles = []volatile{
	{"clock", func(_ *rand.Rand, tick int) int { return tick }, always(Classed)},
	{"slow clock", func(_ *rand.Rand, tick int) int { return tick / 3 }, always(Classed)},
	{"uuid", func(r *rand.Rand, _ int) int { return int(r.Uint32()) }, always(Classed)},
	{"shuffled array", func(r *rand.Rand, _ int) int { return r.IntN(6) }, always(Normalised)},
	{"random float", func(r *rand.Rand, _ int) int { return r.IntN(1000) }, func(a, b int) Level {
		if a == 0 || b == 0 {
			return Typed
		}
		return Classed
	}},
	{"rotating token", func(_ *rand.Rand, tick int) int { return tick / 200 }, always(Classed)},
	{"A/B text", func(r *rand.Rand, _ int) int { return r.IntN(2) }, always(Classed)},
	{"rare text", func(r *rand.Rand, _ int) int { return within1000(r, 3) }, always(Classed)},
	{"optional field", func(r *rand.Rand, _ int) int { return within1000(r, 300) }, always(Nothing)},
	{"type that flaps", func(r *rand.Rand, _ int) int { return within1000(r, 12) }, always(Present)},
}

func within1000(r *rand.Rand, n int) int {
	if r.IntN(1000) < n {
		return 1
	}
	return 0
}

// quietRun looks at 1,000 volatile fields in a number of observations, at the
// level of leaves, and says what was reported although nothing is wrong.
func quietRun(seed uint64, fields, observations int) []Discovery {
	const endpoint = "GET /"
	r := rand.New(rand.NewPCG(seed, 99))
	n := NewNoise(NoiseOptions{Paths: fields + 8})
	var probing Probing
	paths := make([]string, fields)
	for i := range paths {
		paths[i] = fmt.Sprintf("$.f%d", i)
	}
	held := make([]Level, fields)
	control, candidate, second := make([]int, fields), make([]int, fields), make([]int, fields)
	again1, again2 := make([]int, fields), make([]int, fields)
	tick := 0
	ask := func(into []int) {
		tick++
		for i := range into {
			into[i] = volatiles[i%len(volatiles)].draw(r, tick)
		}
	}
	apart := func(i, a, b int) Level {
		if a == b {
			return Exact
		}
		return volatiles[i%len(volatiles)].agree(a, b)
	}
	agreement := func(a, b []int) map[string]Level {
		m := map[string]Level{}
		for i := range a {
			if l := apart(i, a[i], b[i]); l > Exact {
				m[paths[i]] = l
			}
		}
		return m
	}
	var found []Discovery
	credit := 0.0
	for range observations {
		profile := n.Profile(endpoint)
		probe, candidateFirst := probing.Wants(n, endpoint, r.Float64(), r.Float64())
		ask(control)
		if probe && !candidateFirst {
			ask(second)
		}
		ask(candidate)
		if probe && candidateFirst {
			ask(second)
		}
		for i, p := range paths {
			held[i], _ = profile.Level(p)
		}
		result := Result{Outcome: Match}
		for i := range control {
			if apart(i, control[i], candidate[i]) > held[i] {
				result.Outcome = Mismatch
				break
			}
		}
		found = append(found, n.Observe(endpoint, &result)...)
		if probe {
			found = append(found, n.learn(endpoint, agreement(control, candidate), agreement(control, second), nil)...)
		}
		credit = min(credit+driftShare, 0)
		if result.Outcome == Mismatch && credit > -driftAtMost {
			credit--
			if r.IntN(2) == 0 {
				ask(again1)
				ask(again2)
			} else {
				ask(again2)
				ask(again1)
			}
			d := &Drift{}
			for i := range paths {
				if l := apart(i, control[i], candidate[i]); l > Exact {
					d.Coins = append(d.Coins, Coin{paths[i], coin(l, apart(i, control[i], again1[i]), apart(i, candidate[i], again2[i]),
						apart(i, control[i], again2[i]), apart(i, candidate[i], again1[i]))})
				}
			}
			found = append(found, n.Recheck(endpoint, d)...)
		}
	}
	return found
}

// Short runs look at less, but each must be quiet all the same.
func TestFindsNothingWhereNothingIs(t *testing.T) {
	runs, observations := 3, 4000
	if os.Getenv("FICUS_SOAK") != "" {
		runs, observations = 200, 20000
	}
	loud := 0
	for seed := range runs {
		if found := quietRun(uint64(seed), 1000, observations); len(found) > 0 {
			loud++
			t.Logf("seed %d: %+v", seed, found)
		}
	}
	t.Logf("%d of %d runs reported anything", loud, runs)
	if loud*100 > runs {
		t.Errorf("%d of %d runs reported a finding where nothing is", loud, runs)
	}
}

// The same with real bodies: all that a study does, and no fault planted.
func TestBodiesThatDifferFromThemselvesMakeNoFinding(t *testing.T) {
	observations := 1500
	if os.Getenv("FICUS_SOAK") != "" {
		observations = 20000
	}
	for _, c := range []struct {
		name string
		base func(*shot)
	}{{"json", orderPage}, {"html", htmlPage}, {"xml", xmlPage}, {"form", formPage}, {"text", textPage}, {"wide", widePage}} {
		t.Run(c.name, func(t *testing.T) {
			n := observations
			if c.name == "wide" {
				n /= 3
			}
			s := newWorld(5, c.base, nil).shadow(nil)
			for range n {
				s.observe()
				if len(s.noted) > 0 {
					t.Fatalf("proved, though nothing is wrong: %+v", s.noted)
				}
			}
			if real := s.study.Findings.Real(s.now); len(real) > 0 {
				t.Errorf("shows %v", real[0].Signs)
			}
		})
	}
}

// widePage has two hundred volatile fields of ten kinds.
func widePage(s *shot) {
	s.answer.Header.Set("Content-Type", "application/json")
	s.doc = map[string]any{}
	for i := range 200 {
		var v any
		switch i % 10 {
		case 0:
			v = s.now.Format(time.RFC3339)
		case 1:
			v = s.uuid()
		case 2:
			v = s.seq
		case 3:
			v = shuffled(s.r, "a", "b", "c")
		case 4:
			v = s.r.Float64()
		case 5:
			v = fmt.Sprintf("tok-%dAbCdEfGh12345678", s.seq/200)
		case 6:
			v = []string{"Buy now", "Order today"}[s.r.IntN(2)]
		case 7:
			v = []string{"fine", "odd"}[within1000(s.r, 3)]
		case 8:
			if s.r.IntN(3) == 0 {
				continue
			}
			v = "here"
		case 9:
			v = []any{json.Number("1"), "1"}[within1000(s.r, 12)]
		}
		s.doc[fmt.Sprintf("f%d", i)] = v
	}
}
