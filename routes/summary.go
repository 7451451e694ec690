package routes

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/ficus-gateway/ficus/migrations"
)

// Summary describes the table to a person, as ficus check prints it: the
// upstreams, the migrations with what happens to writes, and the routes in
// the order in which they are tried. It holds no secret.
func (t *Table) Summary() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %s, %s\n", count(len(t.Routes), "route"), count(len(t.Upstreams), "upstream"), count(len(t.Plans), "migration"))
	for _, l := range t.Server.Listen {
		fmt.Fprintf(w, "\nlistens on %s\n", l.Address)
	}
	if t.Server.Flags.Source != BuiltIn {
		fmt.Fprintf(w, "\nflags by %s, which decides who goes where\n", t.Server.Flags.Name())
	}
	fmt.Fprint(w, "\nupstreams\n")
	for _, name := range sortedKeys(t.Upstreams) {
		u := t.Upstreams[name]
		var at []string
		for _, e := range u.Endpoints {
			at = append(at, e.String())
		}
		fmt.Fprintf(w, "  %s\t%s\n", name, strings.Join(at, " "))
	}
	if len(t.Plans) > 0 {
		fmt.Fprint(w, "\nmigrations\n")
	}
	for _, id := range sortedKeys(t.Plans) {
		p := t.Plans[id]
		if p.Retired {
			fmt.Fprintf(w, "  %s\tretired\n", id)
			continue
		}
		fmt.Fprintf(w, "  %s\t%s to %s, key %s\n", id, p.From, p.To, or(p.KeyString(), "none: nobody moves"))
		for i, s := range p.Steps {
			fmt.Fprintf(w, "  \t%d. %s\n", i+1, stepText(*p, i+1, s))
		}
		fmt.Fprintf(w, "  \t%s\n", WritesExplained(*p))
		fmt.Fprintf(w, "  \t%s\n", comparisonExplained(p.Compare))
	}
	fmt.Fprint(w, "\nroutes, most specific first\n")
	for _, r := range t.Routes {
		fmt.Fprintf(w, "  %s\t%s\n", r.ID, r.goal())
	}
	w.Flush()
	return b.String()
}

// goal says where a route goes.
func (r *Route) goal() string {
	switch {
	case r.Migration != "":
		return "by migration " + r.Migration
	case r.Else != "":
		return "to " + r.Upstream + ", else " + r.Else
	}
	return "to " + r.Upstream
}

func stepText(p migrations.Plan, n int, s migrations.Step) string {
	text := p.Split(n).String()
	if s.Hold > 0 {
		text += fmt.Sprintf(", held %s", s.Hold)
	}
	if s.Requests > 0 {
		text += fmt.Sprintf(", %d clean requests", s.Requests)
	}
	if s.Observations > 0 {
		text += fmt.Sprintf(", %d comparisons", s.Observations)
	}
	if s.Approve {
		text += ", begins when approved"
	}
	return text
}

// String writes the endpoint as the config has it.
func (e Endpoint) String() string {
	if e.Socket != "" {
		return "unix:" + e.Socket
	}
	return e.Scheme + "://" + e.Host
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
