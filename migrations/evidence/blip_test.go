package evidence

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestABlip(t *testing.T) {
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }
	const patience = 10 * time.Second

	t.Run("a restart that fallback healed is forgotten", func(t *testing.T) {
		var b Blips[int]
		for ms := 0; ms < 1500; ms += 100 {
			if got := b.Heal(at(ms), patience, ms); got != nil {
				t.Fatalf("after %d ms %v count", ms, got)
			}
		}
		b.Answer(at(1600))
		if count, dropped := b.Tick(at(1700), patience); len(count)+dropped != 0 {
			t.Errorf("0.3 s after its last failure %v count and %d are dropped", count, dropped)
		}
		if count, dropped := b.Tick(at(2500), patience); len(count) != 0 || dropped != 15 {
			t.Errorf("%v count and %d are dropped, want 15 dropped", count, dropped)
		}
	})
	t.Run("a failure that a user sees makes all of it count", func(t *testing.T) {
		var b Blips[int]
		b.Heal(at(0), patience, 1)
		b.Heal(at(100), patience, 2)
		if got := b.Fail(at(200)); len(got) != 2 {
			t.Errorf("%v count, want both", got)
		}
		if got := b.Heal(at(300), patience, 3); len(got) != 1 {
			t.Errorf("afterwards %v count, want it at once", got)
		}
	})
	t.Run("one that outlasts the patience counts", func(t *testing.T) {
		var b Blips[int]
		b.Heal(at(0), patience, 1)
		b.Answer(at(500))
		b.Heal(at(9900), patience, 2)
		if got, _ := b.Tick(at(10_001), patience); len(got) != 2 {
			t.Errorf("%v count, want both", got)
		}
	})
	t.Run("silence is no recovery", func(t *testing.T) {
		var b Blips[int]
		b.Heal(at(0), patience, 1)
		if _, dropped := b.Tick(at(5000), patience); dropped != 0 {
			t.Error("a failure is forgotten though the service has answered nothing since")
		}
		if got, _ := b.Tick(at(10_001), patience); len(got) != 1 {
			t.Errorf("%v count, want it", got)
		}
	})
	t.Run("the fourth in an hour counts at once", func(t *testing.T) {
		var b Blips[int]
		for i := range 3 {
			for range few {
				b.Heal(at(i*10_000), patience, i)
			}
			b.Answer(at(i*10_000 + 100))
			if _, dropped := b.Tick(at(i*10_000+2000), patience); dropped != few {
				t.Fatalf("blip %d: %d dropped", i, dropped)
			}
		}
		if got := b.Heal(at(40_000), patience, 4); len(got) != 1 {
			t.Errorf("%v count, want it at once", got)
		}
		b.Answer(at(40_100))
		b.Tick(at(50_000), patience)
		if got := b.Heal(at(3_700_000), patience, 5); got != nil {
			t.Errorf("an hour later %v count, want none", got)
		}
	})
	t.Run("the fourth of few failures counts, and a restart after it does not", func(t *testing.T) {
		var b Blips[int]
		for i := range 4 {
			b.Heal(at(i*10_000), patience, i)
			b.Heal(at(i*10_000), patience, i)
			b.Answer(at(i*10_000 + 100))
			count, dropped := b.Tick(at(i*10_000+2000), patience)
			if last := i == BlipsAnHour; last && len(count) != 2 || !last && dropped != 2 {
				t.Fatalf("blip %d: %v count and %d are dropped", i, count, dropped)
			}
		}
		for i := range few {
			if got := b.Heal(at(40_000+i), patience, i); got != nil {
				t.Errorf("%v count, want none", got)
			}
		}
		b.Answer(at(40_100))
		if count, dropped := b.Tick(at(42_000), patience); len(count) != 0 || dropped != few {
			t.Errorf("%v count and %d are dropped, want %d dropped", count, dropped, few)
		}
	})
	t.Run("a stray failure counts, and is none of those in an hour", func(t *testing.T) {
		var b Blips[int]
		for i := range 10 {
			b.Heal(at(i*10_000), patience, i)
			b.Answer(at(i*10_000 + 100))
			if count, dropped := b.Tick(at(i*10_000+2000), patience); len(count) != 1 || dropped != 0 {
				t.Fatalf("failure %d: %v count, %d dropped", i, count, dropped)
			}
		}
		if got := b.Heal(at(200_000), patience, 11); got != nil {
			t.Errorf("and then %v count at once", got)
		}
	})
	t.Run("without patience everything counts at once", func(t *testing.T) {
		var b Blips[int]
		if got := b.Heal(at(0), 0, 1); len(got) != 1 {
			t.Errorf("%v count", got)
		}
	})
}

// Every vote is counted or dropped, once.
func TestNothingKeptAsideIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b Blips[int]
		now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
		in, counted, dropped := 0, 0, 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1:
				in++
				counted += len(b.Heal(now, 10*time.Second, in))
			case 2:
				counted += len(b.Fail(now))
			case 3:
				b.Answer(now)
			default:
				c, d := b.Tick(now, 10*time.Second)
				counted, dropped = counted+len(c), dropped+d
			}
		}
		if in != counted+dropped+len(b.votes) {
			t.Fatalf("%d in, %d counted, %d dropped, %d waiting", in, counted, dropped, len(b.votes))
		}
	})
}
