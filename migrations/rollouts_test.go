package migrations

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

var update = flag.Bool("update", false, "write docs/compare-with-flagger.md")

const rolloutsPage = "../docs/compare-with-flagger.md"

// What all of them meet: a hundred requests a second of 20,000 people, of which
// one in ten is a write.
const (
	between   = 10 * time.Millisecond
	crowd     = 20_000
	writes    = 0.1
	patience  = 15 * time.Second       // of the proxies with a request that hangs
	tau       = 200 * time.Millisecond // p99 of the monolith when it is well
	seeds     = 20                     // runs of each
	watched   = 40 * time.Minute       // after which a run ends
	firstByte = 10 * time.Second       // that Ficus waits for a service before it asks the monolith
	scrape    = 15 * time.Second       // between two samples of Prometheus
)

// An answer is what one side makes of one request.
type answer struct {
	failed, wrong bool
	took          time.Duration
}

// well is an answer of an application that is well: p50 40 ms, p99 200 ms.
func well(r *rand.Rand) answer {
	return answer{took: time.Duration(40 * math.Exp(0.692*r.NormFloat64()) * float64(time.Millisecond))}
}

// failing fails for a share of the requests.
func failing(share float64) func(*rand.Rand) answer {
	return func(r *rand.Rand) answer {
		a := well(r)
		a.failed = r.Float64() < share
		return a
	}
}

// slow takes its time for a share of the requests.
func slow(share float64, took time.Duration) func(*rand.Rand) answer {
	return func(r *rand.Rand) answer {
		a := well(r)
		if r.Float64() < share {
			a.took = took
		}
		return a
	}
}

// hanging never answers; the proxy gives up.
func hanging(*rand.Rand) answer { return answer{failed: true, took: patience} }

func wrong(r *rand.Rand) answer {
	a := well(r)
	a.wrong = true
	return a
}

// starved waits for a database that has no more to give.
func starved(r *rand.Rand) answer {
	a := slow(0.3, 800*time.Millisecond)(r)
	a.failed = r.Float64() < 0.02
	return a
}

// A plantedFault is there from the first request that the service gets.
type plantedFault struct {
	name              string
	monolith, service func(*rand.Rand) answer
	hurts             func(answer) bool // the user
	rollBack          bool              // is right
}

func isBad(a answer) bool     { return a.failed || a.wrong }
func isDelayed(a answer) bool { return a.failed || a.took > 240*time.Millisecond }

var plantedFaults = []plantedFault{
	{"every request fails", failing(0.0005), failing(1), isBad, true},
	{"errors rise from 1 % to 5 %", failing(0.01), failing(0.05), isBad, true},
	{"errors rise from 0.05 % to 1 %", failing(0.0005), failing(0.01), isBad, true},
	{"one in ten takes 2 s", failing(0.0005), slow(0.1, 2*time.Second), isDelayed, true},
	{"one in ten takes 400 ms, twice the monolith's p99", failing(0.0005), slow(0.1, 400*time.Millisecond), isDelayed, true},
	{"every request hangs", failing(0.0005), hanging, isBad, true},
	{"every price is wrong, with status 200", failing(0.0005), wrong, isBad, true},
	{"a database that both share is slow and fails 2 %", starved, starved, isBad, false},
	{"nothing: both fail 1 %, as ever", failing(0.01), failing(0.01), isBad, false},
}

// An ending is how a run went.
type ending struct {
	back  bool          // rolled back
	after time.Duration // when; or when everybody was on the service, or the run ended
	all   bool          // everybody was on the service
	hurt  int           // requests that the service answered badly until then
	shown int           // of these, those whose user got to see it
	says  string        // why it stands still
}

