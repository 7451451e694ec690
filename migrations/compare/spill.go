package compare

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

// kept is what is written of Findings.
type kept struct {
	Most      int                 `json:"most"`
	Sample    int                 `json:"sample"`
	Lost      int                 `json:"lost,omitempty"`
	Endpoints map[string]*tallied `json:"endpoints"`
	Findings  []keptFinding       `json:"findings"`
}

type keptFinding struct {
	*Finding
	Since int `json:"since"`
	Seen  int `json:"seen"`
}

// MarshalJSON writes everything but the state of the draw.
func (f *Findings) MarshalJSON() ([]byte, error) {
	k := kept{Most: f.most, Sample: f.sample, Lost: f.lost, Endpoints: f.endpoints, Findings: []keptFinding{}}
	for _, g := range f.byID {
		k.Findings = append(k.Findings, keptFinding{f.settle(g), g.since, g.seen})
	}
	return json.Marshal(k)
}

// UnmarshalJSON reads what MarshalJSON wrote. The draw begins anew.
func (f *Findings) UnmarshalJSON(b []byte) error {
	var k kept
	if err := json.Unmarshal(b, &k); err != nil {
		return fmt.Errorf("read findings: %w", err)
	}
	*f = *NewFindings(FindingsOptions{Most: k.Most, Sample: k.Sample})
	f.random = rand.New(rand.NewPCG(uint64(len(b)), 0x5eed))
	f.lost = k.Lost
	for name, t := range k.Endpoints {
		if t != nil {
			f.endpoints[name] = t
		}
	}
	for _, g := range k.Findings {
		if g.Finding == nil || g.ID == "" || len(f.byID) >= f.most {
			continue
		}
		g.Finding.since, g.Finding.seen = g.Since, g.Seen
		f.byID[g.ID] = g.Finding
	}
	return nil
}

// keptNoise is what is written of Noise.
type keptNoise struct {
	Alpha      float64                   `json:"alpha"`
	Paths      int                       `json:"paths"`
	Registered int                       `json:"registered"`
	Endpoints  map[string]*endpointNoise `json:"endpoints"`
}

// MarshalJSON writes all that was learned.
func (n *Noise) MarshalJSON() ([]byte, error) {
	return json.Marshal(keptNoise{n.alpha, n.paths, n.registered, n.endpoints})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (n *Noise) UnmarshalJSON(b []byte) error {
	var k keptNoise
	if err := json.Unmarshal(b, &k); err != nil {
		return fmt.Errorf("read noise: %w", err)
	}
	*n = *NewNoise(NoiseOptions{Alpha: k.Alpha, Paths: k.Paths})
	n.registered = k.Registered
	for name, e := range k.Endpoints {
		if e == nil {
			continue
		}
		if e.Paths == nil {
			e.Paths = map[string]*evidence{}
		}
		for path, r := range e.Paths {
			if r == nil || r.Rank < 1 || r.Test < 1 {
				return fmt.Errorf("read noise: endpoint %q: path %q has no rank", name, path)
			}
			r.score = logWeight(r.Rank, r.Test) + r.log()
		}
		n.endpoints[name] = e
	}
	return nil
}

// Thin drops the examples that were drawn at random, for want of room.
func (f *Findings) Thin() {
	for _, g := range f.byID {
		g.Sample, g.Drawn = nil, 0
	}
}
