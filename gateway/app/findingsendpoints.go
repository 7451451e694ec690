package app

import (
	"fmt"
	"text/tabwriter"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

type findingsEndpointsCommand struct {
	remote
	Migration string `arg:"" optional:"" help:"Id of a migration; all without."`
	Limit     int    `help:"At most so many of each migration, the busiest. Default: ${default}." default:"50" placeholder:"N"`
}

// Help says what the columns are.
func (findingsEndpointsCommand) Help() string {
	return `Times are of the same requests on both sides, in milliseconds, as p50/p90/p99. SLOWER is the share of the requests
that took the candidate longer than the control. Without probes it is not known how the control differs from itself.`
}

// Run lists endpoints.
func (f findingsEndpointsCommand) Run(c *call) error {
	cl, err := f.client(c, "", false)
	if err != nil {
		return err
	}
	defer cl.Close()
	all, err := cl.Comparisons(c.ctx, f.Migration)
	if err != nil {
		return err
	}
	if f.JSON {
		return c.json(all)
	}
	for _, one := range all.Comparisons {
		c.printf("%s: %s", one.Migration, countsText(one.Counts))
		if err := c.listEndpoints(one.Endpoints, f.Limit); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) listEndpoints(list []dashboard.EndpointComparison, limit int) error {
	if len(list) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ENDPOINT\tCOMPARED\tDIFFER\tPROBES\tCONTROL\tCANDIDATE\tSLOWER")
	for _, e := range list[:min(len(list), max(limit, 0))] {
		slower := "-"
		if e.Pairs > 0 {
			slower = fmt.Sprintf("%.0f %%", 100*e.Slower)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%s\t%s\n", e.Endpoint, e.Observed, e.Mismatched, e.Probes, latencyText(e.Control), latencyText(e.Candidate), slower)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if rest := len(list) - limit; rest > 0 {
		c.printf("and %d more; see --limit", rest)
	}
	return nil
}

func latencyText(l *dashboard.Latency) string {
	if l == nil {
		return "-"
	}
	return fmt.Sprintf("%.3g/%.3g/%.3g", l.P50, l.P90, l.P99)
}
