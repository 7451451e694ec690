package condition

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A traffic draws requests as users of a shop send them: with features that
// depend on one another, and users of whom some are much busier than others.
type traffic struct {
	*rand.Rand
	users [][]string // features that a user always has
}

func newTraffic(seed uint64) *traffic {
	t := &traffic{Rand: rand.New(rand.NewPCG(seed, 7))}
	for range 400 {
		f := []string{"scheme=https", t.pick("locale=en", "locale=en", "locale=en", "locale=de", "locale=fr", "locale=pl"), t.pick("http=2", "http=2", "http=1.1")}
		f = t.some(f, 0.9, "cookie:session")
		f = t.some(f, 0.2, "cookie:cart")
		f = t.some(f, 0.5, "cookie:consent")
		f = t.some(f, 0.1, "header:X-Beta")
		f = t.some(f, 0.3, "header:Authorization")
		f = t.some(f, 0.07, "cohort=staff")
		f = t.some(f, 0.3, "header:Save-Data")
		for i := range 6 {
			f = t.some(f, 0.1*float64(i+1), fmt.Sprintf("cookie:experiment_%d", i))
		}
		t.users = append(t.users, f)
	}
	return t
}

func (t *traffic) pick(of ...string) string { return of[t.IntN(len(of))] }

func (t *traffic) some(f []string, chance float64, feature string) []string {
	if t.Float64() < chance {
		return append(f, feature)
	}
	return f
}

// request draws a request: half of them are of a tenth of the users.
func (t *traffic) request() (user int, features []string) {
	user = t.IntN(len(t.users))
	if t.Float64() < 0.5 {
		user = t.IntN(len(t.users) / 10)
	}
	f := slices.Clone(t.users[user])
	path := t.pick("/api/orders", "/api/orders/{id}", "/api/orders/{id}/items", "/api/cart", "/api/search", "/api/search", "/api/products/{id}", "/api/profile")
	method := t.pick("GET", "GET", "GET", "POST", "PUT")
	f = append(f, "method="+method, "path="+path, "endpoint="+method+" "+path, "upstream="+t.pick("10.0.0.5:3001", "10.0.0.6:3001", "10.0.0.7:3001"))
	if method != "GET" {
		f = t.some(f, 0.2, "size=64 KiB or more")
		f = append(f, "type="+t.pick("application/json", "application/json", "multipart/form-data"))
	}
	f = t.some(f, 0.2, "query:page")
	return user, f
}

// samples draws as a gateway captures: all bad requests up to 256, and of the
// good ones 1 in 16.
func (t *traffic) samples(requests int, bad func(features []string) bool) (out []Sample) {
	ill, seen := 0, 0
	for n := range requests {
		user, f := t.request()
		s := Sample{Features: f, User: uint64(user + 1), At: int64(n + 1)}
		if bad(f) {
			if ill++; ill > 256 {
				break
			}
			s.Bad, s.Outcome = true, "got status 500"
			out = append(out, s)
			continue
		}
		if seen++; seen%16 == 0 || seen <= 64 {
			s.Weight = 16
			out = append(out, s)
		}
	}
	return out
}

func TestFindNamesThePlantedCondition(t *testing.T) {
	right := 0
	cases := []struct {
		name string
		want []string
	}{
		{"one endpoint", []string{"endpoint=GET /api/orders/{id}"}},
		{"one method", []string{"method=PUT"}},
		{"one header", []string{"header:X-Beta"}},
		{"one cookie", []string{"cookie:cart"}},
		{"one locale", []string{"locale=de"}},
		{"large bodies", []string{"size=64 KiB or more"}},
		{"one cohort", []string{"cohort=staff"}},
		{"one upstream endpoint", []string{"upstream=10.0.0.6:3001"}},
		{"an endpoint in one language", []string{"path=/api/search", "locale=en"}},
		{"a cookie on one endpoint", []string{"path=/api/orders", "cookie:consent"}},
		{"no session", []string{"!cookie:session"}},
	}
	for seed, c := range cases {
		rng := newTraffic(uint64(seed) + 100)
		planted := Finding{Features: c.want}
		got := Find(rng.samples(3000, func(f []string) bool {
			// 1 in 300 fails whatever it is, and of those planted 1 in 20 does not
			return rng.Float64() < 1./300 || planted.Met(f) && rng.Float64() < 0.95
		}))
		slices.Sort(got.Features)
		slices.Sort(c.want)
		t.Logf("%-28s p = %.2g of %d: %s", c.name, got.P, got.Tried, got.Text)
		if slices.Equal(got.Features, c.want) {
			right++
		} else {
			t.Logf("%s: found %q, not %q", c.name, got.Features, c.want)
		}
	}
	if right < len(cases)-1 {
		t.Errorf("%d of %d are right at once", right, len(cases))
	}
}

