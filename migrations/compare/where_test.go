package compare

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// like is an observation of a request of a user that is like the features.
func like(i int, user uint64, body string, features ...string) *Observation {
	o := seen(noon.Add(time.Duration(i)*time.Second), `{"a":1,"b":2}`, body)
	o.Endpoint, o.Key, o.Network = "GET /orders", Mark(user), uint32(user)
	o.Request = Request{Route: "orders", Upstream: "http://10.0.0.5:3001", User: user}
	for _, f := range features {
		o.Request.Features += f + "\n"
	}
	return o
}

const (
	same   = `{"a":1,"b":2}`
	wrong  = `{"a":3,"b":2}`
	lacks  = `{"a":1}`
	atSide = "http=1"
)

// one returns the finding that has a sign at a path.
func one(t *testing.T, s *Study, path string) *Finding {
	t.Helper()
	for _, f := range s.Findings.All(noon) {
		for _, sign := range f.Signs {
			if sign.Path == path {
				return f
			}
		}
	}
	t.Fatalf("no finding at %s", path)
	return nil
}

func TestAFindingNamesTheRequestsThatShowIt(t *testing.T) {
	for name, c := range map[string]struct {
		observe func(i int) *Observation
		want    string // beginning
	}{
		"a cookie": {func(i int) *Observation {
			if i%4 == 0 {
				return like(i, uint64(i+1), wrong, atSide, "cookie:beta")
			}
			return like(i, uint64(i+1), same, atSide, "cookie:theme")
		}, "only requests with the cookie beta: 32 of 32 sampled users had answers that differ; 0 of 64 without it"},
		"a header that lacks": {func(i int) *Observation {
			if i%4 == 0 {
				return like(i, uint64(i+1), wrong, atSide)
			}
			return like(i, uint64(i+1), same, atSide, "header:X-Tenant")
		}, "only requests without the header X-Tenant: "},
		"an endpoint of the service": {func(i int) *Observation {
			if i%3 == 0 {
				o := like(i, uint64(i+1), wrong, atSide)
				o.Request.Upstream = "http://10.0.0.9:3001"
				return o
			}
			return like(i, uint64(i+1), same, atSide)
		}, "only requests to the upstream endpoint 10.0.0.9:3001: "},
		"a cohort": {func(i int) *Observation {
			o := like(i, uint64(i+1), same, atSide)
			if i%3 == 0 {
				o = like(i, uint64(i+1), wrong, atSide)
				o.Request.Cohort = "staff"
			}
			return o
		}, "only requests of the cohort staff: "},
		"all of them": {func(i int) *Observation { return like(i, uint64(i+1), wrong, atSide) }, "nearly all requests: 32 of 32 sampled users had answers that differ"},
		"one user with many requests": {func(i int) *Observation {
			if i%2 == 0 {
				return like(i, 1, wrong, atSide, "cookie:odd")
			}
			return like(i, uint64(i+1), same, atSide)
		}, "all requests alike: 1 of 65 sampled users had answers that differ"},
		"nothing tells": {func(i int) *Observation {
			body := same
			if i%5 == 0 {
				body = wrong
			}
			return like(i, uint64(i+1), body, atSide, fmt.Sprintf("header:X-%d", i%3))
		}, "all requests alike: "},
		"another fault of the endpoint, and none that agree": {func(i int) *Observation {
			if i%2 == 0 {
				return like(i, uint64(i+1), wrong, atSide, "cookie:beta")
			}
			return like(i, uint64(i+1), lacks, atSide)
		}, "only requests with the cookie beta: 32 of 32 sampled users had answers that differ; 0 of 32 without it"},
		"nothing is known of the requests": {func(i int) *Observation {
			o := like(i, uint64(i+1), wrong)
			o.Request = Request{}
			return o
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewStudy(NoiseOptions{}, FindingsOptions{Seed: 1})
			for i := range 600 {
				s.Add(c.observe(i))
			}
			f := one(t, s, "$.a")
			got := s.Where(f.ID)
			if !strings.HasPrefix(got, c.want) || (c.want == "") != (got == "") {
				t.Errorf("%q, not %q", got, c.want)
			}
			if again := s.Where(f.ID); again != got {
				t.Errorf("asked again, it says %q", again)
			}
		})
	}
}

// What was found out is written with the finding; the requests are not.
func TestWhereOutlivesTheRequests(t *testing.T) {
	s := NewStudy(NoiseOptions{}, FindingsOptions{Seed: 1})
	for i := range 200 {
		body, features := same, []string{atSide}
		if i%4 == 0 {
			body, features = wrong, append(features, "cookie:beta")
		}
		s.Add(like(i, uint64(i+1), body, features...))
	}
	s.Explain()
	text, err := json.Marshal(s.Findings)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "beta"); n != 1 || strings.Contains(string(text), atSide) {
		t.Errorf("the cookie is written %d times: %s", n, text)
	}
	later := NewStudy(NoiseOptions{}, FindingsOptions{})
	if err := json.Unmarshal(text, later.Findings); err != nil {
		t.Fatal(err)
	}
	id := one(t, later, "$.a").ID
	later.Add(like(300, 7, wrong, atSide)) // one more says nothing
	if got := later.Where(id); !strings.HasPrefix(got, "only requests with the cookie beta: ") {
		t.Errorf("later it says %q", got)
	}
	// Another gateway that has no request of it says the same.
	elsewhere := NewStudy(NoiseOptions{}, FindingsOptions{})
	elsewhere.Findings.Join(later.Findings)
	if got := elsewhere.Where(id); got != later.Where(id) {
		t.Errorf("elsewhere it says %q", got)
	}
}

