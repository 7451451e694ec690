package evidencetest

import (
	"regexp"
	"sync"
	"testing"
)

// Guesses are what rollbacks say of the requests that went wrong.
type guesses struct {
	mu             sync.Mutex // guards what follows
	planted, right int        // faults with a condition, and those whose condition was named
	noise, claims  int        // faults without one, and those for which one was named
}

var guessed guesses

var nothing = regexp.MustCompile("^(nearly all requests|all requests alike|$)")

func (g *guesses) see(t *testing.T, f *fault, where string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f.where == "" {
		g.noise++
		if !nothing.MatchString(where) {
			g.claims++
			t.Logf("there is no condition, and one is named: %s", where)
		}
		return
	}
	g.planted++
	if regexp.MustCompile(f.where).MatchString(where) {
		g.right++
		return
	}
	t.Logf("the condition should match %q, and is: %s", f.where, where)
}

// check holds the guesses of a test to nine right ones of ten, and to one wrong
// claim of twenty.
func (g *guesses) check(t *testing.T) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t.Logf("%d of %d planted conditions named; %d claimed where there was none, of %d", g.right, g.planted, g.claims, g.noise)
	if 10*g.right < 9*g.planted || 20*g.claims > max(g.noise, 20) {
		t.Errorf("%d of %d planted conditions named; %d claimed where there was none, of %d", g.right, g.planted, g.claims, g.noise)
	}
}
