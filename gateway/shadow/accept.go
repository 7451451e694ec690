package shadow

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
)

// maxAccepted bounds the rules of a migration that people accept while the
// gateway runs. They are a stopgap; the config is where rules belong.
const maxAccepted = 100

// Accept adds rules to those of the config, at once. They have an owner and an
// end, and outlive a restart. A rule about the same path replaces the one
// before.
func (w *Watch) Accept(rules []compare.Rule, now time.Time) error {
	w.judge.mu.Lock()
	defer w.judge.mu.Unlock()
	all := slices.Clone(w.judge.accepted)
	for _, rule := range rules {
		if rule.Until.IsZero() {
			return errors.New("a rule that is accepted needs an end; put it into the config to keep it")
		}
		all = append(without(all, rule), rule)
	}
	if len(all) > maxAccepted {
		return fmt.Errorf("%d rules are accepted, and more than %d would be; put them into the config", len(w.judge.accepted), maxAccepted)
	}
	return w.judge.compile(w.judge.configured, all, now)
}

// Accepted lists the accepted rules that have not ended.
func (w *Watch) Accepted(now time.Time) []compare.Rule {
	w.judge.mu.Lock()
	defer w.judge.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.judge.accepted), func(r compare.Rule) bool { return !now.Before(r.Until) })
}

// Withdraw takes an accepted rule back, and reports whether there was one.
func (w *Watch) Withdraw(rule compare.Rule, now time.Time) bool {
	w.judge.mu.Lock()
	defer w.judge.mu.Unlock()
	left := without(w.judge.accepted, rule)
	if len(left) == len(w.judge.accepted) {
		return false
	}
	return w.judge.compile(w.judge.configured, left, now) == nil
}

// without leaves out the rule that does the same at the same path.
func without(rules []compare.Rule, rule compare.Rule) []compare.Rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r compare.Rule) bool { return r.Do == rule.Do && r.Path == rule.Path })
}

// configure sets what the config says, which must compile. Accepted rules that
// do not go with it are dropped.
func (j *judge) configure(d compare.Definition, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.compile(d, j.accepted, now) != nil {
		_ = j.compile(d, nil, now)
	}
}

// compile makes rules of those of the config and those that were accepted, and
// leaves everything as it is if they are wrong. It needs j.mu.
func (j *judge) compile(d compare.Definition, accepted []compare.Rule, now time.Time) error {
	all := d
	all.Rules = slices.Concat(d.Rules, accepted)
	rules, err := compare.CompileRules(all, now)
	if err != nil {
		return err
	}
	j.changed = j.changed || !slices.Equal(j.accepted, accepted)
	j.configured, j.accepted, j.rules = d, accepted, rules
	return nil
}
