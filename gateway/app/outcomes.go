package app

import (
	"context"
	"errors"
	"time"

	"github.com/ficus-gateway/ficus/gateway"
	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// report counts what an application says of metrics of its own.
func (p *Process) report(ctx context.Context, all []dashboard.Outcome) (dashboard.OutcomesCounted, error) {
	told := make([]gateway.Outcome, len(all))
	for i, o := range all {
		told[i] = gateway.Outcome{ID: o.ID, Migration: o.Migration, Metric: o.Metric, Cell: o.Cell, Key: o.Key, Side: o.Side, Bad: o.Bad, Total: o.Total}
		if o.At != nil {
			told[i].At = *o.At
		}
	}
	done, err := p.gateway.Report(ctx, told, time.Now())
	if wrong := (*gateway.OutcomeError)(nil); errors.As(err, &wrong) {
		return dashboard.OutcomesCounted{}, &dashboard.OutcomeError{Index: wrong.Index, Field: wrong.Field, Text: wrong.Text}
	}
	return dashboard.OutcomesCounted(done), err
}
