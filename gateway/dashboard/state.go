package dashboard

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/routes"
)

// State is where all migrations stand.
type State struct {
	Seq        uint64         `json:"seq"`               // last event applied
	Time       *time.Time     `json:"time,omitempty"`    // log time of that event; absent before the first
	Past       bool           `json:"past"`              // the state that was asked for is not the present one
	Frozen     string         `json:"frozen,omitempty"`  // why no ramp moves forward; absent: they may
	FalseAlarm float64        `json:"false_alarm"`       // upper bound of the chance that any migration is ever rolled back without cause, over all of them and their cells
	Spent      float64        `json:"spent"`             // what their tests so far may have spent of it
	Flags      *FlagSource    `json:"flags,omitempty"`   // who answers for flags; absent for the past
	Changes    routes.Changes `json:"changes,omitempty"` // "api" or "git": where migrations are changed; absent for the past
	Migrations []Migration    `json:"migrations"`        // by id
}

// A Migration is where one migration stands, and what it waits for.
type Migration struct {
	ID         string           `json:"id"`
	From       string           `json:"from"`
	To         string           `json:"to"`
	Key        string           `json:"key,omitempty"`
	Stage      migrations.Stage `json:"stage"`  // the most advanced that has a share
	Split      string           `json:"split"`  // "live=5% shadow=95%", or "not known"
	Shares     []Share          `json:"shares"` // the same, for programs; where it is not known, what it may be at most
	Flags      *Flags           `json:"flags"`  // who decides
	Seq        uint64           `json:"seq"`    // what a change of this migration expects
	Epoch      uint64           `json:"epoch"`  // event that last changed the split
	Since      time.Time        `json:"since"`  // log time of that event
	Ramp       migrations.Ramp  `json:"ramp"`
	Step       int              `json:"step"` // of the ramp, from 1; 0 is before the first
	RolledBack bool             `json:"rolled_back"`
	Retired    bool             `json:"retired"`
	Actor      string           `json:"actor,omitempty"`  // of the last event
	Reason     string           `json:"reason,omitempty"` // of the last event
	Frozen     string           `json:"frozen,omitempty"` // why its ramp does not move forward; absent: it may
	Tests      int              `json:"tests"`            // ever begun, retries and cells counted
	Cells      []Cell           `json:"cells"`            // in the order in which they advance; one without a name if it has none

	Recorded Recorded `json:"recorded"` // what the log has of the config

	// What the config in force says; absent for the past, and for a migration that it lacks.
	Flag   string            `json:"flag,omitempty"`
	Owner  string            `json:"owner,omitempty"`
	Data   migrations.Data   `json:"data,omitempty"`
	Writes migrations.Writes `json:"writes,omitempty"`
	Plan   string            `json:"plan,omitempty"` // hash
	Steps  []Step            `json:"steps,omitempty"`

	FalseAlarm float64 `json:"false_alarm,omitempty"` // chance that it is ever rolled back without cause
	Spent      float64 `json:"spent,omitempty"`       // what its tests so far may have spent of that

	LocalOnly []LocalRollback `json:"local_only,omitempty"` // rollbacks that this gateway acts upon alone, since the log has not taken them

	Usual    *Usual         `json:"usual,omitempty"`     // who came in the last week; absent: not known yet
	Lag      *Lag           `json:"lag,omitempty"`       // of data that is synced
	InUse    float64        `json:"in_use,omitempty"`    // share of the service's capacity that is in use, at its greatest of late; absent: not known
	WaitsFor []Waiting      `json:"waits_for,omitempty"` // nothing: it has arrived
	WayBack  *Load          `json:"way_back,omitempty"`  // what a rollback would bring to the monolith now
	Traffic  *TrafficCounts `json:"traffic,omitempty"`   // of this gateway
}

// Recorded is what the log last heard of the config of a migration.
type Recorded struct {
	Plan   string `json:"plan"`             // hash
	Flag   string `json:"flag,omitempty"`   // key of the flag
	Resume string `json:"resume,omitempty"` // the reason by which the config last let its ramp go on
}

// A LocalRollback is one that the log has not taken yet.
type LocalRollback struct {
	Cell   string `json:"cell,omitempty"` // empty: all of the migration
	Actor  string `json:"actor"`
	Reason string `json:"reason"`
}

