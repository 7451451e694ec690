package app

import (
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// findings shows the admin API what the shadow knows.
func (p *Process) findings() dashboard.Findings {
	if p.shared == nil {
		return watched{p.shadow, nil}
	}
	return watched{p.shadow, p.shared.findings}
}

// A watched is a shadow as the admin API wants it.
type watched struct {
	shadow *shadow.Shadow
	shared *sharedFindings // nil: there are no other gateways
}

// Migrations lists those that are compared.
func (w watched) Migrations() []string {
	var ids []string
	w.shadow.Each(func(one *shadow.Watch) { ids = append(ids, one.Migration()) })
	slices.Sort(ids)
	return ids
}

// View calls f with what is known of a migration.
func (w watched) View(migration string, f func(*compare.Study)) bool {
	one := w.shadow.Find(migration)
	if one == nil {
		return false
	}
	one.View(func(own *compare.Study) {
		if w.shared != nil {
			own = w.shared.together(migration, own)
		}
		f(own)
	})
	return true
}

// Change calls f with what is known of a migration, to change it.
func (w watched) Change(migration string, f func(*compare.Study) error) error {
	one := w.shadow.Find(migration)
	switch {
	case one == nil:
		return nil
	case w.shared != nil:
		return w.shared.change(migration, one, f)
	}
	return one.Change(f)
}

// Counts returns what has become of a migration's observations.
func (w watched) Counts(migration string) dashboard.ComparisonCounts {
	one := w.shadow.Find(migration)
	if one == nil {
		return dashboard.ComparisonCounts{}
	}
	c := one.Counts()
	out := dashboard.ComparisonCounts{
		Sampled: c.Sampled, Pending: c.Pending, Outcomes: c.Outcomes, Dropped: make(map[string]uint64, len(c.Dropped)), Probes: c.Probes, Races: c.Races,
	}
	for reason, n := range c.Dropped {
		out.Dropped[string(reason)] = n
	}
	return out
}

// Accept adds rules to those of the config, until they end.
func (w watched) Accept(migration string, rules []compare.Rule) error {
	one := w.shadow.Find(migration)
	switch {
	case one == nil:
		return nil
	case w.shared != nil:
		return w.shared.accept(one, rules)
	}
	return one.Accept(rules, time.Now())
}

// Accepted lists the rules that were accepted and have not ended.
func (w watched) Accepted(migration string) []compare.Rule {
	if one := w.shadow.Find(migration); one != nil {
		return one.Accepted(time.Now())
	}
	return nil
}

// Withdraw takes an accepted rule back.
func (w watched) Withdraw(migration string, rule compare.Rule) bool {
	one := w.shadow.Find(migration)
	if one != nil && w.shared != nil {
		return w.shared.withdraw(one, rule)
	}
	return one != nil && one.Withdraw(rule, time.Now())
}

// EraseKey drops every example of a targeting key, of all migrations.
func (w watched) EraseKey(key string) (n int) {
	if w.shared != nil {
		return w.shared.eraseKey(key)
	}
	w.shadow.Each(func(one *shadow.Watch) { n += one.EraseKey(key) })
	return n
}
