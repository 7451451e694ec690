package app

import (
	"slices"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A blamer is one thing that the gateway can say which requests are for, of a
// cell of a migration.
type blamer func(migration, cell string) (string, []migrations.Offender)

// blame writes into a decision of the gateway against a side which requests go
// wrong there, as far as this gateway has seen them. A hold that no counts have
// decided has evidence only if there is something to say.
func (p *Process) blame(e *migrations.Event) {
	switch e.Kind {
	case migrations.RolledBack, migrations.Returning, migrations.Held:
	default:
		return
	}
	if e.Evidence == nil && (e.Kind != migrations.Held || e.Cause == "" || e.Because != 0) {
		return // a person decided, or another event holds the evidence
	}
	where, offenders := p.whereOf(e)
	if where == "" {
		return
	}
	if e.Evidence == nil {
		counts := p.counts(e.Migration)
		e.Evidence = &migrations.Evidence{Gateways: counts.Gateways, Own: counts.Own}
		if !counts.At.IsZero() {
			e.Evidence.At = counts.At.UTC().Truncate(time.Microsecond)
		}
	}
	e.Evidence.Where, e.Evidence.Offenders = where, offenders
}

// whereOf says which requests a decision is for.
func (p *Process) whereOf(e *migrations.Event) (string, []migrations.Offender) {
	if e.Cause == migrations.CauseFinding {
		return p.whereFound(e)
	}
	metric := evidence.Errors
	if e.Evidence != nil {
		if r, ok := evidence.Strongest(e.Evidence.Records); ok {
			metric = r.Metric
		}
	}
	from := ""
	if plan := p.source.Table().Plans[e.Migration]; plan != nil {
		from = plan.From
	}
	requests := func(migration, cell string) (string, []migrations.Offender) {
		f, offenders := p.gateway.Blame(migration, cell, metric)
		return f.Text, offenders
	}
	comparisons := func(migration, cell string) (string, []migrations.Offender) {
		f, offenders := p.gateway.BlameComparisons(migration, cell)
		return f.Text, offenders
	}
	monolith := func(migration, cell string) (string, []migrations.Offender) {
		f, offenders := p.gateway.BlameControl(migration, cell)
		if f.Text != "" {
			f.Text = "at " + from + ": " + f.Text
		}
		return f.Text, offenders
	}
	questions := []blamer{requests, comparisons}
	switch {
	case e.Cause == migrations.CauseControl:
		questions = []blamer{monolith, requests}
	case e.Cause == migrations.CauseBurn && strings.HasPrefix(e.Reason, from+" uses up"): // it is the monolith that burns
		questions = []blamer{monolith}
	case e.Cause == migrations.CauseLag: // what the service has not got yet it answers otherwise
		questions = []blamer{comparisons}
	case metric == evidence.Mismatches:
		slices.Reverse(questions)
	}
	for _, ask := range questions {
		if text, offenders := ask(e.Migration, e.Cell); text != "" {
			return text, offenders
		}
	}
	return "", nil
}

// whereFound says which requests show the finding that a hold is for: the first
// one that its reason names.
func (p *Process) whereFound(e *migrations.Event) (where string, offenders []migrations.Offender) {
	endpoint := ""
	for _, open := range p.counts(e.Migration).Findings {
		if !strings.Contains(e.Reason, "("+open.ID+")") {
			continue
		}
		p.findings().View(e.Migration, func(s *compare.Study) {
			if g, err := s.Findings.Get(open.ID); err == nil && where == "" {
				if text := s.Where(open.ID); text != "" {
					where, endpoint = g.Endpoint+": "+text, g.Endpoint
				}
			}
		})
	}
	if where == "" {
		return "", nil
	}
	_, all := p.gateway.BlameComparisons(e.Migration, e.Cell)
	for _, o := range all {
		if strings.HasPrefix(endpoint+" ", o.Method+" "+o.Endpoint+" ") { // of first visits too
			offenders = append(offenders, o)
		}
	}
	return where, offenders
}
