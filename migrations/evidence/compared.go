package evidence

// Compared are the keys of comparisons by what their first comparison showed.
type Compared struct {
	Keys     uint64 `json:"keys,omitempty"`
	Differed uint64 `json:"differed,omitempty"`
}

// mostCompared is how many keys of one network count as compared, where clients
// of several are known: half of what rules out a share of 1 %.
const mostCompared = 150

// Compared returns the keys of the ramp by what their first comparison in each
// test showed. Where clients of several networks are known, one of them neither
// makes up the sample nor makes it differ.
func (c *Cell) Compared(several bool) Compared {
	out := c.Prior
	keys := c.Bad[Mismatches]
	switch {
	case keys == nil:
	case !several:
		n := keys.Total()
		out.Keys, out.Differed = out.Keys+n.Sum(), out.Differed+n[Modern]
	default:
		worst := Sides{}
		for _, n := range keys.ByNetwork() {
			out.Keys, out.Differed = out.Keys+min(n.Sum(), mostCompared), out.Differed+min(n[Modern], mostCompared)
			if n[Modern] > worst[Modern] {
				worst = n
			}
		}
		out.Differed -= min(worst[Modern], mostCompared)
		if worst[Modern] > 0 {
			out.Keys -= min(worst.Sum(), mostCompared)
		}
	}
	return out
}
