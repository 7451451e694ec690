package routes

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// guard compiles what may hold or reverse a ramp.
func guard(at spot, g GuardConfig) migrations.Guard {
	out := migrations.Guard{FalseAlarm: float64(valueOr(g.FalseAlarm, defaultFalseAlarm))}
	if out.FalseAlarm <= 0 || out.FalseAlarm > 0.1 {
		at.key("false_alarm").fail("write a percentage above 0% and up to 10%, such as 0.1%", "no guard works with this chance of a false alarm")
	}
	out.Outcomes = or(g.Outcomes, "on") == "on"
	switch l := g.Latency; {
	case l == nil:
		out.Latency = &migrations.LatencyGuard{Quantile: quantiles["p99"], WorseBy: float64(defaultWatched)}
	case l.Off:
		if l.WorseBy != nil {
			at.key("latency").fail("write latency: off alone, or remove off", "is off, and says how much slower the service may be")
		}
	default:
		lg := &migrations.LatencyGuard{Quantile: quantiles[or(l.Quantile, "p99")], WorseBy: float64(valueOr(l.WorseBy, defaultWorseBy))}
		if lg.WorseBy > 10 {
			at.key("latency").key("worse_by").fail("write a percentage from 0% to 1000%, such as 20%", "is more than ten times slower")
		}
		out.Latency = lg
	}
	switch m := g.Mismatches; {
	case m == nil:
		out.AtMost = float64(defaultAtMost)
	case m.Off:
		if m.AtMost != nil {
			at.key("mismatches").fail("write mismatches: off alone, or remove off", "is off, and says how many may differ")
		}
	case m.AtMost == nil:
		at.key("mismatches").follow("write mismatches: {at_most: 0.1%}", "does not say how many")
	case *m.AtMost <= 0 || *m.AtMost > 1:
		at.key("mismatches").key("at_most").fail("write a percentage above 0% and up to 100%; to watch none, write mismatches: off", "is not a share that can be watched")
	default:
		out.Mismatches, out.AtMost = float64(*m.AtMost), float64(*m.AtMost)
	}
	if out.Findings = or(g.Findings, migrations.FindingsCritical); out.Findings == "none" {
		out.Findings = ""
	}
	out.Blip, out.OneNetwork = valueOr(g.Blip, defaultBlip).std(), g.Networks == "off"
	if out.Blip > 10*time.Minute {
		at.key("blip").fail("write up to 10m; 10s is enough for most restarts", "is too long for users of a service that fails")
	}
	out.Errors, out.Timeouts = float64(valueOr(g.Errors.WorseBy, 0)), float64(valueOr(g.Timeouts.WorseBy, 0))
	out.Objective, out.Saturation, out.Harm = float64(valueOr(g.Objective, defaultObjective)), float64(valueOr(g.Saturation, defaultSaturation)), max(int(g.Harm), 0)
	out.HarmBeyond = g.Harm == 0
	if out.Objective < 0.5 || out.Objective >= 1 {
		at.key("objective").fail("write a percentage from 50% to below 100%, such as 99.95%", "no error budget follows from it")
	}
	if out.Saturation > 1 {
		at.key("saturation").fail("write a percentage up to 100%; 0% turns it off", "is more than there is")
	}
	return out
}

// way compiles how an automatic rollback goes about.
func way(at spot, r RollbackConfig) migrations.Way {
	out := migrations.Way{Return: valueOr(r.Return, 0).std(), Retry: valueOr(r.Retry, 0).std(), Close: r.Upgraded == "close"}
	if r.To == string(migrations.Shadow) {
		out.To = migrations.Shadow
	}
	if out.Return > 10*time.Minute {
		at.key("return").fail("write up to 10m; 60s is enough for most caches to fill", "is too long for users of a service that is worse")
	}
	if out.Retry > 0 {
		if out.Retries = valueOr(r.Retries, defaultRetries); out.Retries < 1 {
			at.key("retries").fail("write retries: 1, or leave retry out", "is no retry at all")
		}
	} else if r.Retries != nil && *r.Retries != defaultRetries {
		at.key("retries").fail("write retry: 1h too", "never happens without a cool-down")
	}
	return out
}

var quantiles = map[string]float64{"p50": 0.5, "p90": 0.9, "p99": 0.99}