// A Share is a stage and how much of the traffic is there.
type Share struct {
	Stage   migrations.Stage `json:"stage"`
	Share   string           `json:"share"`   // "5%"
	Buckets int              `json:"buckets"` // of 100,000
}

// A Step is one step of a ramp.
type Step struct {
	Split        string `json:"split"`
	Hold         string `json:"hold,omitempty"` // "10m0s"
	Requests     int    `json:"requests,omitempty"`
	Observations int    `json:"observations,omitempty"`
	Approve      bool   `json:"approve,omitempty"`
	Sees         string `json:"sees,omitempty"`  // what the guard can see there, by the people of the last week; absent: they are not known
	Blind        bool   `json:"blind,omitempty"` // not even an outage within a week: a person must approve it
}

// TrafficCounts count the requests of a migration that this gateway has seen.
type TrafficCounts struct {
	Since        time.Time  `json:"since"` // when the counts began
	Legacy       SideCounts `json:"legacy"`
	Modern       SideCounts `json:"modern"`
	Keyless      uint64     `json:"keyless"`      // without a targeting key, and so on the monolith
	Fallbacks    uint64     `json:"fallbacks"`    // failed on the service and answered by the monolith
	Observations uint64     `json:"observations"` // comparisons
}

// SideCounts count the requests of one side.
type SideCounts struct {
	Requests uint64 `json:"requests"`
	Failed   uint64 `json:"failed"`         // errors and time-outs; never what was only slow
	Slow     uint64 `json:"slow,omitempty"` // slower than the monolith's p99, with the margin of the plan; in a test only
}

func (a *api) getState(w http.ResponseWriter, r *http.Request) {
	values, p := query(r, "at", "seq")
	if p != nil {
		fail(w, r, p)
		return
	}
	now := a.State()
	switch {
	case values.Has("at") && values.Has("seq"):
		fail(w, r, problem(BadRequest, http.StatusBadRequest, "give at or seq, not both"))
	case values.Has("at"):
		at, err := time.Parse(time.RFC3339Nano, values.Get("at"))
		if err != nil {
			fail(w, r, problem(BadRequest, http.StatusBadRequest, "at=%s is not a time as in 2026-01-31T15:04:05Z", values.Get("at")))
			return
		}
		a.sendPast(w, r, func(ctx context.Context) (migrations.State, error) { return migrations.StateAt(ctx, a.Log, at) })
	case values.Has("seq"):
		seq, err := strconv.ParseUint(values.Get("seq"), 10, 64)
		if err != nil {
			fail(w, r, problem(BadRequest, http.StatusBadRequest, "seq=%s is not a sequence number", values.Get("seq")))
			return
		}
		if seq > now.Seq {
			fail(w, r, problem(NotFound, http.StatusNotFound, "no event %d; this gateway has read as far as %d", seq, now.Seq))
			return
		}
		a.sendPast(w, r, func(ctx context.Context) (migrations.State, error) { return migrations.StateAtSeq(ctx, a.Log, seq) })
	default:
		answer(w, http.StatusOK, a.present(now))
	}
}

// sendPast answers with a state that is read from the log.
func (a *api) sendPast(w http.ResponseWriter, r *http.Request, read func(context.Context) (migrations.State, error)) {
	ctx, cancel := context.WithTimeout(r.Context(), a.Patience)
	defer cancel()
	past, err := read(ctx)
	if err != nil {
		fail(w, r, unreadable(err))
		return
	}
	if now := a.State(); past.Seq >= now.Seq { // the log may be ahead of what this gateway has read
		answer(w, http.StatusOK, a.present(now))
		return
	}
	out := stateOf(past)
	out.Past = true
	for _, id := range slices.Sorted(maps.Keys(past.Migrations)) {
		out.Migrations = append(out.Migrations, migrationOf(past, id))
	}
	answer(w, http.StatusOK, out)
}

func (a *api) getMigration(w http.ResponseWriter, r *http.Request) {
	s := a.State()
	id := param(r, "id")
	if _, ok := s.Migrations[id]; !ok {
		fail(w, r, noMigration(s, id))
		return
	}
	answer(w, http.StatusOK, a.presentMigration(s, id))
}

