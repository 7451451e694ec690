package routes

import "time"

// The defaults; the definition types say why. A test holds them against the
// default tags there, which the reference and the schema are made of.
const (
	defaultHeaderBytes = Bytes(128 << 10)
	defaultHeaderTime  = Duration(60 * time.Second)
	defaultIdleTime    = Duration(90 * time.Second)
	defaultBodySilence = Duration(60 * time.Second)
	defaultShutdown    = Duration(25 * time.Second)
	defaultTraceSample = Percent(0.1)

	defaultConnect  = Duration(60 * time.Second)
	defaultResponse = Duration(15 * time.Minute)
	defaultIdle     = Duration(5 * time.Minute)
	defaultFallback = Duration(10 * time.Second)
	defaultKeep     = Duration(4 * time.Second)
	defaultMaxIdle  = 256

	defaultHealthEvery   = Duration(5 * time.Second)
	defaultHealthTimeout = Duration(2 * time.Second)
	defaultUnhealthy     = 3
	defaultHealthy       = 2

	defaultSample         = Percent(1)
	defaultCompareTimeout = Duration(10 * time.Second)
	defaultSkew           = Duration(60 * time.Second)
	defaultFalseAlarm     = Percent(0.001)
	defaultWorseBy        = Percent(0.2)
	defaultWatched        = Percent(1)
	defaultAtMost         = Percent(0.01)
	defaultBlip           = Duration(10 * time.Second)
	defaultObjective      = Percent(0.9995)
	defaultSaturation     = Percent(0.9)
	defaultRetries        = 1
	defaultMetricEvery    = Duration(15 * time.Second)
)

func (d Duration) std() time.Duration { return time.Duration(d) }

// or returns text, or otherwise if it is empty.
func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// valueOr returns what p points to, or otherwise if the config has no value.
func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
