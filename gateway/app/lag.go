package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// lags measures by how much the data of migrations lags behind that is synced,
// again and again: by a GET of the URL that the plan names, which answers with
// the seconds.
type lags struct {
	plans  func() map[string]*migrations.Plan
	told   func(migration string, behind bool) // [gateway.Gateway.Lags]
	news   func(lagNews)                       // of every change; nil: nobody wants to know
	logger *slog.Logger
	client *http.Client

	mu   sync.Mutex // guards byID
	byID map[string]*lag
}

// A lag is what is known of one migration's.
type lag struct {
	probe   migrations.Synced
	asking  bool
	next    time.Time // of the probe that is due
	at      time.Time // when Behind was measured; zero: never
	behind  time.Duration
	err     error // of the last probe; nil: it worked
	trouble bool  // somebody has been told that it is too much, or not known
}

// lagNews says that data lags behind by more than it may, or no longer does.
type lagNews struct {
	Migration string
	Trouble   string // what is wrong; empty: nothing any more
	Lag       evidence.Lag
}

// How often is asked, within these, is half the lag that can be borne: so a
// lag is known before it matters.
const (
	lagSoonest = 200 * time.Millisecond
	lagLatest  = 5 * time.Second
	lagTick    = 100 * time.Millisecond
	lagAnswer  = 64 // bytes of an answer that are read
)

func newLags(plans func() map[string]*migrations.Plan, told func(string, bool), logger *slog.Logger) *lags {
	return &lags{
		plans: plans, told: told, logger: logger, byID: make(map[string]*lag),
		client: &http.Client{
			// The URL was written by whoever writes the config: no proxy, and it leads nowhere else.
			Transport:     &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// run measures until ctx ends.
func (l *lags) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	defer l.client.CloseIdleConnections()
	ticker := time.NewTicker(lagTick)
	defer ticker.Stop()
	for {
		for id, plan := range l.due(time.Now()) {
			all.Go(func() { l.measure(ctx, id, plan) })
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// due returns the migrations that are to be asked about now, and marks them.
func (l *lags) due(now time.Time) map[string]migrations.Plan {
	plans := l.plans()
	out := make(map[string]migrations.Plan)
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.byID {
		if p := plans[id]; p == nil || p.Synced == nil {
			delete(l.byID, id)
		}
	}
	for id, p := range plans {
		if p.Data != migrations.DataSynced || p.Synced == nil || p.Retired {
			continue
		}
		have := l.byID[id]
		if have == nil || have.probe != *p.Synced { // another probe knows nothing of what this one has found
			have = &lag{probe: *p.Synced}
			l.byID[id] = have
		}
		if !have.asking && !now.Before(have.next) {
			have.asking, have.next = true, now.Add(every(*p.Synced))
			out[id] = *p
		}
	}
	return out
}

// every returns the time between two probes.
func every(s migrations.Synced) time.Duration { return min(max(s.MaxLag/2, lagSoonest), lagLatest) }

// deadline returns how long a probe may take.
func deadline(s migrations.Synced) time.Duration { return max(every(s), time.Second) }

// lasts returns how long a measurement counts: one probe may go wrong.
func lasts(s migrations.Synced) time.Duration { return 2*every(s) + deadline(s) }

// measure asks once.
func (l *lags) measure(ctx context.Context, id string, plan migrations.Plan) {
	probe := *plan.Synced
	ctx, cancel := context.WithTimeout(ctx, deadline(probe))
	defer cancel()
	behind, err := l.ask(ctx, probe.Lag)
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	now := time.Now()
	l.mu.Lock()
	have := l.byID[id]
	if have == nil || have.probe != probe { // the config was edited meanwhile
		l.mu.Unlock()
		return
	}
	have.asking, have.err = false, err
	if err == nil {
		have.at, have.behind = now, behind
	}
	known := have.known(now)
	why := plan.Behind(known)
	changed := have.trouble != (why != "")
	have.trouble = why != ""
	l.mu.Unlock()
	l.told(id, why != "")
	switch {
	case changed && why != "":
		l.logger.Error("data lags behind: no step forward, no fallback and no automatic rollback until it has caught up", "migration", id, "why", why, "error", err)
	case changed:
		l.logger.Info("data has caught up", "migration", id, "behind", behind)
	}
	if changed && l.news != nil {
		l.news(lagNews{Migration: id, Trouble: why, Lag: known})
	}
}

// known returns what is known at a time.
func (g *lag) known(now time.Time) evidence.Lag {
	if g.at.IsZero() || now.Sub(g.at) > lasts(g.probe) {
		return evidence.Lag{}
	}
	return evidence.Lag{Known: true, Behind: g.behind}
}

// of returns what is known of a migration now.
func (l *lags) of(id string) evidence.Lag {
	l.mu.Lock()
	defer l.mu.Unlock()
	if have := l.byID[id]; have != nil {
		return have.known(time.Now())
	}
	return evidence.Lag{}
}

// ask asks a lag probe.
func (l *lags) ask(ctx context.Context, address string) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "text/plain")
	req.Header.Set("User-Agent", "ficus")
	res, err := l.client.Do(req)
	if err != nil {
		var asked *url.Error
		if errors.As(err, &asked) {
			err = asked.Err // the URL may hold a secret
		}
		return 0, fmt.Errorf("asking the lag probe: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, lagAnswer+1))
	switch {
	case err != nil:
		return 0, fmt.Errorf("reading the answer of the lag probe: %w", err)
	case res.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("the lag probe answers %s", res.Status)
	case len(text) > lagAnswer:
		return 0, errors.New("the lag probe answers with more than a number; it must be the seconds, as plain text: 0.25")
	}
	return parseLag(string(text))
}

// parseLag reads seconds. A clock that is ahead may make them negative, which
// is none.
func parseLag(text string) (time.Duration, error) {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(seconds) || math.IsInf(seconds, 0) || seconds > math.MaxInt32 {
		return 0, fmt.Errorf("the lag probe answers %.64q; it must be the seconds, as plain text: 0.25", text)
	}
	return time.Duration(max(seconds, 0) * float64(time.Second)), nil
}
