package migrations

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// sameness returns what comparisons have not shown yet: that the share of
// mismatches is below the one allowed, with 95 % confidence, by keys. A stage in
// which nothing could be compared, such as one of writes alone, asks for none.
func (v view) sameness() []Reason {
	limit := v.plan.Guard.AtMost
	if limit <= 0 || v.cell.Observed.Sampled == 0 {
		return nil
	}
	split := v.course.Split
	if split.Share(Shadow)+split.Share(Live) == 0 {
		return nil
	}
	c := v.cell.Compared(v.several())
	what := "users whose requests were compared"
	if c.Keys == 0 { // requests without a key are compared as well
		o := v.cell.Observed
		c = evidence.Compared{Keys: o.Compared(), Differed: o.Mismatch + o.Failed + o.TimedOut}
		what = "comparisons"
	}
	if o := v.cell.Observed; v.now.Sub(v.course.Began) >= aDay && o.Compared() > c.Keys { // few users, who come again
		c = evidence.Compared{Keys: o.Compared(), Differed: o.Mismatch + o.Failed + o.TimedOut}
		what = "comparisons of a day or more"
	}
	need := evidence.Below(c.Differed, limit, evidence.Confidence)
	if c.Keys >= need {
		return nil
	}
	r := Reason{For: WaitSameness, Have: c.Keys, Need: need}
	switch {
	case evidence.AtLeast(c.Differed, c.Keys, limit) < evidence.Confidence:
		r.Text = fmt.Sprintf("answers differ for %d of %d %s, and at most %s may; see: ficus findings %s; once %s is mended, begin anew: ficus restart %s", c.Differed, c.Keys, what, percentText(limit), v.plan.ID, v.plan.To, v.plan.ID)
	case c.Differed > 0:
		r.Text = fmt.Sprintf("%d of %d %s, of which %d differ; so many are needed to show that fewer than %s do", c.Keys, need, what, c.Differed, percentText(limit))
	default:
		r.Text = fmt.Sprintf("%d of %d %s; so many are needed to show that fewer than %s differ", c.Keys, need, what, percentText(limit))
	}
	r.Text += fmt.Sprintf("; without that: ficus skip %s, or guard: {mismatches: …}", v.plan.ID)
	return []Reason{r}
}

// aDay is how long a step must have held for comparisons to count in place of
// users: where there are few users, there will never be enough.
const aDay = 24 * time.Hour

// The traffic of an endpoint that a step needs evidence of.
const (
	noticeableShare = 0.02 // of the requests of the test
	noticeable      = 20   // requests
	leastEach       = 5    // clean requests, or comparisons
)

// coverage returns the endpoints of which this step has not shown enough: those
// that were not asked, and those that fail. What is fine for the sum may fail at
// one endpoint of many.
func (v view) coverage() []Reason {
	live := v.course.Split.Modern() > 0
	several := v.several()
	count := func(g evidence.ByGroup) uint64 {
		if several {
			return g.WithoutLargest()
		}
		return g.Sum()
	}
	all := uint64(0)
	for _, e := range v.cell.Endpoints {
		all += e.Requests[evidence.Legacy].Sum() + e.Requests[evidence.Modern].Sum()
	}
	var failing, unseen []string
	for _, name := range v.cell.EndpointNames() {
		e := v.cell.Endpoints[name]
		asked, here := count(e.Requests[evidence.Modern]), count(e.Requests[evidence.Modern])+count(e.Requests[evidence.Legacy])
		if text := v.failingAt(e, count); text != "" {
			failing = append(failing, name+" ("+text+")")
			continue
		}
		if here < noticeable || float64(here) < noticeableShare*float64(all) || live && !v.reaches(e, several) {
			continue
		}
		share := percentText(math.Round(100*float64(here)/float64(max(all, 1))) / 100)
		clean := e.Clean.Sum()
		if several {
			clean = e.Clean.Capped((leastEach + 1) / 2)
		}
		switch {
		case live && asked == 0:
			unseen = append(unseen, fmt.Sprintf("%s (%s of the requests) was never asked", name, share))
		case live && clean < leastEach && !alwaysFails(e, several):
			unseen = append(unseen, fmt.Sprintf("%s (%s of the requests) has %d of %d clean requests", name, share, clean, leastEach))
		case !live && e.Compared.Sum() > 0 && e.Compared.Sum() < leastEach:
			unseen = append(unseen, fmt.Sprintf("%s (%s of the requests) has %d of %d comparisons", name, share, e.Compared.Sum(), leastEach))
		}
	}
	var out []Reason
	if len(failing) > 0 {
		out = append(out, Reason{For: WaitEndpoint, Text: v.plan.To + " fails at " + list(failing)})
	}
	if len(unseen) > 0 {
		out = append(out, Reason{For: WaitEndpoint, Text: fmt.Sprintf("too little is known of %s at: %s; without that: ficus skip %s", v.plan.To, list(unseen), v.plan.ID)})
	}
	return out
}

