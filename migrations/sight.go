package migrations

import (
	"fmt"
	"math"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A Sight is what the guard can see at a step before it begins.
type Sight struct {
	Step   int
	Split  Split
	Within time.Duration // the step's hold, at least an hour
	Bad    float64       // share of the monolith's requests that are bad
	Rate   float64       // smallest share on the service that is seen within that time; 1 if none is
	Sees   bool          // any worsening is seen within that time
	Outage time.Duration // until an outage is seen; 0 if Blind
	Blind  bool          // not even an outage is seen within a week: the step needs an approval
	None   bool          // nobody, or everybody, is on the service, so that there is nothing to compare
}

// errorsWeight is what the errors of all endpoints weigh in their record at
// least: half of it is for the endpoints, and half of the rest for leaving out
// client networks in turn.
const errorsWeight = 0.25

// See returns what the guard of a plan can see at a step, by the traffic that
// is usual. test is the number that the step's test will have; 0 is that of a
// ramp without detours. gateways is how many share the migration.
func See(p Plan, step int, usual evidence.Traffic, test, gateways int) Sight {
	split := p.Split(step)
	s := Sight{Step: step, Split: split, Bad: usual.Bad, Rate: 1, Within: time.Hour}
	if step >= 1 && step <= len(p.Steps) {
		s.Within = max(s.Within, p.Steps[step-1].Hold)
	}
	if split.Modern() == 0 || split.Modern() == Buckets {
		s.None = true
		return s
	}
	if test < 1 {
		test = step
	}
	o := evidence.Outlook{
		Traffic: usual, Share: split.Modern(), Margin: p.Guard.Errors,
		Budget: evidence.Budget{Alpha: p.Guard.FalseAlarm, Test: test, Metrics: len(p.Metrics()), Gateways: gateways},
		Weight: errorsWeight,
	}
	s.Rate, s.Sees = o.Smallest(s.Within)
	within, seen := o.Until(1)
	s.Outage, s.Blind = within, !seen
	return s
}

// String says it to a person: "step 2 (live=1% shadow=99%): sees errors that
// rise from 0.2 % to 2 % within 1h0m0s, an outage after 3m0s".
func (s Sight) String() string { return fmt.Sprintf("step %d (%s): %s", s.Step, s.Split, s.What()) }

// What says what is seen.
func (s Sight) What() string {
	var text string
	switch {
	case s.None && s.Split.Modern() == 0:
		return "nobody is on the service; the guard sees comparisons only"
	case s.None:
		return "nobody is left on the monolith; without a control the guard sees outages only"
	case s.Blind:
		return "blind: not even an outage is seen within a week, so that a person must approve it"
	case !s.Sees:
		text = fmt.Sprintf("sees nothing within %s", s.Within)
	default:
		text = fmt.Sprintf("sees errors that rise from %.2g %% to %.2g %% within %s", 100*s.Bad, 100*s.Rate, s.Within)
	}
	return text + fmt.Sprintf(", an outage after %s", s.Outage.Round(time.Second))
}

// Need returns how many people an hour must come so that the guard of a plan
// sees an outage within the hold of a step, an hour at least: what to know of a
// ramp of whose traffic nothing is known. ok is false where nobody or everybody
// is on the service, or no number is enough.
func Need(p Plan, step, test int) (hourly float64, ok bool) {
	const most = 1e9
	within := See(p, step, evidence.Traffic{}, test, 1).Within
	seen := func(hourly float64) bool {
		s := See(p, step, evidence.Traffic{Hourly: hourly, PerKey: 1}, test, 1)
		return !s.None && !s.Blind && s.Outage <= within
	}
	if !seen(most) {
		return 0, false
	}
	low, high := 0.0, most
	for high-low > 1 {
		if mid := (low + high) / 2; seen(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return math.Ceil(high), true
}

// FalseAlarms returns an upper bound of the chance that any of the migrations
// is ever rolled back although its service is as good as the monolith.
func FalseAlarms(plans ...Plan) float64 {
	alphas := make([]float64, len(plans))
	for i, p := range plans {
		alphas[i] = p.Guard.FalseAlarm
	}
	return evidence.FalseAlarms(alphas...)
}
