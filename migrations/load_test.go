package migrations

import (
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A gateway that has just begun to count knows the load as well as one that runs
// for long.
func TestTheLoadOfAYoungGateway(t *testing.T) {
	const perSecond = 40
	hour := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct{ from, until time.Duration }{
		"seconds":                    {20 * time.Second, 35 * time.Second},
		"just over a minute's end":   {15 * time.Second, 62 * time.Second},
		"a minute that is not whole": {50 * time.Second, 70 * time.Second},
		"two of them":                {50 * time.Second, 150 * time.Second},
		"minutes":                    {50 * time.Second, 200 * time.Second},
		"an hour":                    {0, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			var b evidence.Burn
			for at := c.from; at < c.until; at += time.Second {
				b.Add(hour.Add(at), perSecond, 0)
			}
			now := hour.Add(c.until)
			if n := lately(b, now); n < 25*perSecond || n > 66*perSecond {
				t.Errorf("%d requests a minute now", n)
			}
			if n := most(b, now); n < 10*perSecond || n > 60*perSecond {
				t.Errorf("%d requests a minute at most", n)
			}
		})
	}
}