// reaches reports whether enough users ask an endpoint for some of them to be on
// the service, by the share: a health check or a nightly job may have one user,
// and that one is on the monolith.
func (v view) reaches(e *evidence.Endpoint, several bool) bool {
	good, bad := e.Answers(several)
	w := float64(v.course.Split.Modern()) / Buckets
	return float64(good.Sum()+bad.Sum())*w >= leastEach
}

// alwaysFails reports whether the monolith fails the users of an endpoint more
// often than not: then no clean request can be asked of the service.
func alwaysFails(e *evidence.Endpoint, several bool) bool {
	good, bad := e.Answers(several)
	return bad[evidence.Legacy] > good[evidence.Legacy]
}

// failingAt says how an endpoint of the service fails or differs, compared with
// the monolith; empty if it does not, as far as can be told. Users count by their
// first answer there, so that one who asks again and again makes no difference.
func (v view) failingAt(e *evidence.Endpoint, count func(evidence.ByGroup) uint64) string {
	const few = 3
	good, bad := e.Answers(v.several())
	service, legacy := good[evidence.Modern]+bad[evidence.Modern], good[evidence.Legacy]+bad[evidence.Legacy]
	if failed := bad[evidence.Modern]; failed >= few && legacy > 0 {
		w := float64(service) / float64(service+legacy)
		same := evidence.AtLeast(failed, failed+bad[evidence.Legacy], w)
		if none := bad[evidence.Legacy] == 0; same < chance || none && evidence.AtLeast(failed, service, 1/float64(legacy+1)) < chance {
			return fmt.Sprintf("%d of %s failed there at first, %d of %d at %s", failed, users(service), bad[evidence.Legacy], legacy, v.plan.From)
		}
	}
	differed, compared := count(e.Differed), e.Compared.Sum()
	if limit := v.plan.Guard.AtMost; limit > 0 && differed >= few && evidence.AtLeast(differed, compared, limit) < chance {
		return fmt.Sprintf("%d of %d comparisons differ there", differed, compared)
	}
	return ""
}

// chance is how seldom an endpoint that is no worse may be said to fail.
const chance = 0.001

// list writes the first few of some texts.
func list(texts []string) string {
	const most = 4
	if len(texts) <= most {
		return strings.Join(texts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(texts[:most], ", "), len(texts)-most)
}

// findings returns the open findings that hold the ramp.
func (v view) findings() []Reason {
	least := compare.Critical
	switch v.plan.Guard.Findings {
	case FindingsHigh:
		least = compare.High
	case FindingsCritical:
	default:
		return nil
	}
	var texts []string
	for _, f := range v.counts.Findings {
		if f.Severity >= int(least) && !(f.Alone && v.several()) {
			texts = append(texts, f.Text+" ("+f.ID+")")
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return []Reason{{For: WaitFinding, Text: fmt.Sprintf("open finding: %s; fix, accept or acknowledge it: ficus findings %s", list(texts), v.plan.ID)}}
}

// The severities from which an open finding holds the ramp.
const (
	FindingsCritical = "critical"
	FindingsHigh     = "high"
)
