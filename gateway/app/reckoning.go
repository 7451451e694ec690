package app

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
)

// explain shows what an event was decided from, and computes it again. Numbers
// that contradict one another are an error.
func (h historyCommand) explain(c *call, cl *client.Client) error {
	d, err := cl.Decision(c.ctx, h.Explain)
	if err != nil {
		return err
	}
	if h.JSON {
		err = c.json(d)
	} else {
		c.reckon(d)
	}
	if err == nil && len(d.Faults) > 0 {
		return exitCode{code: exitFailed}
	}
	return err
}

func (c *call) reckon(d dashboard.Decision) {
	row := func(name, format string, args ...any) { c.printf("  %-10s %s", name, fmt.Sprintf(format, args...)) }
	e := d.Event
	if d.Asked != e.Seq {
		c.printf("event %d follows from event %d, which holds the evidence:", d.Asked, e.Seq)
	}
	c.printf("event %d: %s %s, by %s at %s", e.Seq, cellName(e.Migration, e.Cell), kindText(e), dash(e.Actor), e.Time.Format(time.RFC3339))
	if e.Split != "" {
		row("split", "%s", e.Split)
	}
	row("why", "%s", dash(e.Reason))
	if e.TraceID != "" {
		row("trace", "%s", e.TraceID)
	}
	if d.At != nil {
		own := ""
		if d.Own {
			own = ", one gateway's own"
		}
		row("counts", "of %d gateway(s)%s, read at %s", d.From, own, d.At.Format(time.RFC3339))
	}
	if d.Config != "" {
		row("config", "%s, plan %s", d.Config, dash(e.Plan))
	}
	if d.Where != "" {
		row("where", "%s", d.Where)
	}
	if d.Load != nil {
		row("load", "%s", d.Load.Text)
	}
	if d.Recovery != nil {
		c.printf("")
		c.recovery(*d.Recovery)
	}
	for _, r := range d.Records {
		c.printf("")
		c.weigh(r)
	}
	if len(d.Offenders) > 0 {
		c.printf("")
		c.offenders(d.Offenders)
	}
	if len(d.Spans) > 0 {
		c.printf("")
		for i, span := range d.Spans {
			name := ""
			if i == 0 {
				name = "requests"
			}
			row(name, "%s", span)
		}
	}
	c.printf("")
	for _, fault := range d.Faults {
		c.printf("! %s", fault)
	}
	switch {
	case len(d.Faults) > 0:
	case d.Tested:
		c.printf("by these counts alone it comes out the same, to the bit")
	default:
		c.printf("%s", d.Why)
	}
}

// offenders lists requests that speak for a decision.
func (c *call) offenders(list []dashboard.Offender) {
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  offending request\tstatus\troute\tupstream\ttrace")
	for _, o := range list {
		status := "-"
		if o.Status > 0 {
			status = strconv.Itoa(o.Status)
		}
		fmt.Fprintf(w, "  %s %s\t%s\t%s\t%s\t%s\n", o.Method, o.Endpoint, status, dash(o.Route), dash(o.Upstream), dash(o.TraceID))
	}
	w.Flush()
}

// weigh shows one metric of a test.
func (c *call) weigh(r dashboard.DecidedRecord) {
	row := func(name, format string, args ...any) { c.printf("  %-10s %s", name, fmt.Sprintf(format, args...)) }
	against := map[string]string{"split": "the share of people on the service", "rate": "the allowed rate", "pairs": "a fair coin"}[r.Basis]
	metric := string(r.Metric)
	if r.Cell != "" {
		metric = r.Cell + ": " + metric
	}
	row("metric", "%s, held against %s", metric, against)
	for _, epoch := range r.Epochs {
		row(fmt.Sprintf("epoch %d", epoch.Epoch), "w = %s, n_c = %d on the service, n_l = %d on the monolith", exact(epoch.W), epoch.Service, epoch.Legacy)
	}
	if r.Margin > 0 {
		row("margin", "%s more of them are still fine", exact(r.Margin))
	}
	if r.Tau != "" {
		row("tau", "%s", r.Tau)
	}
	var odds []string
	for _, o := range r.Odds {
		odds = append(odds, strings.TrimPrefix(exact(float64(o)), "+"))
	}
	row("odds", "%s", strings.Join(odds, " "))
	row("alpha", "%s of the migration, %s of it for test %d; K = %d", exact(r.Alpha), exact(r.Level), r.Test, r.Metrics)
	row("threshold", "%s", exact(r.Threshold))
	row("E", "%s recorded", exact(r.E))
	same := "the same to the bit"
	if !r.Same {
		same = "NOT the same"
	}
	row("E", "%s recomputed, %s", exact(r.Recomputed), same)
	row("", "%s", r.Text[strings.LastIndex(r.Text, ": ")+2:])
}

// exact writes a number so that it can be read back to the bit.
func exact(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