// present shows the present state with what the config and the data plane know.
func (a *api) present(s migrations.State) State {
	out := stateOf(s)
	out.Changes = a.Table().Changes
	out.Flags = &FlagSource{Source: migrations.BuiltIn, OK: true}
	if a.Flags != nil {
		source := a.Flags()
		out.Flags = &source
	}
	for _, id := range slices.Sorted(maps.Keys(s.Migrations)) {
		m := a.presentMigration(s, id)
		out.FalseAlarm = min(out.FalseAlarm+m.FalseAlarm, 1)
		out.Spent = min(out.Spent+m.Spent, 1)
		out.Migrations = append(out.Migrations, m)
	}
	return out
}

func (a *api) presentMigration(s migrations.State, id string) Migration {
	m, now, counts := migrationOf(s, id), a.Now(), a.Counts(id)
	if a.Traffic != nil {
		counts := a.Traffic(id)
		m.Traffic = &counts
	}
	if a.Trips != nil {
		for _, t := range a.Trips(id) {
			m.LocalOnly = append(m.LocalOnly, LocalRollback{t.Event.Cell, t.Event.Actor, t.Event.Reason})
		}
	}
	plan := a.Table().Plans[id]
	m.WaitsFor = waitsOf(s, id, plan, counts, now)
	if load := migrations.WayBack(counts, s.Migrations[id], now); load.Coming > 0 {
		m.WayBack = loadOf(load)
	}
	if cells := a.cellsOf(s, a.plan(id), counts, now); cells != nil { // a retired one has none
		m.Cells = cells
	}
	if plan == nil {
		return m
	}
	m.Lag, m.InUse = lagOf(*plan, counts.Lag), counts.Load
	m.FalseAlarm, m.Spent = plan.Guard.FalseAlarm, evidence.Spent(plan.Guard.FalseAlarm, m.Tests)
	m.Flag, m.Owner, m.Data, m.Writes, m.Plan = plan.Flag, plan.Owner, plan.Data, plan.Writes, plan.Hash()
	usual, known := counts.Usual(now)
	if known {
		m.Usual = usualOf(usual)
	}
	for i, step := range plan.Steps {
		out := Step{Split: plan.Split(i + 1).String(), Requests: step.Requests, Observations: step.Observations, Approve: step.Approve}
		if step.Hold > 0 {
			out.Hold = step.Hold.String()
		}
		if known {
			sight := migrations.See(*plan, i+1, usual, m.Tests+max(i+1-m.Step, 1), counts.Gateways)
			out.Sees, out.Blind = sight.What(), sight.Blind
		}
		m.Steps = append(m.Steps, out)
	}
	return m
}

func stateOf(s migrations.State) State {
	out := State{Seq: s.Seq, Frozen: s.Frozen, Migrations: []Migration{}}
	if !s.Time.IsZero() {
		out.Time = &s.Time
	}
	return out
}

func migrationOf(s migrations.State, id string) Migration {
	m := s.Migrations[id]
	shares := sharesOf(m.Split)
	return Migration{
		ID: id, From: m.From, To: m.To, Key: m.Key,
		Stage: shares[0].Stage, Split: splitOf(m.Course(migrations.Rest)), Shares: shares, Flags: flagsOf(m),
		Seq: s.LastSeq(id), Epoch: m.Epoch, Since: m.Since,
		Ramp: m.Ramp, Step: m.Step, RolledBack: m.RolledBack, Retired: m.Retired,
		Actor: m.Actor, Reason: m.Reason, Frozen: m.Frozen, Tests: m.Tests, Cells: pastCells(m),
		Recorded: Recorded{Plan: m.Plan, Flag: m.Flag, Resume: m.Resume},
	}
}

// sharesOf lists the shares of a split, the most advanced stage first.
func sharesOf(split migrations.Split) []Share {
	if len(split) == 0 {
		split = migrations.All(migrations.Off)
	}
	out := make([]Share, len(split))
	for i, s := range split {
		out[i] = Share{Stage: s.Stage, Share: migrations.Percent(s.Buckets), Buckets: s.Buckets}
	}
	return out
}

// param returns a parameter of the path. The router matches the path as it was
// sent, so it is unescaped here.
func param(r *http.Request, name string) string {
	raw := chi.URLParam(r, name)
	if text, err := url.PathUnescape(raw); err == nil && r.URL.RawPath != "" {
		return text
	}
	return raw
}
