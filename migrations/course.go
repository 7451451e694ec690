package migrations

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Rest is the cell of all requests that no named cell takes. Without named
// cells everything is there.
const Rest = "rest"

// Cells are the named cells of a migration, and the step that each stands at.
type Cells map[string]int

// A Course is how far one cell of a migration has moved, or all of it.
type Course struct {
	Split      Split     `json:"split"`
	Epoch      uint64    `json:"epoch"`
	Since      time.Time `json:"since"`
	Ramp       Ramp      `json:"ramp"`
	Step       int       `json:"step,omitempty"`
	RolledBack bool      `json:"rolled_back,omitempty"`
	Progress
}

// Progress is what a ramp and its guard remember.
type Progress struct {
	Steps        int           `json:"steps,omitempty"`         // number of steps of the plan by which the ramp last moved
	Began        time.Time     `json:"began,omitzero"`          // log time from which the step is held: it began, or was resumed
	Turn         uint64        `json:"turn,omitempty"`          // event with which the ramp last began to run: its place in the queue
	Test         uint64        `json:"test,omitempty"`          // event that began the present test; 0: none runs
	K            int           `json:"k,omitempty"`             // number of that test among all of the migration, from 1
	Tau          time.Duration `json:"tau_ns,omitempty"`        // latency until the first byte beyond which a response of the monolith is slow, at p99; 0: not known
	Taus         evidence.Taus `json:"taus_ns,omitzero"`        // likewise, for each of [evidence.Latencies]
	Approved     int           `json:"approved,omitempty"`      // step that a person has approved; 0: none
	Cause        Cause         `json:"cause,omitempty"`         // why the gateway holds it, or rolled it back; empty: a person did
	Stopped      time.Time     `json:"stopped,omitzero"`        // log time of the last hold or rollback
	RolledBackAt time.Time     `json:"rolled_back_at,omitzero"` // log time of the last rollback
	Retries      int           `json:"retries,omitempty"`       // how often it has begun again by itself
	Return       *Return       `json:"return,omitempty"`        // the way back that is under way
	Unknown      bool          `json:"unknown,omitempty"`       // an outside flag decides, and how many are where is not known; Split is what it may be at most
}

// A Return is a way back that is spread over some time.
type Return struct {
	From    Split     `json:"from"`    // split that it began with
	Since   time.Time `json:"since"`   // log time at which it began
	Until   time.Time `json:"until"`   // log time at which it is to end
	Because uint64    `json:"because"` // event that began it, and holds the evidence
}

// PastOff reports whether any request may be treated otherwise than at [Off].
func (c Course) PastOff() bool { return c.Split.Share(Off) < Buckets }

// Completed reports whether every request belongs to the service.
func (c Course) Completed() bool { return c.Split.Share(Complete) == Buckets }

// arrived reports whether the ramp has taken its last step.
func (c Course) arrived() bool { return c.Completed() || c.Steps > 0 && c.Step >= c.Steps }

// Course returns how far a cell has moved. A name that the state does not
// know, such as the empty one, falls into [Rest].
func (m Migration) Course(cell string) Course {
	if c, ok := m.Cells[cell]; ok {
		return c
	}
	return Course{m.Split, m.Epoch, m.Since, m.Ramp, m.Step, m.RolledBack, m.Progress}
}

// Of returns the migration as the requests of one cell see it: with the course
// of that cell as its own, and no others.
func (m Migration) Of(cell string) Migration {
	m.set(Rest, m.Course(cell))
	m.Cells = nil
	return m
}

// CellNames returns the names of all cells, sorted, [Rest] last.
func (m Migration) CellNames() []string {
	return append(slices.Sorted(maps.Keys(m.Cells)), Rest)
}

// Counted returns the courses by the names under which [evidence.Counts] keep
// their cells: "" for a migration without cells. What is counted of a request
// belongs to the cell's Test and Epoch in the snapshot that the request was
// pinned to.
func (m Migration) Counted() map[string]Course {
	if len(m.Cells) == 0 {
		return map[string]Course{"": m.Course(Rest)}
	}
	out := maps.Clone(m.Cells)
	out[Rest] = m.Course(Rest)
	return out
}

// set makes c the course of a cell. The map must be m's own.
func (m *Migration) set(cell string, c Course) {
	if cell != Rest {
		m.Cells[cell] = c
		return
	}
	m.Split, m.Epoch, m.Since, m.Ramp, m.Step, m.RolledBack, m.Progress = c.Split, c.Epoch, c.Since, c.Ramp, c.Step, c.RolledBack, c.Progress
}

// concerned returns the names of the cells that an event concerns.
func (m Migration) concerned(cell string) ([]string, error) {
	if _, ok := m.Cells[cell]; cell == "" {
		return m.CellNames(), nil
	} else if ok || cell == Rest {
		return []string{cell}, nil
	}
	return nil, fmt.Errorf("no cell %q", cell)
}

