package flags

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

const (
	journeyFor  = 30 * time.Minute // without a request, after which a journey is over
	journeyMost = 2 * time.Hour    // for which a journey is kept from a flip, however busy it is
	clocks      = 10 * time.Second // by which the log's clock and ours may differ
)

// A Journey is what a person is in the middle of, in a migration with journeys:
// a form, a login, a wizard, an upload, a job that is asked about, a download.
// The side on which it began knows of it, and the other may not. The zero
// value is none.
type Journey struct {
	Side  migrations.Side // that answered; empty: the person is on no journey
	At    time.Time       // of the answer that was noted last
	Until time.Time       // to which it is kept where the flag does not place it; zero: it is where the flag places it
}

// Journey returns the journey that the client's cookie tells of.
func (a *Assigner) Journey(in *Input) (j Journey) {
	if !in.Plan.Journeys {
		return j
	}
	id := journeyID(in.Plan.ID)
	for _, e := range a.remembered(in.Request.Header) {
		if e.migration == id {
			j = Journey{Side: e.side, At: time.Unix(e.until, 0).Add(-journeyFor)}
			if e.kept > 0 {
				j.Until = time.Unix(e.kept, 0)
			}
		}
	}
	return j
}

// A Stay is what a journey makes of one request.
type Stay struct {
	Side    migrations.Side // that answers
	Placed  migrations.Side // that the flag gives
	Broken  bool            // the journey was on the other side, and may not go on there
	Outside bool            // the request is not in the test, since the hash of its key did not place it alone
	journey Journey
}

// Kept reports whether the journey, and not the flag, chose the side.
func (s Stay) Kept() bool { return s.Side != s.Placed }

// On returns the side that the journey was on; empty if there is none.
func (s Stay) On() migrations.Side { return s.journey.Side }

// Keep returns where a request goes that the flag places on a side, if the
// client is on a journey.
//
// A flip forward breaks none: whoever is in the middle of something on the
// monolith stays there, safe requests and unsafe ones, until nothing has been
// asked for half an hour, and for two hours after the flip at most. So it is
// at complete too where both sides share the data; elsewhere the monolith may
// not take a write any more, and the journey is broken.
//
// The way back waits for nobody. After a rollback everything goes to the
// monolith, and a journey on the service is broken. After a shift by hand safe
// requests follow the split, and a form that the service drew is still
// answered by it. Cohorts are for looking at a side, so safe requests follow
// theirs.
//
// In the test are only requests that the hash alone has placed. A person who
// is kept on the monolith is not; that takes from the service's counts alone,
// and so can hide but not feign. An unsafe request on the service is not if the
// journey was last noted before the present split: after a shift back others
// like it stay there whom the hash gives to the monolith, and are missing from
// its counts.
func (a *Assigner) Keep(in *Input, asg *Assignment, placed migrations.Side) Stay {
	j := a.Journey(in)
	s := Stay{Side: placed, Placed: placed, journey: j}
	if !in.Safe && !in.Plan.Follows() && asg.Stage != migrations.Complete {
		return s // unsafe requests have a place of their own
	}
	switch {
	case j.Side == "":
	case j.Side == placed:
		s.Outside = !in.Safe && placed == migrations.Modern && in.State != nil && !j.At.After(in.State.Since.Add(clocks))
	case j.Side == migrations.Legacy:
		switch {
		case in.Safe && (asg.Cohort != "" || j.over(a.now())):
		case asg.Stage == migrations.Complete && in.Plan.Data != migrations.DataShared:
			s.Broken = true
		default:
			s.Side, s.Outside = j.Side, true
		}
	case !in.Safe && j.mayStay(in):
		s.Side, s.Outside = j.Side, true
	default:
		s.Broken = true
	}
	return s
}

// over reports whether the journey has been kept from a flip for long enough.
func (j Journey) over(now time.Time) bool { return !j.Until.IsZero() && !now.Before(j.Until) }

// mayStay reports whether a journey may go on on the service although the flag
// gives the monolith.
func (j Journey) mayStay(in *Input) bool {
	m := in.State
	switch {
	case m == nil || m.Retired || in.Plan.Retired:
		return false
	case m.Return != nil || m.RolledBack && m.Split.Modern() == 0:
		return false
	}
	return j.At.After(m.RolledBackAt)
}

// Flipped reports whether somebody may still be in the middle of what began on
// the monolith before the split last changed.
func (a *Assigner) Flipped(in *Input) bool {
	return in.Plan.Journeys && in.State != nil && a.now().Before(in.State.Since.Add(journeyMost))
}
