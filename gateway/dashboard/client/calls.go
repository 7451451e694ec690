package client

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// State returns where all migrations stand.
func (c *Client) State(ctx context.Context) (dashboard.State, error) {
	return get[dashboard.State](ctx, c, "/api/state", nil)
}

// StateAt returns where all migrations stood at a moment.
func (c *Client) StateAt(ctx context.Context, at time.Time) (dashboard.State, error) {
	return get[dashboard.State](ctx, c, "/api/state", url.Values{"at": {at.UTC().Format(time.RFC3339Nano)}})
}

// StateAtSeq returns where all migrations stood after an event.
func (c *Client) StateAtSeq(ctx context.Context, seq uint64) (dashboard.State, error) {
	return get[dashboard.State](ctx, c, "/api/state", url.Values{"seq": {strconv.FormatUint(seq, 10)}})
}

// Migration returns where one migration stands.
func (c *Client) Migration(ctx context.Context, id string) (dashboard.Migration, error) {
	return get[dashboard.Migration](ctx, c, migrationPath(id), nil)
}

// Shift sets shares of a migration's split, if it is still at expect.
func (c *Client) Shift(ctx context.Context, id string, shares []migrations.Share, reason string, expect uint64) (dashboard.Change, error) {
	return c.ShiftCell(ctx, id, "", shares, reason, expect)
}

// ShiftCell sets shares of the split of one cell, if its migration is still at expect.
func (c *Client) ShiftCell(ctx context.Context, id, cell string, shares []migrations.Share, reason string, expect uint64) (dashboard.Change, error) {
	return post[dashboard.Change](ctx, c, migrationPath(id)+"/shift", dashboard.ShiftRequest{Shares: shares, Cell: cell, Reason: reason, Expect: &expect})
}

// Ramp asks something of the ramp of a migration, if it is still where r expects it.
func (c *Client) Ramp(ctx context.Context, id string, verb dashboard.RampVerb, r dashboard.RampRequest) (dashboard.Change, error) {
	return post[dashboard.Change](ctx, c, migrationPath(id)+"/"+string(verb), r)
}

// Hold makes the ramp of a migration stand still, if it is still at expect.
func (c *Client) Hold(ctx context.Context, id, reason string, expect uint64) (dashboard.Change, error) {
	return c.Ramp(ctx, id, dashboard.HoldRamp, dashboard.RampRequest{Reason: reason, Expect: &expect})
}

// Resume lets the ramp of a migration go on, if it is still at expect.
func (c *Client) Resume(ctx context.Context, id, reason string, expect uint64) (dashboard.Change, error) {
	return c.Ramp(ctx, id, dashboard.ResumeRamp, dashboard.RampRequest{Reason: reason, Expect: &expect})
}

// Freeze lets the ramp of a migration not move forward.
func (c *Client) Freeze(ctx context.Context, id, reason string) (dashboard.Change, error) {
	return post[dashboard.Change](ctx, c, migrationPath(id)+"/freeze", dashboard.FreezeRequest{Reason: reason})
}

// Thaw ends what Freeze began, if the migration is still at expect.
func (c *Client) Thaw(ctx context.Context, id, reason string, expect uint64) (dashboard.Change, error) {
	return post[dashboard.Change](ctx, c, migrationPath(id)+"/thaw", dashboard.ThawRequest{Reason: reason, Expect: &expect})
}

// FreezeAll lets no ramp move forward.
func (c *Client) FreezeAll(ctx context.Context, reason string) (dashboard.Freeze, error) {
	return post[dashboard.Freeze](ctx, c, "/api/freeze", dashboard.FreezeRequest{Reason: reason})
}

// ThawAll ends what FreezeAll began, unless somebody froze them again after expect.
func (c *Client) ThawAll(ctx context.Context, reason string, expect uint64) (dashboard.Freeze, error) {
	return post[dashboard.Freeze](ctx, c, "/api/thaw", dashboard.ThawRequest{Reason: reason, Expect: &expect})
}

// Rollback takes the traffic of a migration back to the monolith, wherever it is.
func (c *Client) Rollback(ctx context.Context, id string, r dashboard.RollbackRequest) (dashboard.Change, error) {
	return post[dashboard.Change](ctx, c, migrationPath(id)+"/rollback", r)
}

// RollbackAll takes the traffic of all migrations back to the monolith. Some
// may be refused while others are rolled back: the answer says which.
func (c *Client) RollbackAll(ctx context.Context, r dashboard.RollbackRequest) (dashboard.RollbackAll, error) {
	return post[dashboard.RollbackAll](ctx, c, "/api/rollback", r)
}

// History returns events, newest first.
func (c *Client) History(ctx context.Context, f dashboard.Filter) (dashboard.History, error) {
	return get[dashboard.History](ctx, c, "/api/history", f.Query())
}

