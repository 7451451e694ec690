package evidence

import "time"

// first notes when a bad event on the service was. The map is bounded by the
// number of metrics.
func (c *Cell) first(m Metric, v Vote) {
	if v.Side == Modern && !v.At.IsZero() {
		c.began(m, v.At.UnixMilli())
	}
}

func (c *Cell) began(m Metric, ms int64) {
	if have, ok := c.First[m]; ok && have <= ms {
		return
	}
	if c.First == nil {
		c.First = make(map[Metric]int64)
	}
	c.First[m] = ms
}

// FirstBad returns when the first bad event of a metric on the service was in
// the present test, and of several the first of all; zero if none is known.
func (c *Cell) FirstBad(metrics ...Metric) (at time.Time) {
	for _, m := range metrics {
		if ms, ok := c.First[m]; ok && (at.IsZero() || ms < at.UnixMilli()) {
			at = time.UnixMilli(ms).UTC()
		}
	}
	return at
}
