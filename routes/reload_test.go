package routes

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

// withMigrations returns a table with these migrations, one YAML line each.
func withMigrations(t *testing.T, lines ...string) *Table {
	t.Helper()
	text := "upstreams: {monolith: http://127.0.0.1:1, orders: http://127.0.0.1:2, carts: http://127.0.0.1:3}\nroutes: [{path: /*, upstream: monolith}]\n"
	if len(lines) > 0 {
		text += "migrations:\n  " + strings.Join(lines, "\n  ") + "\n"
	}
	return config(t, text)
}

// follow applies what Reconcile says, as the log would.
func follow(t *testing.T, s migrations.State, events ...migrations.Event) migrations.State {
	t.Helper()
	for _, e := range events {
		e.Seq, e.Time = s.Seq+1, time.Unix(int64(s.Seq), 0)
		next, err := migrations.Apply(s, e)
		if err != nil {
			t.Fatal(err)
		}
		s = next
	}
	return s
}

func told(events []migrations.Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s %s", e.Kind, e.Migration)
		if e.Kind == migrations.Renamed {
			fmt.Fprintf(&b, " from %s", e.From)
		}
		if e.Kind == migrations.Planned {
			fmt.Fprintf(&b, " step %d", e.Step)
		}
		b.WriteString("; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func shifted(id, shares string) migrations.Event {
	named, err := migrations.ParseShares(strings.Fields(shares)...)
	if err != nil {
		panic(err)
	}
	split, err := migrations.NewSplit(named...)
	if err != nil {
		panic(err)
	}
	return migrations.Event{Migration: id, Kind: migrations.Shifted, Split: split, Actor: "test"}
}

const (
	orders = "orders: {from: monolith, to: orders, key: ip}"
	carts  = "carts: {from: monolith, to: carts, key: ip}"
)

// Each story reloads one config after another; in between, a migration may be
// shifted. Then nothing is left to say.
func TestReconcileBringsTheLogInLine(t *testing.T) {
	type chapter struct {
		config []string
		shift  string // "orders live=5%", after the config
		want   string // what is told
	}
	for name, story := range map[string][]chapter{
		"a migration is created once": {
			{[]string{orders, carts}, "", "created carts; created orders"},
			{[]string{orders, carts}, "", ""},
		},
		"an edited ramp begins at its last step that is not beyond": {
			{[]string{orders}, "orders live=5%", "created orders"},
			{[]string{"orders: {from: monolith, to: orders, key: ip, ramp: [{stage: live, share: 1%}, {stage: live, share: 5%}, {stage: live, share: 50%}]}"}, "", "planned orders step 2"},
		},
		"at off anything may change": {
			{[]string{orders}, "", "created orders"},
			{[]string{"orders: {from: monolith, to: carts, key: request}"}, "", "planned orders step 0"},
		},
		"one that never moved is retired when it is removed": {
			{[]string{orders}, "", "created orders"},
			{nil, "", "retired orders"},
			{[]string{orders}, "", "created orders"},
		},
		"one that moved is retired by consent": {
			{[]string{orders}, "orders live=5%", "created orders"},
			{[]string{"orders: {retired: true}"}, "", "retired orders"},
			{nil, "", ""},
			{[]string{"purchases: {from: monolith, to: orders, key: ip}"}, "", "created purchases"},
		},
		"a renamed one keeps its state": {
			{[]string{orders}, "orders live=5%", "created orders"},
			{[]string{"purchases: {from: monolith, to: orders, key: ip, flag: orders, renamed_from: orders}"}, "", "renamed purchases from orders; planned purchases step 0"},
			{[]string{"purchases: {from: monolith, to: orders, key: ip, flag: orders}"}, "", "planned purchases step 0"},
		},
		"a chain of renames moves from its end": {
			{[]string{orders, carts}, "orders live=5%", "created carts; created orders"},
			{[]string{"carts: {from: monolith, to: orders, key: ip, flag: orders, renamed_from: orders}", "baskets: {from: monolith, to: carts, key: ip, renamed_from: carts}"}, "",
				"renamed baskets from carts; renamed carts from orders; planned baskets step 0; planned carts step 0"},
		},
		"a former id that nobody knew is a new migration": {
			{[]string{"orders: {from: monolith, to: orders, key: ip, renamed_from: never}"}, "", "created orders"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var s migrations.State
			var old *Table
			for i, c := range story {
				table := withMigrations(t, c.config...)
				if ps := CheckReload(old, table, s); len(ps) > 0 {
					t.Fatalf("chapter %d is refused: %v", i, ps)
				}
				events := Reconcile(table, s)
				if got := told(events); got != c.want {
					t.Errorf("chapter %d\ngot  %s\nwant %s", i, got, c.want)
				}
				s = follow(t, s, events...)
				if id, shares, ok := strings.Cut(c.shift, " "); ok {
					s = follow(t, s, shifted(id, shares))
				}
				if again := Reconcile(table, s); len(again) > 0 {
					t.Errorf("chapter %d is told twice: %s", i, told(again))
				}
				old = table
			}
		})
	}
}

func TestReloadNeverDropsPeopleOnAService(t *testing.T) {
	old := withMigrations(t, orders, carts)
	s := follow(t, migrations.State{}, Reconcile(old, migrations.State{})...)
	s = follow(t, s, shifted("orders", "live=5%"))
	for name, c := range map[string]struct {
		config []string
		want   string // in the problem; empty: it passes
	}{
		"unchanged":            {[]string{orders, carts}, ""},
		"deleted":              {[]string{carts}, "migrations.orders: the migration is gone (it stood at "},
		"deleted, the other":   {[]string{orders}, ""},
		"retired":              {[]string{"orders: {retired: true}", carts}, ""},
		"to":                   {[]string{"orders: {from: monolith, to: carts, key: ip}", carts}, `orders.to: changes from "orders" to "carts" while the state is live=5% off=95%; put "orders" back, or first: ficus rollback orders`},
		"from":                 {[]string{"orders: {from: carts, to: orders, key: ip}", carts}, `orders.from: changes from "monolith" to "carts"`},
		"key":                  {[]string{"orders: {from: monolith, to: orders, key: request}", carts}, `orders.key: changes from "ip" to "request"`},
		"renamed":              {[]string{"purchases: {from: monolith, to: orders, key: ip, flag: orders, renamed_from: orders}", carts}, ""},
		"renamed, other flag":  {[]string{"purchases: {from: monolith, to: orders, key: ip, renamed_from: orders}", carts}, `purchases.flag: changes from "orders" to "purchases" while the state is live=5% off=95%; write flag: orders, since people are bucketed by it and would change sides`},
		"flag":                 {[]string{"orders: {from: monolith, to: orders, key: ip, flag: other}", carts}, `orders.flag: changes from "orders" to "other"`},
		"renamed and turned":   {[]string{"purchases: {from: monolith, to: carts, key: ip, flag: orders, renamed_from: orders}", carts}, `purchases.to: changes from "orders"`},
		"renamed into another": {[]string{"carts: {from: monolith, to: carts, key: ip, renamed_from: orders}"}, `migrations.carts.renamed_from: "carts" has a state of its own`},
		"ramp edited":          {[]string{"orders: {from: monolith, to: orders, key: ip, ramp: [{stage: live, share: 1%}]}", carts}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			next := withMigrations(t, c.config...)
			got := CheckReload(old, next, s)
			if (len(got) > 0) != (c.want != "") || !strings.Contains(got.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", got, c.want)
			}
			for _, p := range got {
				if p.Hint == "" || p.At.File == "" {
					t.Errorf("%v names no place or no remedy", p)
				}
			}
			if len(got) > 0 {
				for _, e := range Reconcile(next, s) {
					if e.Kind == migrations.Retired && e.Migration == "orders" {
						t.Errorf("Reconcile retires what has people on it")
					}
				}
			}
		})
	}
}