// Event returns one event.
func (c *Client) Event(ctx context.Context, seq uint64) (dashboard.Event, error) {
	return get[dashboard.Event](ctx, c, "/api/history/"+strconv.FormatUint(seq, 10), nil)
}

// Decision returns the evidence of an event, computed again.
func (c *Client) Decision(ctx context.Context, seq uint64) (dashboard.Decision, error) {
	return get[dashboard.Decision](ctx, c, "/api/history/"+strconv.FormatUint(seq, 10)+"/explain", nil)
}

// Routes returns the table in force.
func (c *Client) Routes(ctx context.Context) (dashboard.Table, error) {
	return get[dashboard.Table](ctx, c, "/api/routes", nil)
}

// Upstreams returns how the upstreams do.
func (c *Client) Upstreams(ctx context.Context) (dashboard.Upstreams, error) {
	return get[dashboard.Upstreams](ctx, c, "/api/upstreams", nil)
}

// Explain returns what would happen to a request. It needs no token where
// reads need none.
func (c *Client) Explain(ctx context.Context, r dashboard.ExplainRequest) (dashboard.Explanation, error) {
	q := url.Values{"url": {r.URL}}
	if r.Method != "" {
		q.Set("method", r.Method)
	}
	for name, values := range r.Header {
		for _, v := range values {
			q.Add("header", name+": "+v)
		}
	}
	return get[dashboard.Explanation](ctx, c, "/api/explain", q)
}

// Reload reads the config again. It returns an error if that is not valid.
func (c *Client) Reload(ctx context.Context) (dashboard.Reload, error) {
	return post[dashboard.Reload](ctx, c, "/api/reload", struct{}{})
}

// LastReload returns how the last reload went.
func (c *Client) LastReload(ctx context.Context) (dashboard.Reload, error) {
	return get[dashboard.Reload](ctx, c, "/api/config/reload", nil)
}

// Ready returns whether the gateway takes traffic. That it does not is no error.
func (c *Client) Ready(ctx context.Context) (dashboard.Readiness, error) {
	return get[dashboard.Readiness](ctx, c, readyPath, nil)
}

const readyPath = "/readyz"

// Version returns which program runs.
func (c *Client) Version(ctx context.Context) (dashboard.Version, error) {
	return get[dashboard.Version](ctx, c, "/api/version", nil)
}

// Findings returns what comparing has found, the highest rank first.
func (c *Client) Findings(ctx context.Context, f dashboard.FindingsFilter) (dashboard.FindingsPage, error) {
	return get[dashboard.FindingsPage](ctx, c, "/api/findings", f.Query())
}

// Finding returns one finding with its examples. The gateway logs who looked.
func (c *Client) Finding(ctx context.Context, id string) (dashboard.Finding, error) {
	return get[dashboard.Finding](ctx, c, findingPath(id), nil)
}

// Acknowledge says that somebody knows of a finding.
func (c *Client) Acknowledge(ctx context.Context, id, reason string) (dashboard.Finding, error) {
	return post[dashboard.Finding](ctx, c, findingPath(id)+"/acknowledge", dashboard.TriageRequest{Reason: reason})
}

// Mute hides a finding until a time.
func (c *Client) Mute(ctx context.Context, id string, r dashboard.MuteRequest) (dashboard.Finding, error) {
	return post[dashboard.Finding](ctx, c, findingPath(id)+"/mute", r)
}

// Fix says that a finding is fixed.
func (c *Client) Fix(ctx context.Context, id, reason string) (dashboard.Finding, error) {
	return post[dashboard.Finding](ctx, c, findingPath(id)+"/fix", dashboard.TriageRequest{Reason: reason})
}

// Accept accepts a finding, by rules that it suggests.
func (c *Client) Accept(ctx context.Context, id string, r dashboard.AcceptRequest) (dashboard.Finding, error) {
	return post[dashboard.Finding](ctx, c, findingPath(id)+"/accept", r)
}

// Withdraw takes an accepted rule of a migration back.
func (c *Client) Withdraw(ctx context.Context, id string, r dashboard.WithdrawRequest) (dashboard.Withdrawn, error) {
	return post[dashboard.Withdrawn](ctx, c, migrationPath(id)+"/rules/withdraw", r)
}

// EraseKey drops every example of a targeting key.
func (c *Client) EraseKey(ctx context.Context, key string) (dashboard.Erased, error) {
	return post[dashboard.Erased](ctx, c, "/api/findings/erase", dashboard.EraseRequest{Key: key})
}

// Comparisons returns what comparing has come to; of all migrations if none is named.
func (c *Client) Comparisons(ctx context.Context, migration string) (dashboard.Comparisons, error) {
	q := url.Values{}
	if migration != "" {
		q.Set("migration", migration)
	}
	return get[dashboard.Comparisons](ctx, c, "/api/comparisons", q)
}

func findingPath(id string) string { return "/api/findings/" + url.PathEscape(id) }

func migrationPath(id string) string { return "/api/migrations/" + url.PathEscape(id) }
