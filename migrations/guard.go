package migrations

import (
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Metrics returns what the guard of p tests, each with what it is held
// against. Their number is K.
func (p Plan) Metrics() []evidence.Guard {
	out := []evidence.Guard{
		{Metric: evidence.Errors, Margin: p.Guard.Errors, Endpoints: true},
		{Metric: evidence.Timeouts, Margin: p.Guard.Timeouts, Endpoints: true},
	}
	if p.Guard.Outcomes {
		for _, m := range evidence.Classes {
			out = append(out, evidence.Guard{Metric: m, Endpoints: true, First: true})
		}
	}
	if p.Guard.Latency != nil {
		for _, l := range evidence.Latencies {
			out = append(out, evidence.Guard{Metric: l.Metric, First: l.Central})
		}
	}
	if p.Guard.HarmBeyond {
		out = append(out, evidence.Guard{Metric: evidence.Harm, Basis: evidence.ByTrial})
	}
	if p.Compare.Sample > 0 {
		out = append(out, evidence.Guard{Metric: evidence.Pairs, Basis: evidence.ByPair})
	}
	if p.Guard.Mismatches > 0 {
		out = append(out, evidence.Guard{Metric: evidence.Mismatches, Basis: evidence.ByRate, Rate: p.Guard.Mismatches})
	}
	out = append(out, p.Guard.Keyed()...)
	for _, g := range p.Guard.Intervals() {
		out = append(out, evidence.Guard{Metric: g.Metric, Basis: evidence.ByInterval, Margin: g.Margin})
	}
	return out
}

// Limits returns the latency beyond which an answer of each side is slow in the
// present test of a cell, for each of [evidence.Latencies]; 0 where latency is
// not watched, or nothing is known of the monolith's.
func (p Plan) Limits(c Course) (limits [2]evidence.Taus) {
	if p.Guard.Latency == nil {
		return limits
	}
	for i, l := range evidence.Latencies {
		t := p.Guard.Latency.Tolerance(l, c.Taus[i])
		limits[evidence.Legacy][i], limits[evidence.Modern][i] = t.Limit(evidence.Legacy), t.Limit(evidence.Modern)
	}
	return limits
}

func (p Plan) objective() float64 {
	if p.Guard.Objective > 0 {
		return p.Guard.Objective
	}
	return evidence.Objective
}

// several reports whether what one client network does is bounded.
func (v view) several() bool { return !v.plan.Guard.OneNetwork && v.counts.Several(v.now) }

func (v view) budget() evidence.Budget {
	return evidence.Budget{Alpha: v.plan.Guard.FalseAlarm, Test: v.course.K, Gateways: v.counts.Gateways, Own: v.counts.Own}
}

// judge returns the records of the present test: none where the share is not
// known that they would be held against.
func (v view) judge() []evidence.Record { return v.judgeBy(v.plan.Metrics()) }

func (v view) judgeBy(metrics []evidence.Guard) []evidence.Record {
	if v.course.Unknown {
		return nil
	}
	budget := v.budget()
	budget.Metrics = len(metrics)
	ours := slices.DeleteFunc(slices.Clone(metrics), func(g evidence.Guard) bool { return g.Basis == evidence.ByInterval })
	records := v.cell.Judge(v.eventCell(), ours, budget, v.several())
	records = append(records, v.intervals(budget)...)
	for i := range records {
		if at := evidence.IsLatency(records[i].Metric); at >= 0 {
			if records[i].Tau = v.course.Taus[at]; records[i].Tau == 0 {
				records[i].Tau = v.cell.Taus[at]
			}
		}
	}
	return records
}

// intervals returns the records of what the application counts by side. Of few
// users they say too little: those who fail more often than others may all be
// on one side by chance.
func (v view) intervals(b evidence.Budget) (out []evidence.Record) {
	if len(v.m.Cells) > 0 || v.plan.Guard.FewPeople(v.cell.Seen.Total()) != "" {
		return nil
	}
	for _, g := range v.plan.Guard.Intervals() {
		have := v.counts.Reported[g.Metric]
		if have == nil || have.Test != v.course.Test {
			continue
		}
		out = append(out, have.Judge(v.eventCell(), g, b, v.now).Record())
	}
	return out
}

// control returns the record by which the monolith is the worse side, and whether
// it is, and fails now. A monolith that always fails a little keeps no worse
// service in place.
func (v view) control() (evidence.Record, bool) {
	r, worse := v.worseMonolith()
	return r, worse && v.monolithFails(v.now)
}

// manyFail is the share of the monolith's requests from which it fails.
const manyFail = 0.1

// monolithFails reports whether the monolith fails at a time, by the requests of
// that minute and the one before.
func (v view) monolithFails(at time.Time) bool {
	const few = 20 // requests of which no share is told
	requests, bad := v.counts.Burn[evidence.Legacy].Last(2*time.Minute, at, v.several())
	return requests >= few && float64(bad) >= manyFail*float64(requests)
}

// worseMonolith returns the record by which the monolith is the worse side in the
// present test, and whether it is.
func (v view) worseMonolith() (evidence.Record, bool) {
	if v.course.Unknown || !v.known {
		return evidence.Record{}, false
	}
	var records []evidence.Record
	budget := v.budget()
	budget.Metrics = 2
	for _, m := range []evidence.Metric{evidence.Errors, evidence.Timeouts} {
		records = append(records, v.cell.Reverse(v.eventCell(), m, budget, v.several()))
	}
	r, ok := evidence.Strongest(records)
	return r, ok && r.Trips()
}

// evidence returns what a decision is made from, the strongest record first.
func (v view) evidence(records []evidence.Record) *Evidence {
	out := &Evidence{
		Observed: v.cell.Observed, Harm: v.cell.Harm, At: v.counts.At.UTC().Truncate(time.Microsecond), Gateways: v.counts.Gateways, Own: v.counts.Own,
		Aside: v.cell.Aside, Blameless: v.cell.Blameless,
	}
	if v.counts.At.IsZero() {
		out.At = time.Time{}
	}
	out.Epochs = v.cell.Past()
	strongest, ok := evidence.Strongest(records)
	if ok && strongest.Trips() {
		out.FirstBad = v.firstBad(strongest)
	}
	for _, r := range records {
		if r.Metric != strongest.Metric && !r.Counted() { // it says nothing; that it was tested is in the others' K
			continue
		}
		if r.Metric == strongest.Metric {
			out.Spans = r.Spans
		}
		r.Spans = nil // once is enough
		if r.Metric == strongest.Metric {
			out.Records = append([]evidence.Record{r}, out.Records...)
		} else {
			out.Records = append(out.Records, r)
		}
	}
	if !ok {
		out.Records = nil
	}
	return out
}

// A verdict is what the guard found against the service.
type verdict struct {
	cause    Cause
	reason   string
	evidence *Evidence
}

// judgement returns what speaks for a way back; its cause is empty if nothing
// does.
func (v view) judgement() verdict {
	if v.course.Test == 0 || v.course.Completed() {
		return verdict{}
	}
	if fault, streak := v.streaks().Judge(v.plan.Guard.Blip, v.several()); fault == evidence.Outage && v.course.Split.Modern() > 0 {
		out := verdict{CauseOutage, v.plan.outageText(streak), v.evidence(v.judge())}
		out.evidence.Streak = &streak
		out.evidence.since(time.UnixMilli(streak.Since))
		return out
	}
	if !v.known {
		return verdict{}
	}
	// A broken assignment makes the test worth little for a step forward. For a
	// way back it is still believed: in doubt, the monolith (law 4).
	records := v.judge()
	if r, ok := evidence.Strongest(records); ok && r.Trips() {
		return verdict{CauseTest, v.plan.recordText(r) + v.unnoticed(r), v.evidence(records)}
	}
	if why := v.harm(); why != "" {
		out := verdict{CauseHarm, why, v.evidence(records)}
		out.evidence.since(v.cell.FirstBad(evidence.Harm, evidence.Errors, evidence.Timeouts))
		return out
	}
	return verdict{}
}

// unnoticed says so if fallback answered everything that a record counts.
func (v view) unnoticed(r evidence.Record) string {
	if v.cell.Harm == 0 && (r.Metric == evidence.Errors || r.Metric == evidence.Timeouts) {
		return "; fallback answered every one of them"
	}
	return ""
}

// shared is by how much more often than on the monolith things may go wrong on
// the service while both use up the error budget: what they share, such as a
// database, need not hit both alike.
const shared = 0.5 // δ: half as often again

// muchWorse returns the verdict on a service while both sides use up the error
// budget. That alone says that the fault is not the migration's. But a monolith
// that always fails a little uses it up as well, and must not keep a broken
// service in place: the test still speaks if it trips on one and a half times the
// monolith's rate. Where there is no rate of the monolith to hold against, it does not.
func (v view) muchWorse() (verdict, bool) {
	if !v.known {
		return verdict{}, false
	}
	metrics := v.plan.Metrics()
	for i := range metrics {
		metrics[i].Margin = max(metrics[i].Margin, shared)
	}
	records := slices.DeleteFunc(v.judgeBy(metrics), func(r evidence.Record) bool { // those that know the margin, and pairs, which ask both the same
		return r.Basis != evidence.BySplit && r.Basis != evidence.ByPair
	})
	r, ok := evidence.Strongest(records)
	if !ok || !r.Trips() {
		return verdict{}, false
	}
	return verdict{CauseTest, v.plan.recordText(r) + "; both sides use up the error budget, and " + v.plan.To + " is worse by more than half", v.evidence(records)}, true
}

// streaks are those that began after the last rollback: what was before has
// had its consequence.
func (v view) streaks() evidence.Streaks {
	var out evidence.Streaks
	for name, s := range v.cell.Streaks {
		if !v.course.RolledBackAt.IsZero() && s.Since <= v.course.RolledBackAt.UnixMilli() {
			s = evidence.Streak{Ended: max(s.Ended, v.course.RolledBackAt.UnixMilli()), Blip: s.Blip}
		}
		if out == nil {
			out = make(evidence.Streaks, len(v.cell.Streaks))
		}
		out[name] = s
	}
	return out
}
