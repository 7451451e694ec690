package web

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// A weightView is the evidence of one metric on its way to the threshold.
type weightView struct {
	dashboard.Weight
	Width string // in percent of the way, on a scale of logarithms
}

func weightViewOf(w dashboard.Weight) weightView {
	return weightView{w, strconv.FormatFloat(100*w.Near(), 'f', 1, 64)}
}

// weightsOf returns the metrics of which something was counted, the strongest
// first, and names the others.
func weightsOf(list []dashboard.Weight) (counted []weightView, quiet string) {
	var names []string
	for _, w := range list {
		if w.Service+w.Legacy > 0 {
			counted = append(counted, weightViewOf(w))
		} else {
			names = append(names, strings.ReplaceAll(string(w.Metric), "_", " "))
		}
	}
	slices.SortStableFunc(counted, func(a, b weightView) int {
		return cmp.Or(cmp.Compare(b.Near(), a.Near()), cmp.Compare(b.Service, a.Service))
	})
	return counted, strings.Join(names, ", ")
}

// NearText says how much of the way the evidence has gone.
func (w weightView) NearText() string {
	switch near := w.Near(); {
	case w.Trips:
		return "threshold reached"
	case near >= 0.995: // all of it is said of what trips only
		return "99 % of the threshold"
	case near > 0 && near < 0.01:
		return "less than 1 % of the threshold"
	default:
		return fmt.Sprintf("%.0f %% of the threshold", 100*near)
	}
}

// EText writes the evidence as people can read it.
func (w weightView) EText() string { return short(w.E) }

// Limit writes the threshold.
func (w weightView) Limit() string { return short(w.Threshold) }

func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.1e", v)
	case v >= 100:
		return count(int64(math.Round(v)))
	}
	return fmt.Sprintf("%.3g", v)
}

// sideText counts requests; those that failed never include slow ones.
func sideText(c dashboard.SideCounts) string {
	text := count(c.Requests)
	switch {
	case c.Slow > 0:
		text += fmt.Sprintf(" (%s slow, %s failed)", count(c.Slow), count(c.Failed))
	case c.Failed > 0:
		text += fmt.Sprintf(" (%s failed)", count(c.Failed))
	}
	return text
}

// An endpointRow is one endpoint of the present test.
type endpointRow struct {
	Name           string
	Modern, Legacy string // requests, and how many failed
	Compared       string // empty: nothing was
	Bad            bool   // something failed on the service, or differed
}

func endpointRowsOf(list []dashboard.TestEndpoint) (rows []endpointRow) {
	for _, e := range list {
		compared := ""
		if e.Compared > 0 {
			compared = count(e.Compared) + " compared"
			if e.Differed > 0 {
				compared += fmt.Sprintf(", %s differ", count(e.Differed))
			}
		}
		rows = append(rows, endpointRow{
			Name: e.Name, Compared: compared, Bad: e.Failed.Modern+e.Differed > 0,
			Modern: sideText(dashboard.SideCounts{Requests: e.Requests.Modern, Failed: e.Failed.Modern}),
			Legacy: sideText(dashboard.SideCounts{Requests: e.Requests.Legacy, Failed: e.Failed.Legacy}),
		})
	}
	return rows
}

// excused says which failures are not held against the service; empty: none.
func excused(t dashboard.Test) string {
	var parts []string
	if t.Aside > 0 {
		parts = append(parts, count(t.Aside)+" failures of a restart that fallback healed")
	}
	if t.Blameless > 0 {
		parts = append(parts, count(t.Blameless)+" failures that the monolith shared")
	}
	return strings.Join(parts, ", ")
}
