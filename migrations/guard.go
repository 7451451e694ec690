package migrations

import (
	"fmt"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Metrics returns what the guard of p tests, each with what it is held
// against. Their number is K.
func (p Plan) Metrics() []evidence.Guard {
	out := []evidence.Guard{
		{Metric: evidence.Errors, Margin: p.Guard.Errors},
		{Metric: evidence.Timeouts, Margin: p.Guard.Timeouts},
	}
	if p.Guard.Latency != nil {
		out = append(out, evidence.Guard{Metric: evidence.Slow})
	}
	if p.Guard.Mismatches > 0 {
		out = append(out, evidence.Guard{Metric: evidence.Mismatches, Basis: evidence.ByRate, Rate: p.Guard.Mismatches})
	}
	return out
}

// Slow returns what counts as slow in the present test of a cell; ok is false
// if latency is not watched, or nothing is known of the monolith's.
func (p Plan) Slow(c Course) (t evidence.Tolerance, ok bool) {
	if p.Guard.Latency == nil || c.Tau <= 0 {
		return t, false
	}
	return evidence.Tolerance{Tau: c.Tau, WorseBy: p.Guard.Latency.WorseBy}, true
}

func (p Plan) objective() float64 {
	if p.Guard.Objective > 0 {
		return p.Guard.Objective
	}
	return evidence.Objective
}

// judge returns the records of the present test: none where the share is not
// known that they would be held against.
func (v view) judge() []evidence.Record { return v.judgeBy(v.plan.Metrics()) }

func (v view) judgeBy(metrics []evidence.Guard) []evidence.Record {
	if v.course.Unknown {
		return nil
	}
	budget := evidence.Budget{Alpha: v.plan.Guard.FalseAlarm, Test: v.course.K, Gateways: v.counts.Gateways, Own: v.counts.Own}
	records := v.cell.Judge(v.eventCell(), metrics, budget)
	for i := range records {
		if records[i].Metric == evidence.Slow {
			records[i].Tau = v.course.Tau
		}
	}
	return records
}

// evidence returns what a decision is made from, the strongest record first.
func (v view) evidence(records []evidence.Record) *Evidence {
	out := &Evidence{
		Observed: v.cell.Observed, Harm: v.cell.Harm, At: v.counts.At.UTC().Truncate(time.Microsecond), Gateways: v.counts.Gateways, Own: v.counts.Own,
	}
	if v.counts.At.IsZero() {
		out.At = time.Time{}
	}
	out.Epochs = v.cell.Past()
	strongest, ok := evidence.Strongest(records)
	for _, r := range records {
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
	if fault, streak := v.streaks().Judge(); fault == evidence.Outage && v.course.Split.Modern() > 0 {
		out := verdict{CauseOutage, fmt.Sprintf("outage: %d requests in a row failed on the service within %s, and the monolith answered them",
			streak.Healed, time.Duration(streak.Last-streak.Since)*time.Millisecond), v.evidence(v.judge())}
		out.evidence.Streak = &streak
		return out
	}
	if !v.known {
		return verdict{}
	}
	// A broken assignment makes the test worth little for a step forward. For a
	// way back it is still believed: in doubt, the monolith (law 4).
	records := v.judge()
	if r, ok := evidence.Strongest(records); ok && r.Trips() {
		return verdict{CauseTest, r.String(), v.evidence(records)}
	}
	if limit := v.plan.Guard.Harm; limit > 0 && v.cell.Harm >= uint64(limit) && v.course.Split.Modern() > 0 {
		return verdict{CauseHarm, fmt.Sprintf("%d requests failed for the user in this step, and the plan allows %d", v.cell.Harm, limit), v.evidence(records)}
	}
	return verdict{}
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
	records := slices.DeleteFunc(v.judgeBy(metrics), func(r evidence.Record) bool { return r.Basis != evidence.BySplit })
	r, ok := evidence.Strongest(records)
	if !ok || !r.Trips() {
		return verdict{}, false
	}
	return verdict{CauseTest, r.String() + "; both sides use up the error budget, and the service is worse by more than half", v.evidence(records)}, true
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
