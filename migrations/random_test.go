package migrations

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// splits draws splits of any shape.
func splits() *rapid.Generator[Split] {
	return rapid.Custom(func(t *rapid.T) Split {
		split, err := NewSplit(shares(t, Stages)...)
		if err != nil {
			t.Fatal(err)
		}
		return split
	})
}

// shares draws shares of some of the stages that add up to at most all buckets.
func shares(t *rapid.T, of []Stage) []Share {
	var drawn []Share
	left := Buckets
	for _, stage := range rapid.Permutation(of).Draw(t, "stages")[:rapid.IntRange(0, len(of)).Draw(t, "number of shares")] {
		n := rapid.OneOf(
			rapid.IntRange(0, left),
			rapid.SampledFrom([]int{0, 1, 99, 999, Buckets}),
			rapid.Map(rapid.IntRange(0, 100), func(n int) int { return n * Buckets / 100 }),
		).Draw(t, "share")
		n = min(n, left)
		left -= n
		drawn = append(drawn, Share{stage, n})
	}
	return drawn
}

// someIDs are few, so that events meet.
var someIDs = []string{"orders", "carts", "users", "search"}

// someKinds are all that a log takes at any time, those that move most often.
var someKinds = slices.DeleteFunc(append([]Kind{Shifted, Shifted, Created, Resumed, Resumed, Stepped, Stepped, Stepped}, Kinds...), func(k Kind) bool { return k == Restored })

// randomEvent draws an event for s, which may or may not fit.
func randomEvent(t *rapid.T, s State) Event {
	e := Event{
		Seq:       s.Seq + 1,
		Time:      s.Time.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second),
		Migration: rapid.SampledFrom(someIDs).Draw(t, "id"),
		Kind:      rapid.SampledFrom(someKinds).Draw(t, "kind"),
		Actor:     rapid.StringN(0, 5, -1).Draw(t, "actor"),
		Reason:    rapid.StringN(0, 20, -1).Draw(t, "reason"),
	}
	if s.Time.IsZero() {
		e.Time = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	}
	switch e.Kind {
	case Created, Planned:
		e.From, e.To, e.Key = "monolith", e.Migration, "cookie:uid"
		e.Plan = fmt.Sprintf("%016x", rapid.Uint64().Draw(t, "plan"))
	case Renamed:
		e.From = rapid.SampledFrom(someIDs).Draw(t, "former id")
	case Shifted, Stepped, Skipped, Returning:
		e.Split = splits().Draw(t, "split")
		e.Steps, e.Tau = rapid.IntRange(0, 5).Draw(t, "steps"), time.Duration(rapid.IntRange(0, 3).Draw(t, "tau"))*time.Second
	case Held:
		e.Cause = rapid.SampledFrom([]Cause{"", CauseBlip, CauseStuck}).Draw(t, "cause")
	case Flagged:
		e.Source = rapid.SampledFrom([]string{"file:flags.json", "file:flags.json", BuiltIn, ""}).Draw(t, "source")
		e.Version = rapid.SampledFrom([]string{"1", "2", ""}).Draw(t, "version")
		if rapid.Bool().Draw(t, "known") {
			e.Split = splits().Draw(t, "split")
		}
	case Frozen, Thawed:
		if rapid.Bool().Draw(t, "all") {
			e.Migration = Every
		}
	case RolledBack:
		e.Split = All(rapid.SampledFrom([]Stage{Off, Off, Shadow, Live}).Draw(t, "stage"))
		e.DataLoss = rapid.Bool().Draw(t, "data loss")
	}
	switch e.Kind {
	case Resumed, Planned, Stepped, Skipped, Approved:
		e.Step = rapid.IntRange(-1, 5).Draw(t, "step")
	case Created, Flagged:
	default:
		e.Cell = rapid.SampledFrom([]string{"", "", "", Rest, "eu", "us"}).Draw(t, "cell")
	}
	if e.Kind == Created || e.Kind == Planned {
		for _, name := range []string{"eu", "us"} {
			if rapid.Bool().Draw(t, name) {
				if e.Cells == nil {
					e.Cells = Cells{}
				}
				e.Cells[name] = rapid.IntRange(0, 5).Draw(t, "step of "+name)
			}
		}
	}
	if rapid.IntRange(0, 20).Draw(t, "odd") == 0 { // now and then, what no log would write
		switch rapid.SampledFrom([]string{"seq", "time", "kind", "id", "every"}).Draw(t, "oddity") {
		case "seq":
			e.Seq += uint64(rapid.IntRange(1, 2).Draw(t, "gap"))
		case "time":
			e.Time = e.Time.Add(-time.Hour)
		case "kind":
			e.Kind = "teleported"
		case "id":
			e.Migration = ""
		case "every":
			e.Migration = Every
		}
	}
	return e
}
