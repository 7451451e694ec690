package dashboard

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// An Event is one line of the log, as the API shows it.
type Event struct {
	Seq       uint64               `json:"seq"`
	Time      time.Time            `json:"time"`
	Migration string               `json:"migration"` // "*" for all
	Kind      migrations.Kind      `json:"kind"`
	Split     string               `json:"split,omitempty"` // "live=5% shadow=95%"
	Shares    []Share              `json:"shares,omitempty"`
	From      string               `json:"from,omitempty"`
	To        string               `json:"to,omitempty"`
	Key       string               `json:"key,omitempty"`
	Flag      string               `json:"flag,omitempty"`
	Plan      string               `json:"plan,omitempty"`
	Step      int                  `json:"step,omitempty"`
	Steps     int                  `json:"steps,omitempty"`
	Cell      string               `json:"cell,omitempty"`
	Cause     migrations.Cause     `json:"cause,omitempty"`   // what made the gateway hold or roll back; absent: a person did
	Until     *time.Time           `json:"until,omitempty"`   // when the way back is to end
	Because   uint64               `json:"because,omitempty"` // the event that holds the evidence, if this one follows from it
	Retry     int                  `json:"retry,omitempty"`
	Source    string               `json:"source,omitempty"`   // flag provider that decides from now on
	Version   string               `json:"version,omitempty"`  // of the flag there
	Decided   bool                 `json:"decided,omitempty"`  // it holds the evidence that it was decided from; see /api/history/{seq}/explain
	Evidence  *migrations.Evidence `json:"evidence,omitempty"` // of a single event that was asked for
	Actor     string               `json:"actor,omitempty"`
	Reason    string               `json:"reason,omitempty"`
	TraceID   string               `json:"trace_id,omitempty"`
	SpanID    string               `json:"span_id,omitempty"`
	DataLoss  bool                 `json:"data_loss,omitempty"`
	Recovery  *Recovery            `json:"recovery,omitempty"` // of a rollback: how users fared by it, as far as the gateways have said
}

// History is a part of the log, newest event first.
type History struct {
	Seq    uint64  `json:"seq"` // last event that this gateway has read
	Events []Event `json:"events"`
	Before uint64  `json:"before,omitempty"` // ask for the events before this for more; absent at the beginning of the log
}

// A Filter says which events of the log are wanted. The zero value means the
// newest fifty.
type Filter struct {
	Migration string // its events, those under former names, and those of all migrations
	Actor     string
	Kind      migrations.Kind
	Limit     int    // at most 1000; 0 means 50
	Before    uint64 // only older events; 0 means all
}

// Query writes the filter as the query of /api/history.
func (f Filter) Query() url.Values {
	v := url.Values{}
	for name, text := range map[string]string{"migration": f.Migration, "actor": f.Actor, "kind": string(f.Kind)} {
		if text != "" {
			v.Set(name, text)
		}
	}
	if f.Limit > 0 {
		v.Set("limit", strconv.Itoa(f.Limit))
	}
	if f.Before > 0 {
		v.Set("before", strconv.FormatUint(f.Before, 10))
	}
	return v
}

var kinds = migrations.Kinds

func filterOf(r *http.Request) (Filter, *Problem) {
	values, p := query(r, "migration", "actor", "kind", "limit", "before")
	if p != nil {
		return Filter{}, p
	}
	f := Filter{Migration: values.Get("migration"), Actor: values.Get("actor"), Kind: migrations.Kind(values.Get("kind")), Limit: 50}
	if f.Kind != "" && !slices.Contains(kinds, f.Kind) {
		return f, problem(BadRequest, http.StatusBadRequest, "no kind of event %q; the kinds are %s", f.Kind, list(kinds))
	}
	var err error
	if text := values.Get("limit"); text != "" {
		if f.Limit, err = strconv.Atoi(text); err != nil || f.Limit < 1 || f.Limit > 1000 {
			return f, problem(BadRequest, http.StatusBadRequest, "limit=%s is not a number from 1 to 1000", text)
		}
	}
	if text := values.Get("before"); text != "" {
		if f.Before, err = strconv.ParseUint(text, 10, 64); err != nil || f.Before == 0 {
			return f, problem(BadRequest, http.StatusBadRequest, "before=%s is not a sequence number", text)
		}
	}
	return f, nil
}

// A selection picks the events that a filter wants, as they come by, newest
// first: it follows a migration back to the names that it had before.
type selection struct {
	Filter
	name string // of the migration at the time of the next event
	gone bool   // the name was another migration's before
}

func (s *selection) takes(e migrations.Event) bool {
	if s.Migration != "" && !s.concerns(e) {
		return false
	}
	return (s.Before == 0 || e.Seq < s.Before) && (s.Actor == "" || e.Actor == s.Actor) && (s.Kind == "" || e.Kind == s.Kind)
}

func (s *selection) concerns(e migrations.Event) bool {
	switch {
	case e.Migration == migrations.Every:
		return true
	case s.gone:
		return false
	case e.Kind == migrations.Renamed && e.Migration == s.name:
		s.name = e.From
		return true
	case e.Kind == migrations.Renamed && e.From == s.name:
		s.gone = true // it goes by its new name, whose history has the rest
		return true
	}
	return e.Migration == s.name
}