func TestFindClaimsNothingOfNoise(t *testing.T) {
	claims, runs := 0, 200
	for seed := range runs {
		rng := newTraffic(uint64(seed))
		rate := []float64{0.003, 0.02, 0.1, 0.5}[seed%4]
		f := Find(rng.samples(4000, func([]string) bool { return rng.Float64() < rate }))
		if f.Verdict == Condition {
			claims++
			t.Logf("run %d: %s", seed, f.Text)
		} else if f.Verdict != Alike {
			t.Errorf("run %d: %s", seed, f.Text)
		}
		if seed == 19 && claims > 1 {
			t.Errorf("%d claims in the first 20 runs", claims)
		}
	}
	if claims > runs/50 {
		t.Errorf("%d claims in %d runs", claims, runs)
	}
}

func TestFindSaysOfAnOutageThatItIsOne(t *testing.T) {
	rng := newTraffic(1)
	s := rng.samples(300, func([]string) bool { return false })
	for range 200 { // everything fails from now on, 1 in 50 aside
		user, f := rng.request()
		bad := rng.Float64() > 0.02
		s = append(s, Sample{Features: f, User: uint64(user + 1), Bad: bad, Outcome: "got status 503", At: int64(len(s) + 1)})
	}
	if f := Find(s); f.Verdict != Everything || !strings.HasPrefix(f.Text, "nearly all requests: ") || !strings.Contains(f.Text, "got status 503") {
		t.Errorf("%v: %s", f.Verdict, f.Text)
	}
}

func TestAFewGoodSamplesAreNoOutageIfManyWereCounted(t *testing.T) {
	var s []Sample
	for n := range 60 { // long ago
		s = append(s, Sample{User: uint64(n + 1), At: int64(n + 1), Goods: uint64(n + 1), Features: []string{"method=GET"}})
	}
	for n := range 20 { // as many are good as are bad, and none of those is sampled
		s = append(s, Sample{User: uint64(n + 100), At: int64(n + 100), Goods: uint64(n + 100), Bad: true, Features: []string{"method=GET", "cookie:beta"}})
	}
	if f := Find(s); f.Verdict != Condition || !slices.Equal(f.Features, []string{"cookie:beta"}) {
		t.Errorf("%+v", f)
	}
	for i := range s {
		s[i].Goods = min(s[i].Goods, 60) // now none was good
	}
	if f := Find(s); f.Verdict != Everything {
		t.Errorf("%+v", f)
	}
}

