package migrations

import (
	"testing"
	"time"
)

func TestFreezeHolds(t *testing.T) {
	at := func(text string) time.Time {
		out, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, test := range []struct {
		from, to, zone string
		in, out        []string // UTC
	}{
		{"Fri 16:00", "Mon 08:00", "", []string{"2026-11-20 16:00", "2026-11-22 12:00", "2026-11-23 07:59"}, []string{"2026-11-20 15:59", "2026-11-23 08:00", "2026-11-25 12:00"}},
		{"fri 16:00", "monday 8:00", "Europe/Berlin", []string{"2026-11-20 15:00", "2026-07-24 14:00"}, []string{"2026-11-20 14:59", "2026-07-24 13:59", "2026-11-23 07:00"}},
		{"Tue", "Wed", "UTC", []string{"2026-11-24 00:00", "2026-11-24 23:59"}, []string{"2026-11-23 23:59", "2026-11-25 00:00"}},
		{"2026-12-23", "2027-01-02 08:00", "", []string{"2026-12-23 00:00", "2027-01-02 07:59"}, []string{"2026-12-22 23:59", "2027-01-02 08:00"}},
	} {
		f := freezing(t, test.from, test.to, test.zone, "why not")
		for _, text := range test.in {
			if !f.Holds(at(text)) {
				t.Errorf("%s: does not hold at %s", f, text)
			}
		}
		for _, text := range test.out {
			if f.Holds(at(text)) {
				t.Errorf("%s: holds at %s", f, text)
			}
		}
	}
	if (Freeze{}).Holds(time.Now()) {
		t.Error("the zero value holds")
	}
	for _, bad := range [][3]string{
		{"Fri", "2026-12-24", ""}, {"Fri", "Fri", ""}, {"2026-12-24", "2026-12-24", ""}, {"soon", "later", ""},
		{"Fri 25:00", "Mon", ""}, {"Fri", "Mon 8", ""}, {"Fri", "Mon", "Mars/Olympus"}, {"", "", ""}, {"F", "M", ""},
	} {
		if f, err := ParseFreeze(bad[0], bad[1], bad[2], ""); err == nil {
			t.Errorf("%v was read as %s", bad, f)
		}
	}
}

// A freeze that was edited is another plan.
func TestFreezeCountsInThePlan(t *testing.T) {
	hash := func(why string) string {
		return Plan{ID: "orders", Freezes: []Freeze{freezing(t, "Fri", "Mon", "", why)}}.Hash()
	}
	if first, again := hash("a"), hash("a"); first != again || first == hash("b") {
		t.Error("the hash of a plan does not follow its freezes")
	}
}

func FuzzParseFreeze(f *testing.F) {
	f.Add("Fri 16:00", "Mon 08:00", int64(1_800_000_000))
	f.Add("2026-12-23", "2027-01-02 08:00", int64(0))
	f.Fuzz(func(t *testing.T, from, to string, at int64) {
		freeze, err := ParseFreeze(from, to, "", "")
		if err != nil {
			return
		}
		now := time.Unix(at%(1<<40), 0)
		if again, err := ParseFreeze(from, to, "", ""); err != nil || again.Holds(now) != freeze.Holds(now) || !again.Equal(freeze) {
			t.Fatalf("%q to %q is read in two ways", from, to)
		}
	})
}
