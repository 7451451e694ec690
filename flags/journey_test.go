package flags

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// traveller is a request of a client, safe or not, for a migration with journeys.
func traveller(t testing.TB, id string, safe bool, shares string, has ...*http.Cookie) *Input {
	r := httptest.NewRequest("POST", "/", nil)
	for _, c := range has {
		r.AddCookie(c)
	}
	return &Input{Plan: &migrations.Plan{ID: id, Journeys: true}, State: &migrations.Migration{ID: id, Split: ramp(t, shares)}, Request: r, Safe: safe}
}

func TestAnUnsafeRequestGoesToTheSideOfTheLastPage(t *testing.T) {
	a := assigner(t, Options{})
	if side, ok := a.Journey(traveller(t, "orders", false, "live=5%")); side != "" || ok {
		t.Errorf("without a journey: %q %v", side, ok)
	}
	for _, side := range []migrations.Side{migrations.Legacy, migrations.Modern} {
		page := traveller(t, "orders", true, "live=5%")
		page.Secure = true
		c := a.JourneyCookie(page, side)
		if c == nil || c.Name != "ficus_journey" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 1800 || c.Valid() != nil {
			t.Fatalf("cookie %v", c)
		}
		if got, ok := a.Journey(traveller(t, "orders", false, "live=5%", c)); got != side || !ok {
			t.Errorf("after a page of %s: %q %v", side, got, ok)
		}
		if got, ok := a.Journey(traveller(t, "orders", true, "live=5%", c)); got != "" || ok {
			t.Errorf("a safe request: %q %v", got, ok)
		}
		if got, ok := a.Journey(traveller(t, "billing", false, "live=5%", c)); got != "" || ok {
			t.Errorf("another migration: %q %v", got, ok)
		}
		plain := traveller(t, "orders", false, "live=5%", c)
		plain.Plan.Journeys = false
		if got, ok := a.Journey(plain); got != "" || ok {
			t.Errorf("no journeys: %q %v", got, ok)
		}
		if c := a.JourneyCookie(plain, side); c != nil {
			t.Errorf("no journeys, but a cookie: %s", c)
		}
	}
}

func TestARollbackOverridesJourneys(t *testing.T) {
	a := assigner(t, Options{})
	page := traveller(t, "orders", true, "live")
	modern, legacy := a.JourneyCookie(page, migrations.Modern), a.JourneyCookie(page, migrations.Legacy)
	for name, c := range map[string]struct {
		cookie *http.Cookie
		change func(*Input)
		side   migrations.Side
		holds  bool
	}{
		"rolled back":                {modern, func(in *Input) { in.State.RolledBack, in.State.Split = true, ramp(t, "off") }, "modern", false},
		"rolled back, legacy":        {legacy, func(in *Input) { in.State.RolledBack, in.State.Split = true, ramp(t, "off") }, "legacy", true},
		"rolled back, shifted since": {modern, func(in *Input) { in.State.RolledBack = true }, "modern", true},
		"shifted to off by a person": {modern, func(in *Input) { in.State.Split = ramp(t, "off") }, "modern", true},
		"unknown to the log":         {modern, func(in *Input) { in.State = nil }, "modern", false},
		"retired":                    {modern, func(in *Input) { in.Plan.Retired = true }, "modern", false},
		"complete":                   {legacy, func(in *Input) { in.State.Split = ramp(t, "complete") }, "legacy", false},
		"complete, modern":           {modern, func(in *Input) { in.State.Split = ramp(t, "complete") }, "modern", true},
	} {
		in := traveller(t, "orders", false, "live=5%", c.cookie)
		c.change(in)
		if side, holds := a.Journey(in); side != c.side || holds != c.holds {
			t.Errorf("%s: %q %v, want %q %v", name, side, holds, c.side, c.holds)
		}
	}
}

func TestJourneysEnd(t *testing.T) {
	now := time.Date(2025, 6, 2, 10, 0, 0, 0, time.UTC)
	a := assigner(t, Options{Now: func() time.Time { return now }})
	page := func(c ...*http.Cookie) *Input { return traveller(t, "orders", true, "live", c...) }
	c := a.JourneyCookie(page(), migrations.Modern)
	if again := a.JourneyCookie(page(c), migrations.Modern); again != nil {
		t.Errorf("set again at once: %s", again)
	}
	if other := a.JourneyCookie(page(c), migrations.Legacy); other == nil {
		t.Error("a page of the other side is not remembered")
	}
	now = now.Add(journeyFor / 2)
	fresh := a.JourneyCookie(page(c), migrations.Modern)
	if fresh == nil {
		t.Fatal("a journey that goes on is not prolonged")
	}
	now = now.Add(journeyFor/2 - time.Second)
	form := func(c *http.Cookie) *Input { return traveller(t, "orders", false, "live", c) }
	if side, _ := a.Journey(form(c)); side != migrations.Modern {
		t.Errorf("just before the end: %q", side)
	}
	now = now.Add(time.Second)
	if side, _ := a.Journey(form(c)); side != "" {
		t.Errorf("at the end: %q", side)
	}
	if side, _ := a.Journey(form(fresh)); side != migrations.Modern {
		t.Errorf("prolonged: %q", side)
	}
}

func TestSeveralMigrationsShareTheCookie(t *testing.T) {
	a := assigner(t, Options{})
	var c *http.Cookie
	for i := range maxJourneys + 2 {
		var has []*http.Cookie
		if c != nil {
			has = append(has, c)
		}
		c = a.JourneyCookie(traveller(t, fmt.Sprint("m", i), true, "live", has...), migrations.Modern)
	}
	for i := range maxJourneys + 2 {
		side, ok := a.Journey(traveller(t, fmt.Sprint("m", i), false, "live", c))
		if want := i >= 2; ok != want || (side != "") != want {
			t.Errorf("journey %d: %q %v, want %v", i, side, ok, want)
		}
	}
	if len(c.Value) > 160 {
		t.Errorf("the cookie has grown to %d bytes", len(c.Value))
	}
}

func TestForgedJourneysAreIgnored(t *testing.T) {
	a := assigner(t, Options{})
	good := a.JourneyCookie(traveller(t, "orders", true, "live"), migrations.Modern)
	for i := range good.Value {
		forged := []byte(good.Value)
		forged[i] ^= 1
		bad := &http.Cookie{Name: JourneyCookie, Value: string(forged)}
		if side, _ := a.Journey(traveller(t, "orders", false, "live", bad)); side != "" {
			t.Fatalf("%q passes", forged)
		}
		if side, _ := a.Journey(traveller(t, "orders", false, "live", bad, good)); side == "" {
			t.Fatal("the real cookie was not found behind a forged one")
		}
	}
	other := assigner(t, Options{})
	if side, _ := other.Journey(traveller(t, "orders", false, "live", good)); side != "" {
		t.Error("another secret's cookie passes")
	}
}
