package migrations

import (
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// fresh reports whether the counts are those of all gateways, and young
// enough to move forward on.
func (v view) fresh() bool {
	return !v.counts.Own && !evidence.IsStale(v.counts.At, v.now)
}

// unproven returns what the present step has not shown yet: never is time
// alone enough.
func (v view) unproven() []Reason {
	c := v.course
	var out []Reason
	if c.Step <= len(v.plan.Steps) {
		if until := c.Began.Add(v.plan.Steps[c.Step-1].Hold); until.After(v.now) {
			out = append(out, Reason{For: WaitHold, Text: fmt.Sprintf("%s of this step are left", until.Sub(v.now).Round(time.Second)), Until: until})
		}
	}
	if !v.fresh() {
		return append(out, Reason{For: WaitCounts, Text: "the counts of all gateways are not fresh; without them nothing moves forward"})
	}
	if v.cell.Requests().Sum() == 0 && v.cell.Observed.Sampled == 0 {
		return append(out, Reason{For: WaitTraffic, Text: "there was no request with a targeting key in this step"})
	}
	out = append(out, v.sample()...)
	out = append(out, v.sameness()...)
	out = append(out, v.coverage()...)
	for _, why := range []string{v.plan.Guard.Unreported(v.counts, c.Test, c.Began, v.now), v.plan.Guard.FewPeople(v.cell.Seen.Total())} {
		if why != "" {
			out = append(out, Reason{For: WaitMetric, Text: why})
		}
	}
	if r := v.cell.RatioCheck(v.eventCell(), c.K, v.several()); r.Trips() {
		out = append(out, Reason{For: WaitRatio, Text: "users are not where the split says, so the counts prove nothing: " + r.String()})
	}
	if r, ok := evidence.Strongest(v.judge()); ok && r.Trips() {
		out = append(out, Reason{For: WaitService, Text: v.plan.recordText(r)})
	}
	out = append(out, v.late()...)
	return append(out, v.monolith()...)
}

// late returns whether the service often has to be given up before it begins
// to answer. Such requests are slow, and where no latency is guarded no test
// sees that.
func (v view) late() []Reason {
	var requests, slow uint64
	for _, e := range v.cell.Epochs {
		requests += e.Requests[evidence.Modern]
		slow += e.Bad[evidence.Slow][evidence.Modern]
	}
	if v.plan.Guard.Latency != nil || slow < evidence.FewFailures || slow*100 < requests {
		return nil
	}
	return []Reason{{For: WaitService, Text: fmt.Sprintf("%s had not begun to answer %d of its %d requests when fallback gave it up; with guard: {latency: …} that would be tested", v.plan.To, slow, requests)}}
}

// sample returns which of the requests and comparisons are missing.
func (v view) sample() []Reason {
	var step Step
	if n := v.course.Step; n <= len(v.plan.Steps) {
		step = v.plan.Steps[n-1]
	}
	compared := v.cell.Observed.Compared()
	needClean, needCompared := uint64(max(step.Requests, 0)), uint64(max(step.Observations, 0))
	var out []Reason
	switch split := v.course.Split; {
	case split.Modern() > 0:
		needClean = max(needClean, LeastClean)
		if have := v.cell.ActiveKeys(v.several()); have < evidence.FewKeys && split.Modern() < Buckets {
			out = append(out, Reason{For: WaitKeys, Text: fmt.Sprintf("%d of at least %d users on %s", have, evidence.FewKeys, v.plan.To), Have: have, Need: evidence.FewKeys})
		}
	case split.Share(Shadow) > 0:
		needClean, needCompared = 0, max(needCompared, LeastClean)
	default:
		needClean = 0
		if have := v.cell.Requests().Sum(); have < LeastClean {
			out = append(out, Reason{For: WaitTraffic, Text: fmt.Sprintf("%d of %d requests", have, LeastClean), Have: have, Need: LeastClean})
		}
	}
	if clean := v.cell.CleanOf(needClean, v.several()); clean < needClean {
		out = append(out, Reason{For: WaitRequests, Text: fmt.Sprintf("%d of %d clean requests on %s", clean, needClean, v.plan.To), Have: clean, Need: needClean})
	}
	if compared < needCompared {
		out = append(out, Reason{For: WaitObservations, Text: fmt.Sprintf("%d of %d comparisons", compared, needCompared), Have: compared, Need: needCompared})
	}
	return out
}

// monolith returns whether the monolith itself is in such a state that nothing
// can be held against it: much slower than it was, or failing.
func (v view) monolith() []Reason {
	firstByte := evidence.Latencies[evidence.FirstByteP99].Metric
	var requests, slow uint64
	for _, e := range v.cell.Epochs {
		requests += e.Requests[evidence.Legacy]
		slow += e.Bad[firstByte][evidence.Legacy]
	}
	if keys := v.cell.Bad[firstByte]; keys != nil && v.several() { // one client alone makes no evidence
		worst := uint64(0)
		for _, n := range keys.ByNetwork() {
			worst = max(worst, n[evidence.Legacy])
		}
		if all := keys.Total()[evidence.Legacy]; 2*worst >= all {
			slow = 0
		}
	}
	const few = 20 // requests of which no share is told
	if q := evidence.Latencies[evidence.FirstByteP99].Quantile; v.plan.Guard.Latency != nil && requests >= few && float64(slow) > 5*(1-q)*float64(requests) {
		return []Reason{{For: WaitControl, Text: fmt.Sprintf("%s itself is slower than it was: %d of its %d requests took more than %s", v.plan.From, slow, requests, roundTime(v.course.Tau))}}
	}
	const window = 5 * time.Minute
	if asked, bad := v.counts.Burn[evidence.Legacy].Last(window, v.now, v.several()); asked >= few && bad*10 > asked {
		return []Reason{{For: WaitControl, Text: fmt.Sprintf("%s itself fails: %d of its %d requests in the last %s", v.plan.From, bad, asked, window)}}
	}
	return nil
}

// merit says what the step that ends has shown.
func (v view) merit() string {
	if v.course.Split.Modern() > 0 {
		clean := v.cell.Clean()
		return fmt.Sprintf("%d clean requests on %s: at most %.2g %% are bad, with 95 %% confidence", clean, v.plan.To, 100*evidence.CleanBound(clean, evidence.Confidence))
	}
	if o := v.cell.Observed; o.Compared() > 0 {
		return fmt.Sprintf("%d comparisons, of which %d differ or failed", o.Compared(), o.Mismatch+o.Failed+o.TimedOut)
	}
	return fmt.Sprintf("%d requests", v.cell.Requests().Sum())
}

// hold makes a running ramp stand still, in the log, for what somebody should
// be told of.
func (v view) hold() (Event, bool) {
	if v.course.Ramp != RampRunning || v.course.Test == 0 || v.course.Completed() {
		return Event{}, false
	}
	for _, r := range v.trouble(v.course.Began) {
		if cause, ok := heldFor[r.For]; ok && !(cause == CauseBlip && v.young()) {
			return Event{Kind: Held, Cause: cause, Reason: r.Text}, true
		}
	}
	if !v.known {
		return Event{}, false
	}
	if r := v.cell.RatioCheck(v.eventCell(), v.course.K, v.several()); r.Trips() {
		out := &Evidence{Records: []evidence.Record{r}, Epochs: v.cell.Clone().Epochs, Gateways: v.counts.Gateways}
		return Event{Kind: Held, Cause: CauseRatio, Evidence: out,
			Reason: "users are not where the split says, so the counts prove nothing; find out why, then: ficus restart " + v.plan.ID}, true
	}
	return Event{}, false
}

// youth is how long failures in a row may be a rollback in the making. To write
// a hold into the log first would make people wait who are on the service.
const youth = time.Second

// young reports whether requests have begun to fail in a row just now.
func (v view) young() bool {
	fault, streak := v.streaks().Judge(v.plan.Guard.Blip, v.several())
	return fault == evidence.Blink && v.now.UnixMilli()-streak.Since < youth.Milliseconds()
}

var heldFor = map[Wait]Cause{WaitBurn: CauseBurn, WaitLag: CauseLag, WaitService: CauseBlip, WaitControl: CauseControl, WaitFinding: CauseFinding}
