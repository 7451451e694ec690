package redistally

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Counts travel in parts, so that what has not changed does not. The part of a
// migration has its id for a name, and holds everything but the large sets of
// keys. Those are parts of their own, named by migration, cell and metric.

// apart separates the names in the name of a part.
const apart = "\x1f"

// seen is the metric by which a name calls the set of [evidence.Cell.Seen].
const seen = ""

// week is the last name of the part that [evidence.Counts.Week] is: it seldom
// changes.
const week = "week"

func weekOf(migration string) string { return migration + apart + apart + apart + week }

// A set is the part that a set of keys is.
type set struct {
	Test uint64         `json:"test"` // a set of another test than that of its cell is no use
	Keys *evidence.Keys `json:"keys"`
}

// A piece is a part on its way out: its text is made only if it is new.
type piece struct {
	name string
	mark mark
	text func() ([]byte, error)
}

// A mark tells two states of a set apart, which only grows within a test.
type mark struct {
	test uint64
	keys int
}

// split takes counts apart.
func split(migration string, c evidence.Counts) []piece {
	light := c
	light.Week = evidence.Week{}
	light.Cells = make(map[string]*evidence.Cell, len(c.Cells))
	var pieces []piece
	for name, cell := range c.Cells {
		if cell == nil {
			continue
		}
		few := *cell
		few.Seen, few.Bad = evidence.Keys{}, nil
		light.Cells[name] = &few
		large := map[evidence.Metric]*evidence.Keys{seen: &cell.Seen}
		maps.Copy(large, cell.Bad)
		few.Endpoints = withoutSets(cell.Endpoints, large)
		for metric, keys := range large {
			if keys == nil || keys.Len() == 0 {
				continue
			}
			pieces = append(pieces, piece{
				name: strings.Join([]string{migration, name, string(metric)}, apart),
				mark: mark{cell.Test, keys.Len()},
				text: func() ([]byte, error) { return json.Marshal(set{cell.Test, keys}) },
			})
		}
	}
	if len(c.Week.Hours) > 0 {
		people := 0 // grows with what changes
		for _, hour := range c.Week.Hours {
			for _, rank := range hour.People {
				people += int(rank)
			}
		}
		pieces = append(pieces, piece{
			name: weekOf(migration), mark: mark{uint64(c.Week.Hours[len(c.Week.Hours)-1].At), people},
			text: func() ([]byte, error) { return json.Marshal(c.Week) },
		})
	}
	return append(pieces, piece{name: migration, text: func() ([]byte, error) { return json.Marshal(light) }})
}

// atEndpoint begins the name of a set of an endpoint in place of a metric; the
// metric follows, and then the endpoint.
const atEndpoint = "@"

// withoutSets returns the endpoints without their sets, which it puts among those
// that are parts of their own.
func withoutSets(from map[string]*evidence.Endpoint, large map[evidence.Metric]*evidence.Keys) map[string]*evidence.Endpoint {
	if from == nil {
		return nil
	}
	out := make(map[string]*evidence.Endpoint, len(from))
	for name, e := range from {
		light := *e
		light.Bad = nil
		out[name] = &light
		for metric, keys := range e.Bad {
			large[evidence.Metric(atEndpoint+string(metric)+atEndpoint+name)] = keys
		}
	}
	return out
}

// putSet gives an endpoint a set that was a part of its own. The endpoints of the
// cell are its own.
func putSet(cell *evidence.Cell, name string, keys *evidence.Keys) {
	metric, endpoint, _ := strings.Cut(name, atEndpoint)
	e := cell.Endpoints[endpoint]
	if e == nil {
		return
	}
	whole := *e
	whole.Bad = maps.Clone(e.Bad)
	if whole.Bad == nil {
		whole.Bad = make(map[evidence.Metric]*evidence.Keys)
	}
	whole.Bad[evidence.Metric(metric)] = keys
	cell.Endpoints[endpoint] = &whole
}

// A parcel is what has come of one gateway, by the names of its parts.
type parcel struct {
	light map[string]evidence.Counts // by migration
	sets  map[string]set             // by name
	weeks map[string]evidence.Week   // by name
}

// take reads a part.
func (p *parcel) take(name string, text []byte) error {
	if !strings.Contains(name, apart) {
		var c evidence.Counts
		if err := json.Unmarshal(text, &c); err != nil {
			return fmt.Errorf("the counts of %q: %w", name, err)
		}
		if p.light == nil {
			p.light = make(map[string]evidence.Counts)
		}
		p.light[name] = c
		return nil
	}
	if strings.HasSuffix(name, apart+apart+apart+week) {
		var w evidence.Week
		if err := json.Unmarshal(text, &w); err != nil {
			return fmt.Errorf("who came to %q: %w", strings.ReplaceAll(name, apart, ", "), err)
		}
		if p.weeks == nil {
			p.weeks = make(map[string]evidence.Week)
		}
		p.weeks[name] = w
		return nil
	}
	var s set
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("the keys of %q: %w", strings.ReplaceAll(name, apart, ", "), err)
	}
	if s.Keys == nil {
		return nil
	}
	if p.sets == nil {
		p.sets = make(map[string]set)
	}
	p.sets[name] = s
	return nil
}

// drop forgets a part.
func (p *parcel) drop(name string) {
	delete(p.light, name)
	delete(p.sets, name)
	delete(p.weeks, name)
}

// join puts the counts of a migration together. They share what the parcel
// holds.
func (p *parcel) join(migration string) evidence.Counts {
	c := p.light[migration]
	cells := make(map[string]*evidence.Cell, len(c.Cells))
	for name, cell := range c.Cells {
		if cell != nil {
			whole := *cell
			whole.Endpoints = maps.Clone(cell.Endpoints)
			cells[name] = &whole
		}
	}
	c.Cells, c.Week = cells, p.weeks[weekOf(migration)]
	for name, s := range p.sets {
		of, rest, _ := strings.Cut(name, apart)
		at, metric, _ := strings.Cut(rest, apart)
		cell := cells[at]
		if of != migration || cell == nil || cell.Test != s.Test {
			continue
		}
		if metric == seen {
			cell.Seen = *s.Keys
			continue
		}
		if rest, ok := strings.CutPrefix(metric, atEndpoint); ok {
			putSet(cell, rest, s.Keys)
			continue
		}
		if cell.Bad == nil {
			cell.Bad = make(map[evidence.Metric]*evidence.Keys)
		}
		cell.Bad[evidence.Metric(metric)] = s.Keys
	}
	return c
}
