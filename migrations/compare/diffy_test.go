package compare

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/compare-with-diffy.md")

const diffyPage = "../../docs/compare-with-diffy.md"

// diffy is the rule of twitter/diffy: a field is different if the candidate
// differs from the primary more often than the secondary does, by 20 % of both
// and by 0.03 % of all requests. It counts each kind of difference of a field
// for itself.
type diffy struct {
	total            int
	candidate, noise map[string]int
}

func newDiffy() *diffy { return &diffy{candidate: map[string]int{}, noise: map[string]int{}} }

func (d *diffy) flags(field string) bool {
	a, b := float64(d.candidate[field]), float64(d.noise[field])
	return a > b && (a-b)/(a+b)*100 > 20 && (a-b)/float64(d.total)*100 > 0.03
}

// diffyFinds runs a planted fault through the rule, which asks three every
// time and leaves out what failed.
func diffyFinds(seed uint64, c planted, rules *Rules) bool {
	w := newWorld(seed, c.base, c.fault)
	d := newDiffy()
	for range 2000 {
		user := w.r.IntN(1000)
		primary, candidate, secondary := w.ask(user, false), w.ask(user, true), w.ask(user, false)
		if candidate.Failure != "" {
			continue
		}
		d.total++
		for _, f := range Compare(primary, candidate, rules, nil).Differences {
			d.candidate[f.Path+" "+string(f.Kind)]++
		}
		for _, f := range Compare(primary, secondary, rules, nil).Differences {
			d.noise[f.Path+" "+string(f.Kind)]++
		}
	}
	return d.flags(c.path + " " + string(c.kind))
}

// diffyInvents counts, by kind of field, how many of 1,000 volatile ones the
// rule ever flags when looked at each hundred of 20,000 observations, and at
// the end.
func diffyInvents(seed uint64) (ever, last map[string]int) {
	r := rand.New(rand.NewPCG(seed, 99))
	const fields = 1000
	total, cand, noise := 0, make([]int, fields), make([]int, fields)
	flagged := make([]bool, fields)
	flags := func(i int) bool {
		a, b := float64(cand[i]), float64(noise[i])
		return a > b && (a-b)/(a+b)*100 > 20 && (a-b)/float64(total)*100 > 0.03
	}
	for tick := range 20000 {
		total++
		for i := range fields {
			v := volatiles[i%len(volatiles)]
			p, c, s := v.draw(r, 3*tick), v.draw(r, 3*tick+1), v.draw(r, 3*tick+2)
			if p != c {
				cand[i]++
			}
			if p != s {
				noise[i]++
			}
		}
		if total >= 1000 && total%100 == 0 {
			for i := range fields {
				flagged[i] = flagged[i] || flags(i)
			}
		}
	}
	ever, last = map[string]int{}, map[string]int{}
	for i := range fields {
		if flagged[i] {
			ever[volatiles[i%len(volatiles)].name]++
		}
		if flags(i) {
			last[volatiles[i%len(volatiles)].name]++
		}
	}
	return ever, last
}

func TestSideBySideWithDiffy(t *testing.T) {
	if !*update {
		page, err := os.ReadFile(diffyPage)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range catalogue {
			if !strings.Contains(string(page), "| "+c.name+" |") {
				t.Errorf("%s lacks %q; run the test with -update", diffyPage, c.name)
			}
		}
		return
	}
	rules, err := CompileRules(Definition{Hosts: []string{"shop.example"}}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(`# Side by side with the rule of Diffy

[Diffy](https://github.com/twitter-archive/diffy) asks the old system twice and the new one once, counts for each field how often
each pair differs, and flags a field if the candidate differs more often by 20 % (relative) and 0.03 % (absolute). Here that rule is
given the same requests, paths and normalisation as Ficus; only the decision is its own. It asks the old system twice for all requests, Ficus
for the first 300 of an endpoint, for some 2 % after that, and to confirm a mismatch. The page is written by
` + "`go test ./migrations/compare -run Diffy -update`" + `.

## What each finds: planted faults, 2,000 requests

| fault | path | Ficus, after requests | Diffy's rule |
|---|---|---|---|
`)
	ours, theirs := 0, 0
	for i, c := range catalogue {
		s := newWorld(uint64(i), c.base, c.fault).shadow(rules)
		after := "not found"
		for n := 1; n <= 2000; n++ {
			s.observe()
			if len(s.noted) > 0 && s.shows(c.path, c.kind) {
				after = fmt.Sprint(n)
				ours++
				break
			}
		}
		verdict := "not found"
		if diffyFinds(uint64(i), c, rules) {
			verdict = "found"
			theirs++
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", c.name, c.path, after, verdict)
	}
	fmt.Fprintf(&b, "\nFicus found %d of %d, Diffy's rule %d.\n", ours, len(catalogue), theirs)
	b.WriteString(`
## What each invents: 1,000 volatile fields, nothing wrong, 20,000 requests

Looked at every 100 requests from the 1,000th on (Ficus: after each one).

| kind of field | fields | Ficus, ever | Diffy's rule, ever | Diffy's rule, at the end |
|---|---|---|---|---|
`)
	found := map[string]int{}
	for _, d := range quietRun(1, 1000, 20000) {
		var i int
		_, _ = fmt.Sscanf(d.Path, "$.f%d", &i)
		found[volatiles[i%len(volatiles)].name]++
	}
	ever, last := diffyInvents(1)
	for _, v := range volatiles {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", v.name, 1000/len(volatiles), found[v.name], ever[v.name], last[v.name])
	}
	b.WriteString(`
Diffy always asks the candidate second and the old system again third; Ficus draws the order of the two. What a fixed threshold makes of rare
noise depends on when one looks: early it is too low, and late it hides what is rare.
`)
	if err := os.WriteFile(diffyPage, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
