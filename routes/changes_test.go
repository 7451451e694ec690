package routes

import (
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A reason in the config lets a ramp go on once, if it stands still, whatever
// else is edited.
func TestAReasonInTheConfigLetsARampGoOnOnce(t *testing.T) {
	load := func(changes, resume, share string) *Table {
		return config(t, `changes: `+changes+`
upstreams: {monolith: http://127.0.0.1:1, orders: http://127.0.0.1:2}
migrations: {orders: {from: monolith, to: orders, key: ip, resume: "`+resume+`", ramp: [{stage: live, share: `+share+`}]}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`)
	}
	var s migrations.State
	now := time.Now()
	apply := func(events ...migrations.Event) (kinds []string) {
		t.Helper()
		if len(events) == 0 {
			return nil
		}
		admitted, next, err := migrations.Admit(s, migrations.Unconditional, now, events...)
		if err != nil {
			t.Fatal(err)
		}
		s = next
		for _, e := range admitted {
			kinds = append(kinds, string(e.Kind))
		}
		return kinds
	}
	for _, c := range []struct {
		what   string
		before []migrations.Event
		table  *Table
		want   string
	}{
		{"new, without a reason", nil, load("git", "", "5%"), "created"},
		{"the same", nil, load("git", "", "5%"), ""},
		{"a reason", nil, load("git", "ready", "5%"), "planned resumed"},
		{"the same reason", nil, load("git", "ready", "5%"), ""},
		{"held, and edited", []migrations.Event{{Migration: "orders", Kind: migrations.Held}}, load("git", "ready", "6%"), "planned"},
		{"another reason", nil, load("git", "on we go", "6%"), "planned resumed"},
		{"another, while it runs", nil, load("git", "and on", "6%"), "planned"},
		{"rolled back, the reason is gone", []migrations.Event{{Migration: "orders", Kind: migrations.RolledBack, Split: migrations.All(migrations.Off)}}, load("git", "", "6%"), "planned"},
		{"and is back", nil, load("git", "fixed", "6%"), "planned resumed"},
		{"by operators", []migrations.Event{{Migration: "orders", Kind: migrations.Held}}, load("api", "fixed again", "6%"), "planned"},
	} {
		apply(c.before...)
		if got := strings.Join(apply(Reconcile(c.table, s)...), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	if m := s.Migrations["orders"]; m.Ramp != migrations.RampHeld || m.RolledBack {
		t.Errorf("%+v", m)
	}
	if w := load("api", "ready", "5%").Warnings; len(w) != 1 || !strings.Contains(w[0].Error(), "does nothing where operators change migrations") {
		t.Errorf("%v", w)
	}
}