// plan makes the cells those that a plan has. A new one begins where [Rest]
// stands, for its people have been there.
func (m *Migration) plan(e Event) {
	before := m.Cells
	m.Cells = nil
	for name, step := range e.Cells {
		c, ok := before[name]
		if !ok {
			c = m.Course(Rest)
		}
		c.Step, c.Steps, c.Approved = step, e.Steps, 0
		if m.Cells == nil {
			m.Cells = make(map[string]Course, len(e.Cells))
		}
		m.Cells[name] = c
	}
	m.Step, m.Steps, m.Approved = e.Step, e.Steps, 0
}

// change makes c what it is after e. tests counts those of the migration.
func (c *Course) change(e Event, tests *int) error {
	switch e.Kind {
	case Shifted:
		if c.Ramp == RampRunning {
			c.Ramp = RampHeld
		}
		forward := e.Split.Beyond(c.Split)
		if err := c.shift(e); err != nil {
			return err
		}
		c.Cause, c.Return, c.Began, c.Stopped, c.Approved = "", nil, e.Time, e.Time, 0
		if c.Test == 0 || forward || !c.PastOff() {
			c.begin(e, tests)
		}
	case Stepped, Skipped:
		switch {
		case c.Ramp != RampRunning || c.RolledBack:
			return fmt.Errorf("the ramp does not run, so it takes no step")
		case e.Step < 1:
			return fmt.Errorf("no step %d", e.Step)
		case c.Split.Beyond(e.Split):
			return fmt.Errorf("a step leads forward, and %s is not ahead of %s", e.Split, c.Split)
		}
		if err := c.shift(e); err != nil {
			return err
		}
		c.Step, c.Steps, c.Began, c.Approved = e.Step, e.Steps, e.Time, 0
		c.begin(e, tests)
	case Held:
		c.Ramp, c.Cause, c.Stopped = RampHeld, e.Cause, e.Time
	case Resumed:
		again := c.RolledBack
		c.Ramp, c.Step, c.RolledBack, c.Cause, c.Return = RampRunning, e.Step, false, "", nil
		c.Began, c.Turn, c.Retries = e.Time, e.Seq, e.Retry
		if again || c.Test == 0 {
			c.begin(e, tests)
		}
	case Approved:
		c.Approved = e.Step
	case Restarted:
		if c.RolledBack {
			return fmt.Errorf("it was rolled back; resume lets it go on")
		}
		c.Ramp, c.Cause, c.Began, c.Turn = RampRunning, "", e.Time, e.Seq
		c.begin(e, tests)
	case Renewed:
		c.begin(e, tests)
	case Returning:
		return c.comeBack(e)
	case RolledBack:
		if e.Split.Modern() > 0 {
			return fmt.Errorf("a rollback leaves nothing on the service, this one leaves %s", e.Split)
		}
		if err := c.shift(e); err != nil {
			return err
		}
		c.Ramp, c.RolledBack, c.Cause, c.Return = RampHeld, true, e.Cause, nil
		c.Test, c.K, c.Approved, c.Stopped, c.RolledBackAt = 0, 0, 0, e.Time, e.Time
	case Flagged:
		return c.flagged(e, tests)
	default:
		return fmt.Errorf("this program does not know events of kind %q; it may be older than the log", e.Kind)
	}
	return nil
}

// comeBack takes a part of the way back. From the first part on the migration
// counts as rolled back.
func (c *Course) comeBack(e Event) error {
	if e.Split.Beyond(c.Split) {
		return fmt.Errorf("a way back does not lead forward, and %s is ahead of %s", e.Split, c.Split)
	}
	if c.Return == nil {
		c.Return = &Return{From: c.Split, Since: e.Time, Until: e.Until, Because: e.Seq}
	}
	if err := c.shift(e); err != nil {
		return err
	}
	c.Ramp, c.RolledBack, c.Cause, c.Approved, c.Stopped = RampHeld, true, e.Cause, 0, e.Time
	return nil
}

func (c *Course) shift(e Event) error {
	split, err := NewSplit(e.Split...)
	if err != nil {
		return err
	}
	if len(e.Split) == 0 || !split.Equal(e.Split) {
		return fmt.Errorf("the split %s does not add up to 100%%", e.Split)
	}
	c.Split, c.Epoch, c.Since, c.Unknown = split, e.Seq, e.Time, false
	return nil
}

// begin begins the next test, which is an epoch too; at [Off] there is
// nothing to test.
func (c *Course) begin(e Event, tests *int) {
	switch {
	case e.Taus != nil:
		for i, t := range e.Taus { // what is not known now stands as it was
			if t > 0 {
				c.Taus[i] = t
			}
		}
		c.Tau = c.Taus[evidence.FirstByteP99]
	case e.Tau > 0: // of a program that knew no others
		c.Tau, c.Taus = e.Tau, evidence.Taus{}
		c.Taus[evidence.FirstByteP99] = e.Tau
	}
	c.Test, c.K = 0, 0
	if c.PastOff() {
		*tests++
		c.Epoch, c.Since, c.Test, c.K = e.Seq, e.Time, e.Seq, *tests
	}
}