// flagger runs the example of its documentation: each minute it looks at the
// last minute, at least 99 % must have succeeded with a p99 of at most 500 ms;
// it goes on by 5 % up to 50 %, and back after ten failed looks.
func flagger(r *rand.Rand, f plantedFault) (e ending) {
	weight, failed := 5, 0
	type done struct {
		at time.Duration
		answer
	}
	var window []done
	look := time.Minute
	for now := time.Duration(0); now < watched; now += between {
		if now >= look {
			look += time.Minute
			var took []time.Duration
			bad := 0
			for _, d := range window {
				if d.at > now-time.Minute && d.at <= now {
					took = append(took, d.took)
					if d.failed {
						bad++
					}
				}
			}
			window = slices.DeleteFunc(window, func(d done) bool { return d.at <= now })
			slices.Sort(took)
			switch {
			case len(took) == 0:
			case float64(bad) > 0.01*float64(len(took)) || took[len(took)*99/100] > 500*time.Millisecond:
				if failed++; failed == 10 {
					e.back, e.after = true, now
					return e
				}
			case weight == 50:
				e.all, e.after = true, now
				return e
			default:
				weight += 5
			}
		}
		if r.IntN(100) < weight {
			a := f.service(r)
			window = append(window, done{now + a.took, a})
			if f.hurts(a) {
				e.hurt++
				e.shown++
			}
		}
	}
	e.after = watched
	return e
}

// argo runs the example of the documentation of Argo Rollouts: 20 % for ten
// minutes, then 40, 60 and 80 %, and, from 40 % on, a look every five minutes:
// at least 95 % must have succeeded between the last two samples, and it goes
// back at the third that did not.
func argo(r *rand.Rand, f plantedFault) (e ending) {
	failed, bad, all := 0, 0, 0
	look := 10 * time.Minute
	for now := time.Duration(0); now < watched; now += between {
		if now == look {
			look += 5 * time.Minute
			if all > 0 && float64(all-bad) < 0.95*float64(all) {
				if failed++; failed == 3 {
					e.back, e.after = true, now
					return e
				}
			}
		}
		if now%scrape == 0 {
			bad, all = 0, 0
		}
		if r.IntN(100) < 20*(1+int(now/(10*time.Minute))) {
			a := f.service(r)
			all++
			if a.failed {
				bad++
			}
			if f.hurts(a) {
				e.hurt++
				e.shown++
			}
		}
	}
	e.all, e.after = true, watched
	return e
}

// ficus runs [Decide] on what its gateway would count at 5 % live.
func ficus(t *testing.T, r *rand.Rand, f plantedFault) (e ending) {
	s := orders(t, "live=5%", "live=50%").replan(func(p *Plan) {
		p.Guard.Latency, p.Guard.Mismatches = &LatencyGuard{Quantile: 0.99, WorseBy: 0.2}, 0.001
		p.Steps[0].Hold = time.Hour
	})
	s.want(Stepped, "")
	began := s.now
	cell, course := s.cell(""), s.m().Course("")
	epoch := cell.Epoch(course.Epoch)
	limit := evidence.Tolerance{Tau: tau, WorseBy: 0.2}
	decide := func(at time.Time) bool {
		s.now, s.counts.At = at, at
		for _, event := range s.decide() {
			e.says = event.Reason
			if event.Kind == RolledBack {
				e.back, e.after = true, at.Sub(began)
				return true
			}
		}
		return false
	}
	for i := 0; i < int(watched/between); i++ {
		now := began.Add(time.Duration(i) * between)
		who := r.IntN(crowd)
		key, side, ask := evidence.Key(who+1), evidence.Legacy, f.monolith
		if who < crowd/20 {
			side, ask = evidence.Modern, f.service
		}
		a := ask(r)
		cell.Saw(key, course.Epoch, side)
		epoch.Requests[side]++
		bad, seen := uint64(0), now.Add(a.took)
		late := a.took > limit.Limit(side)
		if a.failed {
			bad = 1
		}
		s.counts.Burn[side].Add(now, 1, bad)
		if epoch.Bad == nil {
			epoch.Bad = map[evidence.Metric]evidence.Sides{}
		}
		count := func(m evidence.Metric) {
			sides := epoch.Bad[m]
			sides[side]++
			epoch.Bad[m] = sides
			cell.Count(m, key, course.Epoch, side)
		}
		if late {
			seen = now.Add(limit.Limit(side))
			count(slowest)
		}
		if a.failed && a.took < firstByte {
			count(evidence.Errors)
		}
		if bad == 0 && !late {
			epoch.Clean[side]++
		}
		if side == evidence.Modern {
			cell.Observed.Sampled++
			switch {
			case a.failed:
				cell.Observed.Failed++
			case a.wrong:
				cell.Observed.Mismatch++
				cell.Count(evidence.Mismatches, key, course.Epoch, evidence.Modern)
			default:
				cell.Observed.Match++
				cell.Count(evidence.Mismatches, key, course.Epoch, evidence.Legacy)
			}
			if f.hurts(a) {
				e.hurt++
				if !a.failed || r.Float64() < writes { // a read that failed was answered by the monolith
					e.shown++
				}
			}
		}
		alarm := side == evidence.Modern && (a.failed || a.wrong || late)
		if (alarm || i%500 == 0) && decide(seen) {
			return e
		}
	}
	e.after = watched
	return e
}

