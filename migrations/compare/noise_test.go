package compare

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestElevenPairsInARowPassAThousand(t *testing.T) {
	b := Bet{}
	for range 10 {
		b.Add(1)
	}
	if b.Log(Stake) >= math.Log(1000) {
		t.Error("ten are enough")
	}
	b.Add(1)
	if b.Log(Stake) < math.Log(1000) {
		t.Error("eleven are not enough")
	}
}

func TestWeightsAddUpToLessThanOne(t *testing.T) {
	sum := 0.0
	for rank := 1; rank <= 1<<16; rank++ {
		sum += math.Exp(logWeight(rank, 1))
	}
	tests := 0.0
	for n := 1; n <= 1<<16; n++ {
		tests += math.Exp(logWeight(1, n) - logWeight(1, 1))
	}
	if sum > 1 || sum*tests > 1 || sum < 0.3 {
		t.Errorf("ranks add up to %v, with tests to %v", sum, sum*tests)
	}
}

// A fair coin must not persuade: P(ever E ≥ 1/α) ≤ α.
func TestFairCoinsProveNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const runs, alpha = 2000, 0.05
	loud := 0
	for range runs {
		var b Bet
		for range 500 {
			b.Add(2*r.IntN(2) - 1)
			if b.Log(Stake) >= math.Log(1/alpha) {
				loud++
				break
			}
		}
	}
	if share := float64(loud) / runs; share > alpha {
		t.Errorf("%v of the runs passed 1/%v", share, alpha)
	}
}

func TestTheCandidateIsHeldToWhatTheControlKeeps(t *testing.T) {
	for name, c := range map[string]struct {
		apart func(i int) Level
		want  Level
	}{
		"a clock":                {func(int) Level { return Classed }, Classed},
		"a shuffled array":       {func(int) Level { return Normalised }, Normalised},
		"one in two hundred":     {func(i int) Level { return Level(min(1, i%200)) ^ 1 }, Exact},
		"present now and then":   {func(i int) Level { return Nothing * Level(i%2) }, Nothing},
		"a clock, rarely absent": {func(i int) Level { return []Level{Classed, Nothing}[1-min(1, i%300)] }, Classed},
	} {
		e := evidence{Rank: 1, Test: 1}
		for i := range 1000 {
			e.learn(c.apart(i))
		}
		if got := e.level(); got != c.want {
			t.Errorf("%s: held to %s, not %s", name, got, c.want)
		}
	}
}

func TestAFieldThatFewAnswersHaveIsLearnedFromThose(t *testing.T) {
	n := NewNoise(NoiseOptions{})
	r := rand.New(rand.NewPCG(3, 4))
	answer := func(with bool) *Answer {
		if with {
			return jsonPage(`{"a":1,"seen":"` + strings.Repeat("x", 1+r.IntN(9)) + `"}`)
		}
		return jsonPage(`{"a":1}`)
	}
	for i := range 2000 {
		with := i%200 == 0
		p := n.Profile("e")
		a, b, c := answer(with), answer(with), answer(with)
		candidate, control := Compare(a, b, nil, p), Probe(a, c, nil, p)
		n.Learn("e", &candidate, &control)
	}
	if l, _ := n.Profile("e").Level("$.seen"); l == Exact {
		t.Error("a field that always differs where it is there is held to exact")
	}
}

func TestExchangingWhatWasAskedTurnsTheCoinRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		level := func(name string) Level { return Level(rapid.IntRange(0, int(Nothing)).Draw(t, name)) }
		apart, again := level("c1s1"), level("c2s2")
		cc, ss, cs, sc := level("c1c2"), level("s1s2"), level("c1s2"), level("s1c2")
		_ = again
		a := coin(apart, cc, ss, cs, sc)
		// Control and candidate change places altogether.
		b := coin(apart, ss, cc, sc, cs)
		// Only the second answers do.
		c := coin(apart, cs, sc, cc, ss)
		for l := range a {
			odd := cc <= Level(l) && cs <= Level(l) || ss <= Level(l) && sc <= Level(l)
			if odd && a[l] != -b[l] || !odd && a[l] != -c[l] {
				t.Fatalf("level %d: %v, %v, %v", l, a, b, c)
			}
		}
	})
}

func TestARestartedTestHasToProveItselfAgain(t *testing.T) {
	n := NewNoise(NoiseOptions{})
	bad := map[string]Level{"$.a": Typed}
	prove := func() int {
		for i := 1; i < 100; i++ {
			if len(n.learn("e", bad, nil, nil)) > 0 {
				return i
			}
		}
		return 0
	}
	first := prove()
	if first == 0 || !n.Confirmed("e", "$.a") {
		t.Fatal("not proved")
	}
	n.Restart("e", "$.a")
	if n.Confirmed("e", "$.a") {
		t.Error("still proved after a restart")
	}
	if again := prove(); again < first {
		t.Errorf("proved after %d, then after %d, with less of α", first, again)
	}
}

func TestTemplatesBeyondTheLimitAreCountedTogether(t *testing.T) {
	n := NewNoise(NoiseOptions{Paths: 10})
	for i := range 100 {
		bad := map[string]Level{}
		for j := range 30 {
			bad["$.k"+string(rune('a'+j))+string(rune('a'+i%26))] = Classed
		}
		n.learn("e", nil, bad, nil)
	}
	e := n.endpoints["e"]
	if len(e.Paths) > 11 || e.Overflow == 0 || e.Paths[Overflow] == nil {
		t.Errorf("%d rows, %d beyond", len(e.Paths), e.Overflow)
	}
}

func TestNoiseComesBackAsItWas(t *testing.T) {
	s := newWorld(1, orderPage, nil).shadow(nil)
	for range 50 {
		s.observe()
	}
	b, err := json.Marshal(s.study.Noise)
	if err != nil {
		t.Fatal(err)
	}
	var back Noise
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(&back)
	if string(again) != string(b) {
		t.Error("not the same")
	}
	p, q := s.study.Noise.Profile("GET /orders/{id}"), back.Profile("GET /orders/{id}")
	for path, l := range p.Levels() {
		if m, _ := q.Level(path); m != l {
			t.Errorf("%s: %s, then %s", path, l, m)
		}
	}
}

func TestLatenciesOfBothSides(t *testing.T) {
	l := NewLatencies()
	other := NewLatencies()
	for i := range 100 {
		l.Add(time.Duration(i+1)*time.Millisecond, time.Duration(2*i+2)*time.Millisecond)
		other.Add(time.Duration(i+1)*time.Millisecond, time.Duration(2*i+2)*time.Millisecond)
	}
	if err := l.Merge(other); err != nil {
		t.Fatal(err)
	}
	a, b := l.Quantile(0.5)
	if a < 48*time.Millisecond || a > 52*time.Millisecond || b < 97*time.Millisecond || b > 103*time.Millisecond {
		t.Errorf("medians %s and %s", a, b)
	}
	if n, slower := l.Pairs(); n != 200 || slower != 1 {
		t.Errorf("%d pairs, %v slower", n, slower)
	}
}
