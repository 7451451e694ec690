package redistally

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

var errLarge = errors.New("a part of them is larger than any that this version writes")

// A known is what is known of one migration.
type known struct {
	others evidence.Counts // of all other gateways, merged
	from   string          // what they were merged from
	all    evidence.Counts // with this gateway's own, as they were at
	at     time.Time       // zero: they were not merged yet
	took   time.Duration   // to merge them
}

// busy says which part of the time merging may take, a tenth: the sets of many
// people are slow to unite, and a moment later is as good.
const busy = 10

// remember keeps what the others have counted. It needs both locks.
func (t *Tally) remember(now time.Time) {
	from := make(map[string][]string) // names of gateways by migration
	for _, name := range slices.Sorted(maps.Keys(t.in)) {
		for id := range t.in[name].parts.light {
			from[id] = append(from[id], name)
		}
	}
	maps.DeleteFunc(t.known, func(id string, _ *known) bool { return from[id] == nil })
	for id, names := range from {
		k := t.known[id]
		if k == nil {
			k = new(known)
			t.known[id] = k
		}
		sources := t.sources(id, names, now)
		if k.from == sources {
			continue
		}
		var parts []evidence.Counts
		for _, name := range names {
			g := t.in[name]
			c := g.parts.join(id)
			if !g.head.alive(now) {
				c = leftBehind(c)
			}
			parts = append(parts, c)
		}
		*k = known{others: evidence.Merge(parts...), from: sources, took: k.took}
	}
}

// sources says in which state which gateways' counts of a migration are.
func (t *Tally) sources(id string, names []string, now time.Time) string {
	var b strings.Builder
	for _, name := range names {
		g := t.in[name]
		fmt.Fprintf(&b, "%s %s %v", name, g.head.Run, g.head.alive(now))
		for _, part := range slices.Sorted(maps.Keys(g.have)) {
			if part == id || strings.HasPrefix(part, id+apart) {
				fmt.Fprintf(&b, " %q %d", part, g.have[part])
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Counts returns what all gateways know of a migration; own is what this one
// has counted by now. They are shared, so that nobody may change them. While
// the others' are stale it returns own, marked so.
func (t *Tally) Counts(migration string, own evidence.Counts) evidence.Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.at.IsZero() || now.Sub(t.at) > evidence.Stale {
		own.At, own.Own, own.Gateways = t.Now(), true, t.most
		return own
	}
	k := t.known[migration]
	if k == nil {
		own.At, own.Gateways = t.Now(), t.most
		return own
	}
	if k.at.IsZero() || now.Sub(k.at) > busy*k.took {
		k.all = evidence.Merge(own, k.others)
		k.at, k.took = now, time.Since(now)
		k.all.At, k.all.Gateways = t.Now(), t.most
	}
	return k.all
}

func (t *Tally) mostKnown() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.most
}

// leftBehind returns what still counts of a gateway that has ended: what its
// people did. What it was like is over.
func leftBehind(c evidence.Counts) evidence.Counts {
	out := evidence.Counts{Cells: make(map[string]*evidence.Cell, len(c.Cells)), Burn: c.Burn, Week: c.Week, Enforced: c.Enforced, SeveralAt: c.SeveralAt}
	for name, cell := range c.Cells {
		still := *cell
		still.Streaks = nil
		out.Cells[name] = &still
	}
	return out
}

// needed reports whether a present test has use for counts. own are those of
// this gateway, which knows the present tests.
func needed(p *parcel, own map[string]evidence.Counts) bool {
	for id, c := range p.light {
		now, ok := own[id]
		if !ok {
			continue // nobody has the migration any more
		}
		for name, cell := range c.Cells {
			if cell == nil || cell.Test == 0 {
				continue
			}
			if at := now.Cells[name]; at == nil || at.Test <= cell.Test {
				return true
			}
		}
	}
	return false
}
