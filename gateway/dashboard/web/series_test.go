package web

import (
	"testing"
	"time"
)

var testBounds = []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second}

// counted is a sum of so many requests on both sides, the service's within ten
// milliseconds and the monolith's within a hundred.
func counted(l, m, broken uint64) *sum {
	s := new(sum)
	s.add(legacy, Flow{Requests: l, Slow: []uint64{0, 0, l, 0, 0}})
	s.add(modern, Flow{Requests: m, Broken: broken, Slow: []uint64{0, m, 0, 0, 0}})
	return s
}

func TestSeriesMeasureWhatCameSinceTheLastSample(t *testing.T) {
	s := newSeries(testBounds)
	for i := range uint64(31) { // what was before the first sample has no time
		s.take(time.Now(), map[string]*sum{"orders": counted(1000+i*20, 500+i*10, i)})
	}
	m, l := s.of("orders").measure(modern), s.of("orders").measure(legacy)
	if m.Requests != 300 || m.Broken != 30 || m.Errors != 0.1 || m.Rate != 5 || l.Requests != 600 || l.Rate != 10 || l.Broken != 0 {
		t.Errorf("%+v, %+v", m, l)
	}
	if m.P50 < time.Millisecond || m.P99 > 10*time.Millisecond || l.P50 < 10*time.Millisecond || l.P99 > 100*time.Millisecond || m.P50 >= m.P99 {
		t.Errorf("latencies %+v, %+v", m, l)
	}
	if last := s.of("orders").last(5).measure(modern); last.Requests != 50 || last.Rate != 5 {
		t.Errorf("of ten seconds: %+v", last)
	}
}

func TestSeriesKeepFiveMinutesAndForgetWhatIsGone(t *testing.T) {
	s := newSeries(testBounds)
	for i := range uint64(samples + 100) {
		s.take(time.Now(), map[string]*sum{whole: counted(i, 0, 0)})
	}
	if of := s.of(whole); len(of.points) != samples || of.measure(legacy).Requests != samples {
		t.Errorf("%d points, %d requests", len(of.points), of.measure(legacy).Requests)
	}
	s.take(time.Now(), map[string]*sum{})
	if len(s.tracks) != 0 || len(s.of(whole).points) != 0 {
		t.Error("what is gone is kept")
	}
	many := map[string]*sum{}
	for i := range 2 * maxTracks {
		many[string(rune('a'+i%26))+string(rune('0'+i/26))] = new(sum)
	}
	if s.take(time.Now(), many); len(s.tracks) > maxTracks {
		t.Errorf("%d tracks", len(s.tracks))
	}
}

func TestARouteThatGoesTakesItsCountsAndNothingFromTheRest(t *testing.T) {
	s := newSeries(testBounds)
	for _, n := range []uint64{100, 110, 5, 15} { // a route of 100 went
		s.take(time.Now(), map[string]*sum{"orders": counted(n, 0, 0)})
	}
	if got := s.of("orders").measure(legacy).Requests; got != 20 {
		t.Errorf("%d requests", got)
	}
}

func TestNoRequestsHaveNoMeasure(t *testing.T) {
	var none stretch
	if m := none.measure(modern); m != (measure{}) {
		t.Errorf("%+v", m)
	}
	c := lineChart(none, "Errors", 0.01, func(m measure) float64 { return m.Errors }, percent)
	if !c.Empty || trafficChart(none).Legacy != "" {
		t.Errorf("%+v", c)
	}
}