// endings are those of all seeds.
type endings []ending

func (all endings) backs() int {
	n := 0
	for _, e := range all {
		if e.back {
			n++
		}
	}
	return n
}

// mean rounds to two digits.
func (all endings) mean(of func(ending) float64) float64 {
	sum := 0.0
	for _, e := range all {
		sum += of(e)
	}
	m := sum / float64(len(all))
	if m < 10 {
		return math.Round(m)
	}
	scale := math.Pow(10, math.Floor(math.Log10(m))-1)
	return math.Round(m/scale) * scale
}

func (all endings) after() string {
	d := time.Duration(all.mean(func(e ending) float64 { return e.after.Seconds() * 10 })) * time.Second / 10
	if d >= time.Minute {
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.2g s", d.Seconds())
}

// String says when it went back, or that it did not.
func (all endings) String() string {
	switch n := all.backs(); {
	case n == len(all):
		return all.after()
	case n > 0:
		return fmt.Sprintf("%d of %d runs, %s", n, len(all), slices.DeleteFunc(slices.Clone(all), func(e ending) bool { return !e.back }).after())
	case all[0].all:
		return "never: everybody is on it after " + all.after()
	}
	return "no"
}

func (all endings) count(of func(ending) int) string {
	return fmt.Sprintf("%.0f", all.mean(func(e ending) float64 { return float64(of(e)) }))
}

func hurt(e ending) int  { return e.hurt }
func shown(e ending) int { return e.shown }

const rolloutsIntro = `# Side by side with Flagger and Argo Rollouts

[Flagger](https://fluxcd.io/flagger/) and [Argo Rollouts](https://argoproj.github.io/rollouts/) move a new version of a deployment forward by steps, and back when a metric says so. This page plants the same faults before the rules of all three. **It is computed, not
measured**: by ` + "`go test ./migrations -run Rollouts`" + `, which simulates the traffic, applies the rules below to it and holds this page against the result (` + "`-update`" + ` writes it). Neither Flagger nor Argo Rollouts was run. Of Ficus the decision itself runs, on what its gateway would count.

## The rules

Neither tool has thresholds of its own: they are yours to choose. Taken are those of their documentation, which is what many begin with.

- **Flagger**: [how it works](https://fluxcd.io/flagger/usage/how-it-works/) and [metrics](https://fluxcd.io/flagger/usage/metrics/). Every minute (` + "`interval: 1m`" + `) it looks at the last minute: at least 99 % without a 5xx, a p99 of at most 500 ms. Each look that passes gives the new version 5 % more (` + "`stepWeight: 5`" + `),
  up to 50 % and then everything; each that fails halts it, and the tenth takes it back (` + "`threshold: 10`" + `).
- **Argo Rollouts**: the [background analysis](https://argo-rollouts.readthedocs.io/en/stable/features/analysis/) of its documentation. 20, 40, 60 and 80 %, ten minutes each. From 40 % on (` + "`startingStep: 2`" + `), every five minutes, at least 95 % of the requests between the last two samples of Prometheus (here 15 s apart) must be without a 5xx; at
  the third look that fails it aborts (` + "`failureLimit: 3`" + `, as the text there says; its code takes a fourth). The example has no metric of latency.
- **Ficus**: ` + "`live: 5%`" + ` as the first step, ` + "`false_alarm: 0.1%`" + `, ` + "`latency: {quantile: p99, worse_by: 20%}`" + `, ` + "`mismatches: {at_most: 0.1%}`" + `, comparing all of it, fallback as it is by default. A ramp should begin in ` + "`shadow`" + `, where every one of these faults is seen before anybody is on the service; here it does not, since the others can't.

## The traffic

A hundred requests a second of 20,000 people; one in ten is a write, which is not sent twice. An application that is well answers with a p50 of 40 ms and a p99 of 200 ms, and fails one in 2,000. What hangs is given up by the proxy after 15 s. The fault is there from the first request that the new version gets.
Means of 20 runs of 40 minutes at most.

## What becomes of it

*Rolled back* is the time from the first request. *Bad answers* are those that users saw until then: failed, wrong, or slower than 240 ms where slowness is the fault. *Failed on the service* are those that Ficus counts; reads among them were answered by the monolith.

| fault | Flagger: rolled back | bad answers | Argo Rollouts: rolled back | bad answers | Ficus: rolled back | failed on the service | bad answers |
|---|---|---|---|---|---|---|---|
`

// rolloutsRow computes a row of the page, and returns what Ficus says at its end.
func rolloutsRow(t *testing.T, row int) (text, says string) {
	f := plantedFaults[row]
	var theirs, argos, ours endings
	for seed := range seeds {
		source := func(tool uint64) *rand.Rand { return rand.New(rand.NewPCG(uint64(row)<<8|tool, uint64(seed))) }
		theirs = append(theirs, flagger(source(1), f))
		argos = append(argos, argo(source(2), f))
		ours = append(ours, ficus(t, source(3), f))
	}
	n := ours.backs()
	if f.rollBack && n < seeds || !f.rollBack && n > 0 {
		t.Errorf("%s: Ficus rolled back %d of %d times", f.name, n, seeds)
	}
	mine := ours.String()
	if n == 0 {
		mine = "no, it holds"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |\n", f.name, theirs, theirs.count(shown), argos, argos.count(shown), mine, ours.count(hurt), ours.count(shown)), ours[0].says
}

// The page is what the rules amount to: two rows of it are computed each time,
// all with FICUS_SOAK=1.
func TestSideBySideWithOtherRollouts(t *testing.T) {
	if !*update && os.Getenv("FICUS_SOAK") != "1" {
		page, err := os.ReadFile(rolloutsPage)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range []int{0, 3} {
			if text, _ := rolloutsRow(t, row); !strings.Contains(string(page), text) {
				t.Errorf("%s is not what the rules amount to, which is\n%s\nrun the test with -update", rolloutsPage, text)
			}
		}
		if !strings.HasPrefix(string(page), rolloutsIntro) {
			t.Errorf("%s begins otherwise than the test has it; run it with -update", rolloutsPage)
		}
		return
	}
	var b strings.Builder
	b.WriteString(rolloutsIntro)
	shared := ""
	for row, f := range plantedFaults {
		text, says := rolloutsRow(t, row)
		b.WriteString(text)
		if f.name == plantedFaults[7].name {
			shared = says
		}
	}
	b.WriteString(`
The last two rows plant no fault of the service: there a rollback is a false alarm, and the answers that failed would have failed on the monolith.

Where both share a slow database Ficus says: *` + shared + `*

## How to read it

- A threshold looks at the new version alone. It can't tell its fault from one that all share, it does not see what stays below it, and it is as slow as the window and the number of looks that keep it from being rash. Shorter intervals and fewer looks make both tools faster, and rasher.
- Ficus holds the service against the monolith on the same traffic. That needs a monolith that still answers, and people who can be told apart.
- Both tools take any metric that you have, of any system, and move deployments, with what a release of one needs: promotion, scaling, hooks. Ficus moves paths between two applications, and knows what it sees itself.
- In Ficus reads cost nobody anything, since the monolith answers them: that needs the data to be current there. Hung reads are answered after 10 s, unless ` + "`fallback: {after: ...}`" + ` is shorter.
`)
	if *update {
		if err := os.WriteFile(rolloutsPage, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	page, err := os.ReadFile(rolloutsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != b.String() {
		t.Errorf("%s is not what the rules amount to; run the test with -update", rolloutsPage)
	}
}
