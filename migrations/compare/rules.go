package compare

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Action is what a rule does.
type Action string

// The actions.
const (
	Ignore    Action = "ignore"    // nothing at the path is compared, nor whether it is there
	Unordered Action = "unordered" // the order of the array doesn't count
	Tolerance Action = "tolerance" // With: how far apart numbers may be, "0.01" or "1%" of the control
	Round     Action = "round"     // With: decimals that numbers are rounded to
	Equals    Action = "equals"    // With: an expression over a, the control's value, and b
	Keep      Action = "keep"      // values at the path may be stored in examples
)

var actions = []Action{Ignore, Unordered, Tolerance, Round, Equals, Keep}

// A Rule is one line of a definition.
type Rule struct {
	Do    Action    `json:"do"`
	Path  string    `json:"path"`
	With  string    `json:"with,omitempty"`
	Owner string    `json:"owner,omitempty"` // who answers for it
	Until time.Time `json:"until,omitzero"`  // when it ends; zero: never
}

func (r Rule) String() string {
	if r.With == "" {
		return string(r.Do) + ": " + r.Path
	}
	return string(r.Do) + ": " + r.Path + " = " + r.With
}

// A Definition is what [CompileRules] compiles. The zero value compares
// everything.
type Definition struct {
	Rules   []Rule
	Hosts   []string      // host[:port] of both sides and of the gateway: in URLs they are the same
	Skew    time.Duration // by which clocks may differ; zero: 60 s
	MaskKey []byte        // key of the marks in examples; empty: no marks
	Limits  Limits
}

// Rules are a compiled definition. They are immutable and may be shared. Nil
// stands for the zero Definition.
type Rules struct {
	ignore, unordered, keep []pattern
	tolerances              []toleranceRule
	rounds                  []roundRule
	equals                  []equalsRule
	hosts                   []string
	skew                    time.Duration
	key                     []byte
	limits                  Limits
	active                  []Rule
}

type toleranceRule struct {
	pattern
	tolerance
}

type roundRule struct {
	pattern
	decimals int
}

var defaultRules = &Rules{skew: time.Minute, limits: Limits{}.withDefaults()}

// Active lists the rules that had not ended when the definition was compiled.
func (r *Rules) Active() []Rule { return slices.Clone(r.active) }

// Mark is the keyed hash under which a text is stored; zero without a key.
func (r *Rules) Mark(text string) Mark {
	if r == nil {
		return 0
	}
	d := differ{rules: r}
	return d.mark([]byte(text))
}

// CompileRules checks and compiles a definition. Rules that have ended by now
// are left out. All errors are reported, not just the first.
func CompileRules(def Definition, now time.Time) (*Rules, error) {
	r := &Rules{skew: def.Skew, key: slices.Clone(def.MaskKey), limits: def.Limits.withDefaults()}
	if r.skew <= 0 {
		r.skew = time.Minute
	}
	for _, h := range def.Hosts {
		r.hosts = append(r.hosts, strings.ToLower(h))
	}
	// The longest first, so that a host with a port wins over one without.
	slices.SortFunc(r.hosts, func(a, b string) int { return len(b) - len(a) })
	var errs []error
	for _, rule := range def.Rules {
		if !rule.Until.IsZero() && !now.Before(rule.Until) {
			continue
		}
		if err := r.add(rule); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", rule.Do, err))
			continue
		}
		r.active = append(r.active, rule)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Rules) add(rule Rule) error {
	if !slices.Contains(actions, rule.Do) {
		return fmt.Errorf("no such action; the actions are %v", actions)
	}
	p, err := parsePattern(rule.Path)
	if err != nil {
		return err
	}
	needs := rule.Do == Tolerance || rule.Do == Round || rule.Do == Equals
	if needs && rule.With == "" {
		return fmt.Errorf("%s: needs a value, for example %q", rule.Path, map[Action]string{Tolerance: "1%", Round: "2", Equals: "lower(a) == lower(b)"}[rule.Do])
	}
	if !needs && rule.With != "" {
		return fmt.Errorf("%s: takes no value, but has %q", rule.Path, rule.With)
	}
	if p.root != "$" && (rule.Do == Unordered || rule.Do == Round) {
		return fmt.Errorf("%s: only values of a body can be meant; their paths begin with $", rule.Path)
	}
	switch rule.Do {
	case Ignore:
		if p.root == Status {
			return fmt.Errorf("the status is always compared; to allow pairs of them write equals: status = \"a == 200 && b == 204\"")
		}
		if p.root == "$" && len(p.segs) == 0 {
			return fmt.Errorf("$ is the whole body; name what differs, for example $.generatedAt")
		}
		r.ignore = append(r.ignore, p)
	case Unordered:
		r.unordered = append(r.unordered, p)
	case Keep:
		r.keep = append(r.keep, p)
	case Tolerance:
		t, err := parseTolerance(rule.With)
		if err != nil {
			return fmt.Errorf("%s: %w", rule.Path, err)
		}
		r.tolerances = append(r.tolerances, toleranceRule{p, t})
	case Round:
		n, err := strconv.Atoi(rule.With)
		if err != nil || n < 0 || n > 100 {
			return fmt.Errorf("%s: %q is no number of decimals from 0 to 100", rule.Path, rule.With)
		}
		r.rounds = append(r.rounds, roundRule{p, n})
	case Equals:
		e, err := compileEquals(p, rule.With)
		if err != nil {
			return fmt.Errorf("%s: %w", rule.Path, err)
		}
		r.equals = append(r.equals, e)
	}
	return nil
}

func parseTolerance(s string) (tolerance, error) {
	number, relative := strings.CutSuffix(strings.TrimSpace(s), "%")
	by := rational([]byte(strings.TrimSpace(number)))
	if by == nil || by.Sign() < 0 {
		return tolerance{}, fmt.Errorf("%q is no tolerance; write 0.01, or 1%% for a share of the control's value", s)
	}
	if relative {
		by.Mul(by, big.NewRat(1, 100))
	}
	return tolerance{by, relative}, nil
}

func anyMatches(patterns []pattern, root string, steps []step) bool {
	for i := range patterns {
		if patterns[i].root == root && patterns[i].matches(steps) {
			return true
		}
	}
	return false
}

func anyMatchesName(patterns []pattern, root string, names ...string) bool {
	for i := range patterns {
		if patterns[i].root == root && patterns[i].matchesName(names...) {
			return true
		}
	}
	return false
}
