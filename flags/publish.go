package flags

import (
	"maps"
	"slices"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/migrations"
)

// published is what a provider answers from when no request is pinned. It is
// immutable.
type published struct{ flags map[string]entry }

// An entry is one flag.
type entry struct {
	plan  *migrations.Plan
	state *migrations.Migration // nil: the log does not know the migration
}

// Publish makes the provider answer from a state and the plans of a config,
// by migration id, and tells OpenFeature's handlers which flags have changed.
// It does not wait for them: changes that come faster than they are read are
// told as one. Of two plans with one flag the first by id counts.
func (p *Provider) Publish(state migrations.State, plans map[string]*migrations.Plan) {
	next := &published{flags: make(map[string]entry, len(plans))}
	for _, id := range slices.Sorted(maps.Keys(plans)) {
		plan := plans[id]
		if _, taken := next.flags[flagOf(plan)]; taken {
			continue
		}
		e := entry{plan: plan}
		if m, ok := state.Migrations[id]; ok {
			m = m.Of(migrations.Rest) // who asks from outside is in no cell
			e.state = &m
		}
		next.flags[flagOf(plan)] = e
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	last := p.latest.Swap(next)
	if changed := next.since(last); len(changed) > 0 {
		p.tell(changed)
	}
}

// find returns a published flag, or why there is none.
func (p *Provider) find(flag string) (entry, *openfeature.ResolutionError) {
	now := p.latest.Load()
	if now == nil {
		err := openfeature.NewProviderNotReadyResolutionError("no state has been published yet")
		return entry{}, &err
	}
	e, ok := now.flags[flag]
	if !ok {
		err := openfeature.NewFlagNotFoundResolutionError("no migration has this flag")
		return entry{}, &err
	}
	return e, nil
}

// tell sends one event. p.mu is held, so nobody else sends.
func (p *Provider) tell(changed []string) {
	select {
	case unread := <-p.events:
		changed = append(changed, unread.FlagChanges...)
		slices.Sort(changed)
		changed = slices.Compact(changed)
	default:
	}
	p.events <- openfeature.Event{ // has room: only readers have been at it since
		ProviderName:         ProviderName,
		EventType:            openfeature.ProviderConfigChange,
		ProviderEventDetails: openfeature.ProviderEventDetails{Message: "the state of migrations has changed", FlagChanges: changed},
	}
}

// since returns the flags whose answers may differ from those of last, sorted.
func (p *published) since(last *published) []string {
	if last == nil {
		last = &published{}
	}
	var changed []string
	for flag, e := range p.flags {
		if old, ok := last.flags[flag]; !ok || !e.same(old) {
			changed = append(changed, flag)
		}
	}
	for flag := range last.flags {
		if _, ok := p.flags[flag]; !ok {
			changed = append(changed, flag)
		}
	}
	slices.Sort(changed)
	return changed
}

func (e entry) same(o entry) bool {
	if e.plan != o.plan && e.plan.Hash() != o.plan.Hash() {
		return false
	}
	if e.state == nil || o.state == nil {
		return e.state == o.state
	}
	return e.state.Split.Equal(o.state.Split) && e.state.RolledBack == o.state.RolledBack && e.state.Retired == o.state.Retired
}

// Key returns the key of a plan's flag.
func Key(plan *migrations.Plan) string { return flagOf(plan) }

func flagOf(plan *migrations.Plan) string {
	if plan.Flag == "" {
		return plan.ID
	}
	return plan.Flag
}
