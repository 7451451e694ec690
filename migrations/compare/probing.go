package compare

// When an endpoint is probed.
const (
	firstProbes    = 300   // observations of an endpoint that are all probed
	probeShare     = 0.015 // of the later ones
	suspectShare   = 0.25  // while a mismatch is fresh, as long as there is credit
	creditPerProbe = 0.01  // of an observation
	creditAtMost   = 100
)

// Probing decides how often the control is asked once more. The zero value is
// ready.
type Probing struct {
	credit float64 // probes that suspicion may still spend
}

// Wants says whether the next observation of an endpoint is to be probed, and
// whether the candidate is to be asked before the control is asked again. Both
// draws are random, in [0, 1). It must be asked before the candidate's answer
// is known: a probe that depends on it would tell the test lies.
func (p *Probing) Wants(n *Noise, endpoint string, draw, order float64) (probe, candidateFirst bool) {
	e := n.at(endpoint)
	p.credit = min(p.credit+creditPerProbe, creditAtMost)
	candidateFirst = order < 0.5
	switch {
	case e.Observed < firstProbes, draw < probeShare:
		return true, candidateFirst
	case e.Suspicion > 0 && p.credit >= 1 && draw < suspectShare:
		p.credit--
		return true, candidateFirst
	}
	return false, candidateFirst
}
