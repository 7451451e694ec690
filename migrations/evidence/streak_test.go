package evidence

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// restart is how long a restart may take in these tests.
const restart = 3 * time.Second

// failing heals n requests, one each step, and returns the time of the last.
func failing(s *Streak, from time.Time, n int, step time.Duration) time.Time {
	at := from
	for i := range n {
		at = from.Add(time.Duration(i) * step)
		s.Heal(at, 0)
	}
	return at
}

func TestTwentyFailuresInARowAreAnOutage(t *testing.T) {
	var s Streak
	last := failing(&s, noon, OutageLength-1, time.Second)
	if fault, _ := (Streaks{"a": s}).Judge(restart, false); fault != Blink {
		t.Errorf("19 in a row are %q", fault)
	}
	s.Heal(last.Add(time.Second), 0)
	if fault, worst := (Streaks{"a": s}).Judge(restart, false); fault != Outage || worst.Healed != OutageLength {
		t.Errorf("20 in a row are %q, %+v", fault, worst)
	}
	s.End(last.Add(2 * time.Second))
	if fault, _ := (Streaks{"a": s}).Judge(restart, false); fault != Sound {
		t.Errorf("the service is back, and it is %q", fault)
	}
}

func TestARestartThatFallbackHealedIsABlip(t *testing.T) {
	var s Streak
	failing(&s, noon, 300, 10*time.Millisecond) // 2.99 s at 100 a second
	if fault, _ := (Streaks{"a": s}).Judge(restart, false); fault != Blink {
		t.Errorf("three seconds are %q", fault)
	}
	s.End(noon.Add(restart))
	streaks := Streaks{"a": s}
	if fault, _ := streaks.Judge(restart, false); fault != Sound {
		t.Errorf("after the restart it is %q", fault)
	}
	if b := streaks.Blip(); b.Healed != 300 || b.To-b.From != 2990 {
		t.Errorf("the blip was %+v", b)
	}

	failing(&s, noon.Add(time.Minute), 400, 10*time.Millisecond)
	if fault, _ := (Streaks{"a": s}).Judge(restart, false); fault != Outage {
		t.Errorf("four seconds are %q", fault)
	}
}

// Silence after a few failures is no sign that the service still fails.
func TestABurstOfFailuresFollowedBySilenceIsNoOutage(t *testing.T) {
	var s Streak
	failing(&s, noon, 30, time.Millisecond)
	if fault, _ := (Streaks{"a": s}).Judge(restart, false); fault != Blink {
		t.Errorf("a burst is %q", fault)
	}
}

func TestGatewaysSeeAnOutageTogether(t *testing.T) {
	var a, b, c Streak
	failing(&a, noon, 10, time.Second)
	failing(&b, noon.Add(time.Second), 10, time.Second)
	streaks := Streaks{"a": a, "b": b}
	if fault, worst := streaks.Judge(restart, false); fault != Outage || worst.Healed != 20 {
		t.Errorf("10 and 10 in a row are %q, %+v", fault, worst)
	}
	c.End(noon.Add(500 * time.Millisecond)) // after a began to fail
	streaks["c"] = c
	if fault, _ := streaks.Judge(restart, false); fault != Blink {
		t.Errorf("a third gateway was answered, and it is %q", fault)
	}
	failing(&a, noon.Add(10*time.Second), 10, time.Second)
	streaks["a"] = a
	if fault, worst := streaks.Judge(restart, false); fault != Outage || worst.Healed != 20 {
		t.Errorf("20 in a row on one gateway are %q, %+v", fault, worst)
	}
}

func TestTheNewestStateOfAStreakIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Streak
		old := s
		at := noon
		for range rapid.IntRange(1, 40).Draw(t, "requests") {
			old = s
			at = at.Add(time.Second)
			if rapid.Bool().Draw(t, "ends") {
				s.End(at)
			} else {
				s.Heal(at, 0)
			}
			if got := mergeStreaks(Streaks{"a": s}, Streaks{"a": old})["a"]; got != s {
				t.Fatalf("merging %+v with the older %+v gives %+v", s, old, got)
			}
		}
	})
}