func TestFindSpeaksPlainEnglish(t *testing.T) {
	many := func(n int, bad bool, outcome string, features ...string) (out []Sample) {
		for range n {
			out = append(out, Sample{Features: features, Bad: bad, Outcome: outcome})
		}
		return out
	}
	const error500 = "got status 500"
	for _, c := range []struct {
		name    string
		samples []Sample
		want    string
	}{
		{"nothing", nil, ""},
		{"all is well", many(10, false, "", "cookie:cart"), ""},
		{"a cookie", append(many(14, true, error500, "cookie:cart"), many(320, false, "", "method=GET")...),
			"only requests with the cookie cart: 14 of 14 users got status 500; 0 of 320 without it"},
		{"no cookie", append(many(14, true, "hit a timeout", "method=GET"), many(320, false, "", "method=GET", "cookie:cart")...),
			"only requests without the cookie cart: 14 of 14 users hit a timeout; 0 of 320 with it"},
		{"an endpoint rather than its method", append(many(14, true, error500, "method=PUT", "path=/a", "endpoint=PUT /a"), many(320, false, "", "method=GET", "path=/a", "endpoint=GET /a")...),
			"only requests to PUT /a: 14 of 14 users got status 500; 0 of 320 with other requests"},
		{"a few others too", slices.Concat(many(14, true, error500, "header:X-Beta"), many(1, true, "hit a timeout"), many(320, false, "")),
			"mostly requests with the header X-Beta: 14 of 14 users had a request that failed or was too slow; 1 of 321 without it"},
		{"too few to say", append(many(1, true, error500, "cookie:cart"), many(320, false, "")...),
			"all requests alike: 1 of 321 users got status 500, and no condition tells them apart"},
		{"all of them", many(20, true, error500, "cookie:cart"),
			"nearly all requests: 20 of 20 users got status 500"},
	} {
		if got := Find(c.samples).Text; got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}

func TestOneUserIsNoEvidence(t *testing.T) {
	var s []Sample
	for i := range 200 {
		s = append(s, Sample{Features: []string{"cookie:attack"}, Bad: true, User: 1}, Sample{User: uint64(i + 2)})
	}
	if f := Find(s); f.Verdict != Alike {
		t.Errorf("%v: %s", f.Verdict, f.Text)
	}
}

func TestTailIsTheExactTest(t *testing.T) {
	// by hand: of 3 bad and 3 good, 3 meet the condition; all 3 bad: 1 in 20
	lf := factorials(400)
	for _, c := range []struct {
		in        Count
		bad, good int
		want      float64
	}{
		{Count{3, 0}, 3, 3, 1. / 20},
		{Count{2, 1}, 3, 3, 10. / 20},
		{Count{1, 2}, 3, 3, 19. / 20},
		{Count{0, 3}, 3, 3, 1},
		{Count{14, 0}, 14, 320, 5.345e-25}, // 1 of C(334, 14)
	} {
		if got := tail(lf, c.in, c.bad, c.good, 1); math.Abs(got-c.want) > 0.02*c.want {
			t.Errorf("%v of %d and %d: %g, not %g", c.in, c.bad, c.good, got, c.want)
		}
	}
}

// Whatever the samples are, there is a finding that agrees with itself, and it
// is the same each time.
func TestFindBearsAnySamples(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		var s []Sample
		for range rng.IntN(200) {
			x := Sample{Bad: rng.IntN(3) == 0, User: rng.Uint64N(50), Weight: rng.IntN(20) - 2, At: rng.Int64N(3), Outcome: []string{"", "a", "%s"}[rng.IntN(3)]}
			for range rng.IntN(10) {
				x.Features = append(x.Features, []string{"", "=", ":", "!", "!cookie:a", "cookie:", "cookie:a", "cookie:%d", "endpoint=", "x", "\xff", "method=GET", "header:B"}[rng.IntN(13)])
			}
			s = append(s, x)
		}
		f := Find(s)
		again := Find(s)
		if f.Text != again.Text || f.Verdict != again.Verdict || !slices.Equal(f.Features, again.Features) {
			t.Fatalf("%+v, then %+v", f, again)
		}
		if (f.Verdict == Condition) != (len(f.Features) > 0) || (f.Text == "") != (f.Verdict == Nothing) || len(f.Features) > 2 || f.P < 0 || f.P > Level {
			t.Fatalf("%+v", f)
		}
	}
}

// BenchmarkFind is of 512 samples with 64 features to try, of which each has
// half: the most work there is.
func BenchmarkFind(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	var s []Sample
	for i := range 512 {
		x := Sample{Bad: i%2 == 0, User: uint64(i + 1), At: int64(i + 1)}
		for j := range 64 {
			if chance := 0.5; rng.Float64() < chance || j < 4 && x.Bad {
				x.Features = append(x.Features, fmt.Sprintf("cookie:c%d", j))
			}
		}
		s = append(s, x)
	}
	b.ReportAllocs()
	for b.Loop() {
		Find(s)
	}
}
