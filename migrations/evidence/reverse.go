package evidence

// Excuse counts a failure of the service that is not held against it: the
// monolith shared it, or a restart is over. It still counts where it is asked
// whether the monolith is the worse side, or that would be told from one half of
// what both failed.
func (c *Cell) Excuse(m Metric, v Vote) bool { return c.Vote(m.excused(), v) }

// Reverse returns the record of the same test with the sides exchanged: how
// strongly a metric says that the monolith is the worse one. It must stand
// without any one network as well.
func (c *Cell) Reverse(name string, m Metric, b Budget, several bool) Record {
	r := Record{Cell: name, Metric: m, Reversed: true, Odds: Worse(), Budget: b, Threshold: b.Threshold()}
	r.Parts, r.Networks, _ = c.parts(Guard{Metric: m}, []source{{weight: 1, keys: c.Bad[m]}}, several)
	excused := c.Bad[m.excused()]
	for i, s := range r.Parts[0].Epochs {
		r.Parts[0].Epochs[i] = Sample{Epoch: s.Epoch, W: 1 - s.W, Service: s.Legacy, Legacy: s.Service}
		if excused != nil {
			r.Parts[0].Epochs[i].Legacy += excused.In(s.Epoch)[Modern]
		}
	}
	for _, f := range r.Parts[0].From {
		for i, n := range f.Counts {
			f.Counts[i] = [2]uint64{n[1], n[0]}
		}
	}
	r.Epochs = r.Parts[0].Epochs
	if r.Networks == 0 {
		r.Parts = nil
	}
	r.E = r.Recompute()
	if r.E >= r.Threshold {
		r.Least = r.RecomputeLeast()
	}
	return r
}
