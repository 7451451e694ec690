package migrations

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A Weighing is the present test of one cell, as [Decide] sees it.
type Weighing struct {
	Cell    string            // name; empty: the migration has no cells
	Course  Course            //
	Known   bool              // somebody counted in this test; else Counts are empty
	Counts  *evidence.Cell    // never nil
	Records []evidence.Record // by metric, in the order of [Plan.Metrics]; none: no test runs, or the share is not known
	Several bool              // clients of several networks are known, so that no decision rests on one
	Ratio   evidence.Record   // whether people are where the split says; zero where there are no Records
}

// Weigh returns the present test of every cell of the migration of p, in the
// order in which they advance.
func Weigh(s State, p Plan, counts evidence.Counts, now time.Time) []Weighing {
	var out []Weighing
	for _, v := range views(s, p, counts, now) {
		w := Weighing{Cell: v.eventCell(), Course: v.course, Known: v.known, Counts: v.cell, Several: v.several()}
		if v.course.Test != 0 {
			w.Records = v.judge()
		}
		if v.course.Test != 0 && !v.course.Unknown {
			w.Ratio = v.cell.RatioCheck(v.eventCell(), v.course.K, v.several())
		}
		out = append(out, w)
	}
	return out
}
