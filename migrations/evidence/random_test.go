package evidence

import (
	"fmt"
	"time"

	"pgregory.net/rapid"
)

// drawCount draws small numbers of events.
func drawCount(t *rapid.T, name string) uint64 { return rapid.Uint64Range(0, 9).Draw(t, name) }

func drawSides(t *rapid.T) Sides { return Sides{drawCount(t, "legacy"), drawCount(t, "modern")} }

func drawTime(t *rapid.T) time.Time {
	return time.UnixMilli(1_800_000_000_000 + rapid.Int64Range(0, 4*24*3600*1000).Draw(t, "at"))
}

// sideOf is the side of a key in an epoch: the same for every gateway.
func sideOf(key Key, share int) Side {
	if int(mix(uint64(key))%Buckets) < share {
		return Modern
	}
	return Legacy
}

// cells draws what one gateway counted in a cell. Keys are few, so that
// gateways have some in common.
func cells(t *rapid.T) *Cell {
	test := rapid.Uint64Range(1, 2).Draw(t, "test")
	shares := []int{0, 20_000, 50_000, 70_000, 100_000}
	c := NewCell(test, shares[test])
	for epoch := test + 1; epoch < test+3; epoch++ {
		if rapid.Bool().Draw(t, "epoch") {
			c.Begin(epoch, shares[epoch])
		}
	}
	for range rapid.IntRange(0, 30).Draw(t, "events") {
		e := rapid.SampledFrom(c.Epochs).Draw(t, "in")
		key := Key(rapid.IntRange(0, 40).Draw(t, "key"))
		side := sideOf(key, e.Share)
		v := Vote{Key: key, Epoch: e.Seq, Side: side, Network: Network(rapid.IntRange(0, 5).Draw(t, "network")), At: drawTime(t), Several: rapid.Bool().Draw(t, "several")}
		c.Meet(v)
		metric := rapid.SampledFrom([]Metric{Errors, Timeouts, Mismatches, Pairs, Denied}).Draw(t, "metric")
		c.Vote(metric, v)
		if rapid.Bool().Draw(t, "first") {
			c.VoteFirst(metric, v)
		}
		at := c.At(rapid.SampledFrom([]string{"GET /a", "GET /b"}).Draw(t, "endpoint"))
		at.Requests[side][v.Network.Group()]++
		at.Classes[side][ClassDenied]++
		at.Before = drawCount(t, "before")
		c.VoteAt(at, metric, v)
		c.Link(metric, fmt.Sprintf("%032x-%016x", mix(uint64(key)), e.Seq))
	}
	for i := range c.Epochs {
		c.Epochs[i].Requests, c.Epochs[i].Clean, c.Epochs[i].Cohort = drawSides(t), drawSides(t), drawSides(t)
		c.Epochs[i].Keyless = drawCount(t, "keyless")
		if rapid.Bool().Draw(t, "rates") {
			c.Epochs[i].Bad = map[Metric]Sides{Errors: drawSides(t)}
		}
	}
	c.Observed = Observations{Sampled: drawCount(t, "sampled"), Match: drawCount(t, "match"), Failed: drawCount(t, "failed")}
	c.Harm, c.Earlier, c.Began = drawCount(t, "harm"), drawCount(t, "earlier"), int64(drawCount(t, "began")>>1)
	for _, gateway := range []string{"a", "b"} {
		if rapid.Bool().Draw(t, "known") {
			c.Streaks = mergeStreaks(c.Streaks, Streaks{gateway: streaks(t)})
		}
	}
	return c
}

// enforcement draws what one of a few gateways says of one of many rollbacks.
func enforcement(t *rapid.T) Enforcement {
	e := Enforcement{Seq: rapid.Uint64Range(1, 20).Draw(t, "seq"), Gateway: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "gateway"), At: drawTime(t).UTC()}
	if e.Started = rapid.Bool().Draw(t, "started"); !e.Started {
		e.LastHurt, e.LastAsked = drawTime(t).UTC(), drawTime(t).UTC()
	}
	return e
}

func streaks(t *rapid.T) Streak {
	var s Streak
	at := drawTime(t)
	for range rapid.IntRange(0, 30).Draw(t, "requests") {
		at = at.Add(time.Duration(rapid.IntRange(0, 500).Draw(t, "ms")) * time.Millisecond)
		if rapid.IntRange(0, 9).Draw(t, "ends") == 0 {
			s.End(at)
		} else {
			s.Heal(at, Network(rapid.IntRange(0, 3).Draw(t, "network")))
		}
	}
	return s
}

// counts draws what one gateway knows of a migration.
func counts() *rapid.Generator[Counts] {
	return rapid.Custom(func(t *rapid.T) Counts {
		c := Counts{At: drawTime(t).UTC(), Gateways: rapid.IntRange(0, 2).Draw(t, "gateways")}
		for _, name := range []string{"eu", "rest"} {
			if rapid.Bool().Draw(t, name) {
				if c.Cells == nil {
					c.Cells = make(map[string]*Cell)
				}
				c.Cells[name] = cells(t)
			}
		}
		for range rapid.IntRange(0, 8).Draw(t, "requests") {
			at := drawTime(t)
			c.Burn[rapid.IntRange(0, 1).Draw(t, "side")].Add(at, 1+drawCount(t, "requests"), drawCount(t, "bad"))
			c.Latency.Add(at, time.Duration(rapid.Int64Range(-1, 1e13).Draw(t, "latency")))
			c.Week.Add(at, Key(rapid.Uint64Range(0, 50).Draw(t, "key")))
			network := Network(rapid.IntRange(1, 8).Draw(t, "network"))
			c.Burn[rapid.IntRange(0, 1).Draw(t, "side")].AddFrom(at, 1, uint64(rapid.IntRange(0, 1).Draw(t, "bad")), network)
			c.Whole.Add(at, time.Duration(rapid.Int64Range(1, 1e13).Draw(t, "latency")))
			c.SeveralAt = max(c.SeveralAt, new(Crowding).See(network, at))
		}
		for _, plan := range []string{"5a1e0c7d9b3f2468", "9c4efa8003b25516"} {
			if rapid.Bool().Draw(t, "plan") {
				c.Plans = append(c.Plans, plan)
			}
		}
		if c.Lag.Known = rapid.Bool().Draw(t, "lag"); c.Lag.Known {
			c.Lag.Behind = time.Duration(drawCount(t, "behind")) * time.Second
		}
		for id := range rapid.IntRange(0, 3).Draw(t, "findings") {
			c.Findings = mergeFindings(c.Findings, []OpenFinding{{ID: string(rune('a' + id)), Severity: id, Text: "differs"}})
		}
		c.Load = float64(drawCount(t, "load")) / 10
		for range rapid.IntRange(0, 24).Draw(t, "enforced") {
			c.Enforced = MergeEnforced(c.Enforced, []Enforcement{enforcement(t)})
		}
		return c
	})
}
