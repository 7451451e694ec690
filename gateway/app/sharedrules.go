package app

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// A sharedRule is what somebody has last said of a rule while the gateways run:
// in Redis it is in the hash findings:accepted, by [ruleField].
type sharedRule struct {
	Rule      compare.Rule `json:"rule"`
	Withdrawn bool         `json:"withdrawn,omitempty"` // it was taken back
}

// ruleField names what only one accepted rule of a migration can do.
func ruleField(migration string, r compare.Rule) string {
	return strings.Join([]string{migration, string(r.Do), r.Path}, "\x1f")
}

// accept has rules count on all gateways, here at once.
func (s *sharedFindings) accept(w *shadow.Watch, rules []compare.Rule) error {
	if err := w.Accept(rules, time.Now()); err != nil {
		return err
	}
	for _, rule := range rules {
		if err := s.sayRule(w.Migration(), sharedRule{Rule: rule}); err != nil {
			return err
		}
	}
	return nil
}

// withdraw takes a rule back on all gateways.
func (s *sharedFindings) withdraw(w *shadow.Watch, rule compare.Rule) bool {
	return w.Withdraw(rule, time.Now()) && s.sayRule(w.Migration(), sharedRule{rule, true}) == nil
}

func (s *sharedFindings) sayRule(migration string, r sharedRule) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	field := ruleField(migration, r.Rule)
	s.rules[field], s.unsaidRules[field] = string(text), string(text)
	return nil
}

// exchangeRules tells and asks which rules count.
func (s *sharedFindings) exchangeRules(ctx context.Context) error {
	s.mu.Lock()
	unsaid := maps.Clone(s.unsaidRules)
	s.mu.Unlock()
	key := s.key("findings:accepted")
	if len(unsaid) > 0 {
		pipe := s.client.Pipeline()
		pipe.HSet(ctx, key, unsaid)
		pipe.PExpire(ctx, key, triageKeptFor)
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
	}
	said, err := s.client.HGetAll(ctx, key).Result()
	if err != nil {
		return err
	}
	news := make(map[string]sharedRule)
	var over []string
	s.mu.Lock()
	maps.DeleteFunc(s.unsaidRules, func(field, text string) bool { return unsaid[field] == text })
	for field, text := range said {
		var r sharedRule
		_, ours := s.unsaidRules[field]
		switch {
		case json.Unmarshal([]byte(text), &r) != nil || ours:
		case s.now().After(r.Rule.Until):
			over = append(over, field)
		case s.rules[field] != text:
			s.rules[field], news[field] = text, r
		}
	}
	s.mu.Unlock()
	for field, r := range news {
		migration, _, _ := strings.Cut(field, "\x1f")
		w := s.shadow.Find(migration)
		switch {
		case w == nil:
		case r.Withdrawn:
			w.Withdraw(r.Rule, time.Now())
		default:
			if err := w.Accept([]compare.Rule{r.Rule}, time.Now()); err != nil {
				s.logger.Error("a rule that was accepted at another gateway does not go with the config of this one", "migration", migration, "rule", r.Rule.String(), "error", err)
			}
		}
	}
	if len(over) == 0 {
		return nil
	}
	return s.client.HDel(ctx, key, over...).Err()
}