func TestWhatIsErasedAndWhatIsOldIsKeptNoLonger(t *testing.T) {
	s := NewStudy(NoiseOptions{}, FindingsOptions{})
	for i := range 10 {
		s.Add(like(i, uint64(i+1), wrong, atSide))
		s.Add(like(i, uint64(100+i), same, atSide))
	}
	kept := func() (n int) {
		s.Requests.each(func(l *requestList) { n += len(l.list) })
		return n
	}
	if kept() != 20 {
		t.Fatalf("%d are kept", kept())
	}
	s.EraseKey(Mark(3))
	if kept() != 19 {
		t.Errorf("%d are kept, after one was erased", kept())
	}
	s.Sweep(noon.Add(time.Hour+5*time.Second), time.Hour)
	if kept() != 10 {
		t.Errorf("%d are kept, after half of them have grown old", kept())
	}
	s.Sweep(noon.Add(24*time.Hour), time.Hour)
	if n := len(s.Requests.agreeing) + len(s.Requests.differing); n != 0 {
		t.Errorf("%d lists are left", n)
	}
}

// An endpoint that takes others in has what was kept of them.
func TestRequestsMoveWithTheirEndpoint(t *testing.T) {
	s := NewStudy(NoiseOptions{}, FindingsOptions{})
	for i := range 60 {
		o := like(i, uint64(i+1), wrong, atSide, "cookie:beta")
		if i%2 == 0 {
			o = like(i, uint64(i+1), same, atSide)
		}
		o.Endpoint = s.Endpoint("GET", "/shops/"+string([]byte{'a' + byte(i%26), 'a' + byte(i/26)})+"shop/")
		s.Add(o)
	}
	f := one(t, s, "$.a")
	if got := s.Where(f.ID); !strings.HasPrefix(got, "only requests with the cookie beta: 30 of 30 users ") {
		t.Errorf("%s: %q; %d and %d lists", f.Endpoint, got, len(s.Requests.agreeing), len(s.Requests.differing))
	}
}

// Whatever is sent, memory is bounded, and one network cannot crowd out others.
func TestKeptRequestsAreBounded(t *testing.T) {
	s := NewStudy(NoiseOptions{}, FindingsOptions{})
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 40 { // the users
		o := like(i, uint64(i+1), wrong, atSide)
		s.Add(o)
	}
	for i := range 20_000 {
		o := like(i, rng.Uint64(), []string{same, wrong, lacks}[i%3], strings.Repeat("header:X-Long\n", 1000), fmt.Sprint("cookie:", i))
		o.Endpoint, o.Network = fmt.Sprint("GET /", i%300), 7
		if i%2 == 0 {
			o.Endpoint = "GET /orders"
		}
		s.Add(o)
	}
	if a, d := len(s.Requests.agreeing), len(s.Requests.differing); a > requestLists || d > requestLists {
		t.Errorf("%d and %d lists", a, d)
	}
	bytes := 0
	s.Requests.each(func(l *requestList) {
		if len(l.list) > agreeingKept {
			t.Errorf("%d in a list", len(l.list))
		}
		for _, x := range l.list {
			bytes += len(x.Features)
		}
	})
	if most := requestLists * (agreeingKept + differingKept) * featureBytes; bytes > most {
		t.Errorf("%d bytes, more than %d", bytes, most)
	}
	l := s.Requests.differing[findingID("GET /orders", one(t, s, "$.a").Signs)]
	theirs := 0
	for _, x := range l.list {
		if x.network == 7 {
			theirs++
		}
	}
	if theirs > differingKept/4 {
		t.Errorf("of one network there are %d of %d", theirs, len(l.list))
	}
}

func BenchmarkWhere(b *testing.B) {
	s := NewStudy(NoiseOptions{}, FindingsOptions{Seed: 1})
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 600 {
		features, body := []string{atSide}, same
		for j := range 30 {
			if rng.IntN(2) == 0 {
				features = append(features, fmt.Sprint("cookie:c", j))
			}
		}
		if i%4 == 0 {
			body = wrong
		}
		s.Add(like(i, uint64(i+1), body, features...))
	}
	id := s.Findings.All(noon)[0].ID
	b.ReportAllocs()
	for b.Loop() {
		s.Requests.differing[id].where = nil
		s.Where(id)
	}
}

func BenchmarkKeepRequest(b *testing.B) {
	s := NewStudy(NoiseOptions{}, FindingsOptions{Seed: 1})
	o := like(1, 1, same, atSide, "cookie:a", "cookie:b", "header:X-Tenant")
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		o.Request.User = i
		s.Requests.observe(o, nil)
	}
}
