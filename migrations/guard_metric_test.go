package migrations

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

var reportedGuard = Guard{Metrics: []GuardMetric{
	{Name: "baskets", By: ByKeys, WorseBy: 0.1},
	{Name: "orders", By: BySides, Every: time.Minute, WorseBy: 0.5, Prometheus: &Prometheus{URL: "http://127.0.0.1:9090"}},
	{Name: "mails", By: BySides, Every: 10 * time.Second, WorseBy: 0.5},
}}

func TestWhatTheGuardTestsOfTheApplication(t *testing.T) {
	if got := reportedGuard.Keyed(); !slices.Equal(got, []evidence.Guard{{Metric: "app:baskets", Margin: 0.1}}) {
		t.Errorf("by key: %v", got)
	}
	want := []evidence.IntervalGuard{{Metric: "app:orders", Margin: 0.5, Every: time.Minute}, {Metric: "app:mails", Margin: 0.5, Every: 10 * time.Second}}
	if got := reportedGuard.Intervals(); !slices.Equal(got, want) {
		t.Errorf("by interval: %v", got)
	}
	if _, ok := reportedGuard.Metric("nothing"); ok {
		t.Error("there is a metric that nobody declared")
	}
}

func TestWhatIsNotReportedHolds(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	known := func(test uint64, metric string, at time.Time, every time.Duration) map[evidence.Metric]*evidence.Intervals {
		s := evidence.NewIntervals(test, began, every, true)
		s.Put(evidence.Interval{At: evidence.SlotOf(at, every)})
		return map[evidence.Metric]*evidence.Intervals{evidence.App(metric): s}
	}
	with := func(parts ...map[evidence.Metric]*evidence.Intervals) (c evidence.Counts) {
		for _, p := range parts {
			c.Reported = evidence.MergeReported(c.Reported, p)
		}
		return c
	}
	now := began.Add(30 * time.Minute)
	orders := known(7, "orders", now.Add(-2*time.Minute), time.Minute)
	mails := known(7, "mails", now.Add(-20*time.Second), 10*time.Second)
	for _, c := range []struct {
		name   string
		counts evidence.Counts
		now    time.Time
		want   string
	}{
		{"all is known", with(orders, mails), now, ""},
		{"nothing is known", with(), now, "orders is not known: Prometheus has given nothing of it for more than 3m0s"},
		{"nothing is posted", with(orders), now, "mails is not known: the application has posted nothing of it for more than 30s"},
		{"it fell silent", with(orders, mails), now.Add(time.Minute), "mails is not known"},
		{"that of the test before", with(known(6, "orders", now, time.Minute), mails), now, "orders is not known"},
		{"the step has just begun", with(), began.Add(30 * time.Second), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := reportedGuard.Unreported(c.counts, 7, began, c.now); !strings.HasPrefix(got, c.want) || got != "" && c.want == "" {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestNumbersBySideOfFewPeople(t *testing.T) {
	for _, c := range []struct {
		seen evidence.Sides
		want bool
	}{{evidence.Sides{5000, 200}, false}, {evidence.Sides{5000, 199}, true}, {evidence.Sides{10, 5000}, true}} {
		if got := reportedGuard.FewPeople(c.seen); (got != "") != c.want {
			t.Errorf("%v: %q", c.seen, got)
		}
	}
	if got := (Guard{Metrics: reportedGuard.Metrics[:1]}).FewPeople(evidence.Sides{}); got != "" {
		t.Errorf("of people one by one: %q", got)
	}
}