func (a *api) getHistory(w http.ResponseWriter, r *http.Request) {
	f, p := filterOf(r)
	if p != nil {
		fail(w, r, p)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.Patience)
	defer cancel()
	h, err := a.history(ctx, f)
	if err != nil {
		fail(w, r, unreadable(err))
		return
	}
	answer(w, http.StatusOK, h)
}

// history reads the log backwards, in windows that double, so that the newest
// events of a long log come without reading all of it.
func (a *api) history(ctx context.Context, f Filter) (History, error) {
	h := History{Seq: a.State().Seq, Events: []Event{}}
	to := h.Seq
	if f.Before > 0 && f.Migration == "" {
		to = min(to, f.Before-1) // else a renaming may lie in between
	}
	said := make(map[string][]evidence.Enforcement) // by migration
	wanted := selection{Filter: f, name: f.Migration}
	for window := uint64(f.Limit) + 1; to > 0; window *= 2 {
		from := to - min(to, window)
		var read []migrations.Event
		for e, err := range a.events(ctx, from, to) {
			if err != nil {
				return h, err
			}
			read = append(read, e)
		}
		for _, e := range slices.Backward(read) {
			if !wanted.takes(e) {
				continue
			}
			if len(h.Events) == f.Limit {
				h.Before = h.Events[f.Limit-1].Seq
				return h, nil
			}
			out := eventOf(e)
			if e.Back() {
				if _, ok := said[e.Migration]; !ok {
					said[e.Migration] = a.Counts(e.Migration).Enforced
				}
				out.Recovery = a.recovery(e, originOf(e, read), said[e.Migration])
			}
			h.Events = append(h.Events, out)
		}
		to = from
	}
	return h, nil
}

// originOf returns the event that holds the evidence of e, as far as it is among
// those read; else e.
func originOf(e migrations.Event, read []migrations.Event) migrations.Event {
	if i, ok := slices.BinarySearchFunc(read, e.Because, func(o migrations.Event, seq uint64) int { return cmp.Compare(o.Seq, seq) }); ok && e.Evidence == nil {
		return read[i]
	}
	return e
}

func (a *api) getEvent(w http.ResponseWriter, r *http.Request) {
	text := param(r, "seq")
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		fail(w, r, problem(BadRequest, http.StatusBadRequest, "%q is not a sequence number", text))
		return
	}
	e, err := a.event(r.Context(), seq)
	if errors.Is(err, errNoEvent) {
		fail(w, r, problem(NotFound, http.StatusNotFound, "no event %d; this gateway has read as far as %d", seq, a.State().Seq))
		return
	}
	if err != nil {
		fail(w, r, unreadable(err))
		return
	}
	out := eventOf(e)
	out.Evidence = e.Evidence
	if e.Back() {
		origin := e
		if e.Evidence == nil && e.Because != 0 && e.Because < e.Seq {
			if began, err := a.event(r.Context(), e.Because); err == nil {
				origin = began
			}
		}
		out.Recovery = a.recovery(e, origin, a.Counts(e.Migration).Enforced)
	}
	answer(w, http.StatusOK, out)
}

var errNoEvent = errors.New("no such event")

// event returns the event seq.
func (a *api) event(ctx context.Context, seq uint64) (migrations.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, a.Patience)
	defer cancel()
	if seq == 0 || seq > a.State().Seq {
		return migrations.Event{}, errNoEvent
	}
	for e, err := range a.events(ctx, seq-1, seq) {
		return e, err
	}
	return migrations.Event{}, errNoEvent
}

// events yields the events after from, up to and with to, which this gateway
// must have read: else it waits for them until ctx ends.
func (a *api) events(ctx context.Context, from, to uint64) iter.Seq2[migrations.Event, error] {
	return func(yield func(migrations.Event, error) bool) {
		if from >= to {
			return
		}
		for e, err := range a.Log.Follow(ctx, from) {
			if err != nil {
				yield(e, err)
				return
			}
			if e.Seq > to || !yield(e, nil) || e.Seq == to {
				return
			}
		}
	}
}

func eventOf(e migrations.Event) Event {
	out := Event{
		Seq: e.Seq, Time: e.Time, Migration: e.Migration, Kind: e.Kind, From: e.From, To: e.To, Key: e.Key, Flag: e.Flag, Plan: e.Plan,
		Step: e.Step, Steps: e.Steps, Cell: e.Cell, Cause: e.Cause, Because: e.Because, Retry: e.Retry, Source: e.Source, Version: e.Version,
		Decided: e.Evidence != nil, Actor: e.Actor, Reason: e.Reason, TraceID: e.TraceID, SpanID: e.SpanID, DataLoss: e.DataLoss,
	}
	if !e.Until.IsZero() {
		out.Until = &e.Until
	}
	if len(e.Split) > 0 {
		out.Split, out.Shares = e.Split.String(), sharesOf(e.Split)
	}
	return out
}

func unreadable(err error) *Problem {
	return problem(LogUnavailable, http.StatusServiceUnavailable, "the event log could not be read: %v; the gateway goes on with the state it has", err)
}
