package flags

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// traveller is a request of a client, safe or not, for a migration with
// journeys whose writes follow.
func traveller(t testing.TB, id string, safe bool, shares string, has ...*http.Cookie) *Input {
	r := httptest.NewRequest("POST", "/", nil)
	for _, c := range has {
		r.AddCookie(c)
	}
	return &Input{
		Plan:    &migrations.Plan{ID: id, Journeys: true, Data: migrations.DataShared, Writes: migrations.WritesFollow},
		State:   &migrations.Migration{ID: id, Split: ramp(t, shares)},
		Request: r, Safe: safe,
	}
}

// noted is the cookie of a person whom a side has answered.
func noted(t testing.TB, a *Assigner, in *Input, side migrations.Side) *http.Cookie {
	t.Helper()
	c := a.JourneyCookie(in, Stay{Side: side, Placed: side}, side, false)
	if c == nil {
		t.Fatal("nothing to note")
	}
	return c
}

// at is an assignment at a stage.
func at(stage migrations.Stage) *Assignment { return &Assignment{Stage: stage} }

func TestAFlipForwardLeavesPeopleWhereTheyAre(t *testing.T) {
	a := assigner(t, Options{})
	for _, safe := range []bool{true, false} {
		page := traveller(t, "orders", true, "live=5%")
		page.Secure = true
		c := noted(t, a, page, migrations.Legacy)
		if c.Name != "ficus_journey" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 1800 || c.Valid() != nil {
			t.Fatalf("cookie %v", c)
		}
		in := traveller(t, "orders", safe, "live=50%", c)
		if s := a.Keep(in, at(migrations.Live), migrations.Modern); s.Side != migrations.Legacy || !s.Kept() || !s.Outside || s.Broken {
			t.Errorf("safe %v: %+v", safe, s)
		}
		if s := a.Keep(in, at(migrations.Shadow), migrations.Legacy); s.Side != migrations.Legacy || s.Kept() || s.Outside || s.Broken {
			t.Errorf("safe %v, before the flip: %+v", safe, s)
		}
		for name, in := range map[string]*Input{
			"without a journey": traveller(t, "orders", safe, "live=50%"),
			"another migration": traveller(t, "billing", safe, "live=50%", c),
			"no journeys":       {Plan: &migrations.Plan{ID: "orders", Writes: migrations.WritesFollow}, Request: in.Request, Safe: safe},
		} {
			if s := a.Keep(in, at(migrations.Live), migrations.Modern); s.Side != migrations.Modern || s.Outside || s.Broken {
				t.Errorf("safe %v, %s: %+v", safe, name, s)
			}
		}
	}
	plain := traveller(t, "orders", true, "live")
	plain.Plan.Journeys = false
	if c := a.JourneyCookie(plain, Stay{}, migrations.Legacy, false); c != nil {
		t.Errorf("no journeys, but a cookie: %s", c)
	}
}