func TestReloadSaysWhatNeedsARestart(t *testing.T) {
	base := "upstreams: {monolith: http://127.0.0.1:1}\nroutes: [{path: /*, upstream: monolith}]\n"
	old := config(t, base)
	next := config(t, base+"listen: :9090\nlog: {level: debug, access: false}\n")
	var got []string
	for _, p := range RestartNeeded(old, next) {
		got = append(got, fmt.Sprintf("%d:%d: %s", p.At.Line, p.At.Col, p.Path))
	}
	if diff := cmp.Diff([]string{"3:9: listen", "4:14: log.level"}, got); diff != "" {
		t.Error(diff)
	}
	if again := RestartNeeded(next, next); len(again) > 0 {
		t.Error(again)
	}
}

func TestWritesAreExplained(t *testing.T) {
	for line, want := range map[string][]string{
		"{from: monolith, to: orders}":                                                                  {"stay on monolith until complete, since nothing is declared", "after it, what orders has written is missing"},
		"{from: monolith, to: orders, data: shared}":                                                    {"writes: follow would let them go", "loses nothing: both sides see one database"},
		"{from: monolith, to: orders, data: shared, writes: follow}":                                    {"to orders for those who are at live", "loses nothing"},
		"{from: monolith, to: orders, data: moved, writes: follow}":                                     {"loses what orders has written", "--accept-data-loss"},
		`{from: monolith, to: orders, data: {synced: {lag: "http://a/", max_lag: 5s}}, writes: follow}`: {"may miss what has not yet been replicated to monolith, up to 5s of writes"},
	} {
		got := WritesExplained(*withMigrations(t, "orders: "+line).Plans["orders"])
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s\ngot  %s\nwant %s", line, got, w)
			}
		}
	}
}

// A revert of the edit that retired a migration must not take its people back.
func TestARetiredIDIsNotGivenAgain(t *testing.T) {
	old := withMigrations(t, orders)
	s := follow(t, migrations.State{}, Reconcile(old, migrations.State{})...)
	s = follow(t, s, shifted("orders", "complete"))
	s = follow(t, s, Reconcile(withMigrations(t, "orders: {retired: true}"), s)...)
	problems := CheckReload(nil, old, s)
	if len(problems) != 1 || !strings.Contains(problems[0].Error(), "retired at complete=100%") || problems[0].Hint == "" {
		t.Errorf("problems are %v", problems)
	}
	if problems := CheckReload(nil, withMigrations(t, "orders2: {from: monolith, to: orders, key: ip}"), s); len(problems) > 0 {
		t.Errorf("another id is refused: %v", problems)
	}
}
