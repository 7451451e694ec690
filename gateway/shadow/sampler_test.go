package shadow

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func TestSamplerObservesAPersonAlwaysOrNever(t *testing.T) {
	var s sampler
	s.set(0.1)
	now := time.Now()
	r := rand.New(rand.NewPCG(1, 2))
	s.samples(0, "GET", "/orders", now) // the floor of the endpoint is spent
	observed := 0
	for range 20_000 {
		key := r.Uint64()
		first := s.samples(key, "GET", "/orders", now)
		if first {
			observed++
		}
		if s.samples(key, "GET", "/orders", now) != first {
			t.Fatal("the same key was observed once and once not")
		}
	}
	if observed < 1800 || observed > 2200 {
		t.Errorf("observed %d of 20000, want a tenth", observed)
	}
}

func TestSamplerSeesRareEndpoints(t *testing.T) {
	var s sampler
	s.set(1e-9)
	now := time.Now()
	for _, path := range []string{"/orders/1", "/carts/1", "/orders/1/invoice"} {
		if !s.samples(1<<63, "GET", path, now) {
			t.Errorf("%s is not observed though it never was", path)
		}
		if s.samples(1<<63, "GET", path, now.Add(time.Second)) {
			t.Errorf("%s is observed again after a second", path)
		}
		if !s.samples(1<<63, "GET", path, now.Add(floorEvery+time.Second)) {
			t.Errorf("%s is not observed again", path)
		}
	}
	seen := 0
	for i := range 1000 {
		if s.samples(1<<63, "GET", fmt.Sprintf("/users/%d/orders/%x", i, i*7919), now) {
			seen++
		}
	}
	if seen > 3 {
		t.Errorf("%d of 1000 paths of one endpoint were observed as if each were one", seen)
	}
}

func TestSamplerAtZeroSeesNothing(t *testing.T) {
	var s sampler
	s.set(0)
	for i := range 1000 {
		if s.samples(uint64(i), "GET", fmt.Sprint("/", i), time.Now()) {
			t.Fatal("something was observed")
		}
	}
}

func TestBreakerLetsOneThroughNowAndThen(t *testing.T) {
	var b breaker
	now := time.Now()
	for range breakAfter {
		if !b.allow(now) {
			t.Fatal("it opened before so many failures")
		}
		b.report(false, now)
	}
	if b.allow(now) || !b.open() {
		t.Fatal("it did not open")
	}
	through := 0
	for i := range 6000 { // a minute in steps of 10 ms
		at := now.Add(time.Duration(i) * 10 * time.Millisecond)
		if b.allow(at) {
			through++
			b.report(false, at)
		}
	}
	if through < 10 || through > 30 {
		t.Errorf("%d questions in a minute got through", through)
	}
	if at := now.Add(2 * time.Minute); !b.allow(at) {
		t.Error("it lets none through after its wait")
	} else if b.report(true, at); !b.allow(at) || b.open() {
		t.Error("it did not close after an answer")
	}
}