func TestTheWayBackWaitsForNobody(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	a := assigner(t, Options{Now: func() time.Time { return now }})
	modern := noted(t, a, traveller(t, "orders", true, "live"), migrations.Modern)
	for name, c := range map[string]struct {
		safe   bool
		change func(*migrations.Migration)
		stays  bool
	}{
		"a page after a rollback":               {true, func(m *migrations.Migration) { m.RolledBack, m.Split = true, ramp(t, "off") }, false},
		"a form after a rollback":               {false, func(m *migrations.Migration) { m.RolledBack, m.Split = true, ramp(t, "off") }, false},
		"a form on the way back":                {false, func(m *migrations.Migration) { m.RolledBack, m.Return = true, &migrations.Return{} }, false},
		"a form of before a rollback, resumed":  {false, func(m *migrations.Migration) { m.RolledBackAt = now.Add(time.Second) }, false},
		"a form of after a rollback, shifted":   {false, func(m *migrations.Migration) { m.RolledBack, m.RolledBackAt = true, now.Add(-time.Second) }, true},
		"a page after a shift back by a person": {true, func(m *migrations.Migration) { m.Split = ramp(t, "live=5%") }, false},
		"a form after a shift back by a person": {false, func(m *migrations.Migration) { m.Split = ramp(t, "off") }, true},
		"a form of a retired migration":         {false, func(m *migrations.Migration) { m.Retired = true }, false},
		"a form that the log does not know":     {false, nil, false},
	} {
		in := traveller(t, "orders", c.safe, "live=50%", modern)
		if c.change != nil {
			c.change(in.State)
		} else {
			in.State = nil
		}
		s := a.Keep(in, at(migrations.Off), migrations.Legacy)
		if s.Kept() != c.stays || s.Broken == c.stays || s.Outside != c.stays || s.On() != migrations.Modern {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestCompletionBreaksNoJourneyWhereTheDataIsShared(t *testing.T) {
	a := assigner(t, Options{})
	legacy := noted(t, a, traveller(t, "orders", true, "off"), migrations.Legacy)
	for _, data := range []migrations.Data{migrations.DataShared, migrations.DataSynced, migrations.DataMoved, ""} {
		for _, safe := range []bool{true, false} {
			in := traveller(t, "orders", safe, "complete", legacy)
			in.Plan.Data = data
			if data == "" {
				in.Plan.Writes = ""
			}
			s := a.Keep(in, at(migrations.Complete), migrations.Modern)
			if stays := data == migrations.DataShared; s.Kept() != stays || s.Broken == stays {
				t.Errorf("data %q, safe %v: %+v", data, safe, s)
			}
		}
	}
}

func TestWritesWithASideOfTheirOwnFollowNoJourney(t *testing.T) {
	a := assigner(t, Options{})
	in := traveller(t, "orders", false, "live=50%", noted(t, a, traveller(t, "orders", true, "live"), migrations.Modern))
	in.Plan.Writes = migrations.WritesMonolith
	if s := a.Keep(in, at(migrations.Live), migrations.Legacy); s.Kept() || s.Broken {
		t.Errorf("%+v", s)
	}
}

func TestCohortsAreFreeToLook(t *testing.T) {
	a := assigner(t, Options{})
	staff := &Assignment{Stage: migrations.Live, Cohort: "staff"}
	c := noted(t, a, traveller(t, "orders", true, "off"), migrations.Legacy)
	if s := a.Keep(traveller(t, "orders", true, "off", c), staff, migrations.Modern); s.Kept() || s.Broken {
		t.Errorf("a page: %+v", s)
	}
	if s := a.Keep(traveller(t, "orders", false, "off", c), staff, migrations.Modern); !s.Kept() {
		t.Errorf("a form: %+v", s)
	}
}

func TestJourneysEnd(t *testing.T) {
	now := time.Date(2025, 6, 2, 10, 0, 0, 0, time.UTC)
	a := assigner(t, Options{Now: func() time.Time { return now }})
	c := noted(t, a, traveller(t, "orders", true, "live"), migrations.Modern)
	again := func(c *http.Cookie, side migrations.Side) *http.Cookie {
		in := traveller(t, "orders", true, "live", c)
		return a.JourneyCookie(in, a.Keep(in, at(migrations.Live), migrations.Modern), side, false)
	}
	if c := again(c, migrations.Modern); c != nil {
		t.Errorf("set again at once: %s", c)
	}
	if c := again(c, migrations.Legacy); c == nil {
		t.Error("the other side is not noted")
	}
	now = now.Add(journeyFor / 2)
	fresh := again(c, migrations.Modern)
	if fresh == nil {
		t.Fatal("a journey that goes on is not prolonged")
	}
	on := func(c *http.Cookie) migrations.Side { return a.Journey(traveller(t, "orders", false, "live", c)).Side }
	now = now.Add(journeyFor/2 - time.Second)
	if side := on(c); side != migrations.Modern {
		t.Errorf("just before the end: %q", side)
	}
	now = now.Add(time.Second)
	if side := on(c); side != "" {
		t.Errorf("at the end: %q", side)
	}
	if side := on(fresh); side != migrations.Modern {
		t.Errorf("prolonged: %q", side)
	}
}

// A journey may be kept from a flip, and not from all that follow: somebody
// who never rests moves after two hours, between two pages. A form that is open
// then is still answered where it was drawn.
func TestNobodyStaysForEver(t *testing.T) {
	now := time.Date(2025, 6, 2, 10, 0, 0, 0, time.UTC)
	a := assigner(t, Options{Now: func() time.Time { return now }})
	has := []*http.Cookie{noted(t, a, traveller(t, "orders", true, "off"), migrations.Legacy)}
	flip := now
	request := func(safe bool) Stay {
		in := traveller(t, "orders", safe, "live=50%", has...)
		in.State.Since = flip
		s := a.Keep(in, at(migrations.Live), migrations.Modern)
		if c := a.JourneyCookie(in, s, s.Side, false); c != nil {
			has = []*http.Cookie{c}
		}
		return s
	}
	for now.Before(flip.Add(journeyMost)) {
		if s := request(true); s.Side != migrations.Legacy {
			t.Fatalf("%s after the flip: %+v", now.Sub(flip), s)
		}
		now = now.Add(time.Minute)
	}
	if s := request(false); s.Side != migrations.Legacy {
		t.Errorf("an open form: %+v", s)
	}
	left := has
	if s := request(true); s.Side != migrations.Modern || s.Broken {
		t.Errorf("the next page: %+v", s)
	}
	if s := request(true); s.Side != migrations.Modern || s.Outside {
		t.Errorf("and the one after that: %+v", s)
	}
	for has = left; ; now = now.Add(time.Minute) { // nothing but writes
		if s := request(false); s.Side == migrations.Modern {
			break
		}
		if now.Sub(flip) > journeyMost+journeyFor+time.Minute {
			t.Fatal("writes alone keep a journey alive for ever")
		}
	}
}

// Whom the monolith has answered since the service failed stays with it for a
// while, and then goes back.
func TestAHealedPersonReturns(t *testing.T) {
	now := time.Date(2025, 6, 2, 10, 0, 0, 0, time.UTC)
	a := assigner(t, Options{Now: func() time.Time { return now }})
	c := a.JourneyCookie(traveller(t, "orders", true, "live"), Stay{Side: migrations.Modern, Placed: migrations.Modern}, migrations.Legacy, true)
	for i := 0; ; i++ {
		in := traveller(t, "orders", true, "live", c)
		s := a.Keep(in, at(migrations.Live), migrations.Modern)
		if s.Side == migrations.Modern {
			if i != 30 {
				t.Errorf("it returns after %d minutes", i)
			}
			break
		}
		if next := a.JourneyCookie(in, s, s.Side, false); next != nil {
			c = next
		}
		now = now.Add(time.Minute)
	}
}

// What an unsafe request on the service says counts only if the journey was
// noted since the present split began.
func TestFormsOfAnEarlierSplitAreOutsideTheTest(t *testing.T) {
	now := time.Date(2025, 6, 2, 10, 0, 0, 0, time.UTC)
	a := assigner(t, Options{Now: func() time.Time { return now }})
	c := noted(t, a, traveller(t, "orders", true, "live"), migrations.Modern)
	now = now.Add(time.Minute)
	since := now
	now = now.Add(time.Minute)
	request := func(safe bool, c *http.Cookie) (*Input, Stay) {
		in := traveller(t, "orders", safe, "live", c)
		in.State.Since = since
		return in, a.Keep(in, at(migrations.Live), migrations.Modern)
	}
	if _, s := request(false, c); !s.Outside || s.Kept() {
		t.Errorf("a form of before: %+v", s)
	}
	in, s := request(true, c)
	if s.Outside {
		t.Errorf("a page: %+v", s)
	}
	again := a.JourneyCookie(in, s, s.Side, false)
	if again == nil {
		t.Fatal("the page is not noted as one of the present split")
	}
	if _, s := request(false, again); s.Outside {
		t.Errorf("a form of since: %+v", s)
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
		c = noted(t, a, traveller(t, fmt.Sprint("m", i), true, "live", has...), migrations.Modern)
	}
	for i := range maxJourneys + 2 {
		j := a.Journey(traveller(t, fmt.Sprint("m", i), false, "live", c))
		if want := i >= 2; (j.Side != "") != want {
			t.Errorf("journey %d: %+v, want %v", i, j, want)
		}
	}
	if len(c.Value) > 210 {
		t.Errorf("the cookie has grown to %d bytes", len(c.Value))
	}
}

func TestForgedJourneysAreIgnored(t *testing.T) {
	a := assigner(t, Options{})
	good := noted(t, a, traveller(t, "orders", true, "live"), migrations.Modern)
	for i := range good.Value {
		forged := []byte(good.Value)
		forged[i] ^= 1
		bad := &http.Cookie{Name: JourneyCookie, Value: string(forged)}
		if j := a.Journey(traveller(t, "orders", false, "live", bad)); j.Side != "" {
			t.Fatalf("%q passes", forged)
		}
		if j := a.Journey(traveller(t, "orders", false, "live", bad, good)); j.Side == "" {
			t.Fatal("the real cookie was not found behind a forged one")
		}
	}
	other := assigner(t, Options{})
	if j := other.Journey(traveller(t, "orders", false, "live", good)); j.Side != "" {
		t.Error("another secret's cookie passes")
	}
}
