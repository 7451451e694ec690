package dashboard

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A Decision is the evidence of an event, computed again from the event alone.
type Decision struct {
	Event     Event           `json:"event"`               // that holds the evidence
	Asked     uint64          `json:"asked"`               // the event that was asked for, if it follows from another
	Tested    bool            `json:"tested"`              // the sequential test decided it
	Why       string          `json:"why,omitempty"`       // if it did not, what did
	Faults    []string        `json:"faults,omitempty"`    // how its numbers contradict one another
	Records   []DecidedRecord `json:"records,omitempty"`   // the strongest first
	At        *time.Time      `json:"at,omitempty"`        // when the counts were read
	Own       bool            `json:"own,omitempty"`       // they were one gateway's own
	From      int             `json:"gateways"`            // how many gateways the counts come from
	Config    string          `json:"config,omitempty"`    // hash of the config of the gateway that decided
	Harm      uint64          `json:"harm,omitempty"`      // requests that failed for the user in the test
	Load      *Load           `json:"load,omitempty"`      // what the way back brought to the monolith
	Spans     []string        `json:"spans,omitempty"`     // trace id and span id of offending requests
	Recovery  *Recovery       `json:"recovery,omitempty"`  // of a rollback: how users fared by the event that was asked for
	Where     string          `json:"where,omitempty"`     // which requests go wrong, in a sentence
	Offenders []Offender      `json:"offenders,omitempty"` // latest of them
}

// An Offender is a request that speaks for a decision. Nothing in it is of the
// user: its path is told as a template.
type Offender struct {
	Method   string `json:"method"`
	Route    string `json:"route"` // id
	Endpoint string `json:"endpoint"`
	Status   int    `json:"status,omitempty"` // of the service's answer; 0: it gave none
	Upstream string `json:"upstream,omitempty"`
	TraceID  string `json:"trace_id,omitempty"`
}

// A DecidedRecord is one metric of the test.
type DecidedRecord struct {
	Cell       string          `json:"cell,omitempty"`
	Metric     evidence.Metric `json:"metric"`
	Basis      string          `json:"basis"` // split, rate or pairs: what it is held against
	Epochs     []DecidedEpoch  `json:"epochs"`
	Odds       evidence.Grid   `json:"odds"`
	Margin     float64         `json:"margin,omitempty"` // tolerated worsening of the rate
	Tau        string          `json:"tau,omitempty"`    // of the latency metric
	Alpha      float64         `json:"alpha"`            // of the whole migration
	Test       int             `json:"test"`             // number of the test
	Metrics    int             `json:"metrics"`          // K
	Level      float64         `json:"alpha_k"`          // part of alpha that this test may spend
	Threshold  float64         `json:"threshold"`
	E          float64         `json:"e"`          // as the event has it
	Recomputed float64         `json:"recomputed"` // as its counts give it
	Same       bool            `json:"same"`       // to the bit, threshold included
	Trips      bool            `json:"trips"`      // E reaches the threshold
	Says       string          `json:"says"`       // what users met, and how many of them on either side
	Text       string          `json:"text"`       // the numbers of the test, for people
}

// A DecidedEpoch is the counts of one epoch.
type DecidedEpoch struct {
	Epoch   uint64  `json:"epoch"` // event that began it
	W       float64 `json:"w"`     // chance that a bad event falls on the service if it is no worse
	Service uint64  `json:"n_c"`   // people with a bad event on the service
	Legacy  uint64  `json:"n_l"`   // and on the monolith
}

func (a *api) getDecision(w http.ResponseWriter, r *http.Request) {
	text := param(r, "seq")
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		fail(w, r, problem(BadRequest, http.StatusBadRequest, "%q is not a sequence number", text))
		return
	}
	e, err := a.event(r.Context(), seq)
	asked := e
	if err == nil && e.Evidence == nil && e.Because != 0 && e.Because < e.Seq {
		e, err = a.event(r.Context(), e.Because)
	}
	if errors.Is(err, errNoEvent) {
		fail(w, r, problem(NotFound, http.StatusNotFound, "no event %d; this gateway has read as far as %d", seq, a.State().Seq))
		return
	}
	if err != nil {
		fail(w, r, unreadable(err))
		return
	}
	d := decisionOf(e, a.plan(e.Migration))
	d.Asked = seq
	if asked.Back() {
		d.Recovery = a.recovery(asked, e, a.Counts(asked.Migration).Enforced)
	}
	answer(w, http.StatusOK, d)
}

// decisionOf computes the evidence of an event again. It asks for nothing else.
func decisionOf(e migrations.Event, plan migrations.Plan) Decision {
	d := Decision{Event: eventOf(e), From: 1}
	_, err := migrations.Explain(e)
	switch {
	case errors.Is(err, migrations.ErrNotTested):
		d.Why = err.Error()
	case err != nil:
		d.Tested, d.Faults = true, append(d.Faults, err.Error())
	default:
		d.Tested = true
	}
	v := e.Evidence
	if v == nil {
		return d
	}
	d.Own, d.From, d.Config, d.Harm, d.Spans = v.Own, max(v.Gateways, 1), v.Config, v.Harm, v.Spans
	d.Where = v.Where
	for _, o := range v.Offenders {
		d.Offenders = append(d.Offenders, Offender(o))
	}
	if !v.At.IsZero() {
		d.At = &v.At
	}
	if v.Load != nil {
		d.Load = loadOf(*v.Load)
	}
	for _, record := range v.Records {
		d.Records = append(d.Records, decidedRecord(record, plan))
	}
	return d
}

func decidedRecord(r evidence.Record, plan migrations.Plan) DecidedRecord {
	out := DecidedRecord{
		Cell: r.Cell, Metric: r.Metric, Basis: string(r.Basis), Odds: r.Odds, Margin: r.Margin,
		Alpha: r.Alpha, Test: r.Test, Metrics: r.Metrics, Level: r.Level(), Threshold: r.Threshold,
		E: r.E, Recomputed: r.Recompute(), Same: r.Check() == nil, Trips: r.Trips(), Says: plan.Says(r), Text: r.String(), Epochs: []DecidedEpoch{},
	}
	if out.Basis == "" {
		out.Basis = "split"
	}
	if r.Tau > 0 {
		out.Tau = r.Tau.String()
	}
	for _, s := range r.Epochs {
		out.Epochs = append(out.Epochs, DecidedEpoch{s.Epoch, s.W, s.Service, s.Legacy})
	}
	return out
}
