package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/routes"
)

// Options are what the pages need besides the API. All functions must be safe
// for concurrent use.
type Options struct {
	// Required.
	State func() migrations.State
	Wait  func(ctx context.Context, seq uint64) (migrations.State, error)
	Table func() *routes.Table

	// Flows calls yield with what was counted of each route, by side, since the
	// start. Nil: nothing is counted.
	Flows func(yield func(Flow))
	// Bounds are the upper bounds of the latencies of a [Flow], ascending.
	Bounds []time.Duration
	// Counts returns what the guard of a migration decides from, for nobody to
	// change. Nil: there is nothing.
	Counts func(migration string) evidence.Counts
	// Excerpt returns the lines of a config file around a place, the first of
	// them being number from. Nil: they are not shown.
	Excerpt func(at routes.Position) (from int, lines []string)

	Version string
	Streams int              // greatest number of browsers that are kept up to date; 0: 256
	Logger  *slog.Logger     // nil: silent
	Now     func() time.Time // nil: [time.Now]
}

// Pages are the pages of one process. One serves all its admin listeners.
type Pages struct {
	Options
	look   *look
	series *series
	live   *live
}

// New returns the pages.
func New(o Options) (*Pages, error) {
	if o.State == nil || o.Wait == nil || o.Table == nil {
		return nil, errors.New("web: State, Wait and Table are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	look, err := newLook()
	if err != nil {
		return nil, err
	}
	p := &Pages{Options: o, look: look, series: newSeries(o.Bounds)}
	p.live = newLive(cmp.Or(o.Streams, 256), rand.Text())
	return p, nil
}

// Run keeps the counts of the last five minutes and wakes those who watch, until
// ctx ends.
func (p *Pages) Run(ctx context.Context) {
	var events sync.WaitGroup
	events.Go(func() { p.wakeAtEvents(ctx) })
	defer events.Wait()
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	p.sample()
	for {
		select {
		case <-tick.C:
			p.sample()
			p.live.wake()
		case <-ctx.Done():
			p.live.wake()
			return
		}
	}
}

// wakeAtEvents wakes those who watch when the log has an event.
func (p *Pages) wakeAtEvents(ctx context.Context) {
	seen := p.State().Seq
	for ctx.Err() == nil {
		if s, err := p.Wait(ctx, seen+1); err == nil {
			seen = max(s.Seq, seen)
			p.live.wake()
		}
		select { // a log that moves fast does not make us render without end
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// Serve calls serve for each page. It is a [dashboard.Pages].
func (p *Pages) Serve(api http.Handler, serve func(method, pattern string, h http.HandlerFunc)) {
	s := &site{Pages: p, api: api}
	get := func(pattern string, h http.HandlerFunc) { serve(http.MethodGet, pattern, h) }
	post := func(pattern string, h http.HandlerFunc) { serve(http.MethodPost, pattern, h) }
	get("/assets/{name}", p.look.serveAsset)
	get("/live", s.stream)

	get("/", s.getOverview)
	get("/migrations/{id}", s.getMigration)
	get("/migrations/{id}/preview", s.getPreview)
	post("/migrations/{id}/{action}", s.postAction)
	get("/rollback", s.getRollback)
	post("/rollback", s.postRollbackAll)
	post("/ramps/{action}", s.postRamps)
	get("/findings", s.getFindings)
	get("/findings/{id}", s.getFinding)
	post("/findings/{id}/{action}", s.postTriage)
	get("/routes", s.getRoutes)
	post("/routes/reload", s.postReload)
	get("/history", s.getHistory)
	get("/history/{seq}", s.getEvent)
	get("/past", s.getPast)
	get("/access", s.getAccess)
	post("/access/tokens", s.postToken)
	post("/access/tokens/{id}/revoke", s.postRevoke)
}

// A site is the pages on one listener.
type site struct {
	*Pages
	api http.Handler
}
