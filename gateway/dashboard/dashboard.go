package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// Deps are what the API needs of the rest of the process. All functions must
// be safe for concurrent use.
type Deps struct {
	// Required.
	Log   migrations.Log
	State func() migrations.State                                         // as far as this gateway has read
	Wait  func(ctx context.Context, seq uint64) (migrations.State, error) // returns when this gateway has applied event seq
	Table func() *routes.Table                                            // in force; never nil
	Token func(presented string) (actor string, ok bool)                  // see [Tokens.Check]; an empty actor leaves the name to the Ficus-Actor header

	// What the data plane tells. Nil: the endpoint says that there is nothing.
	LastReload func() ReloadStatus
	Reload     func(ctx context.Context) ReloadStatus
	Explain    func(ctx context.Context, r ExplainRequest) (Explanation, error)
	Ready      func() Readiness // nil: ready
	Upstreams  func() []UpstreamStatus
	Traffic    func(migration string) TrafficCounts
	Metrics    http.Handler
	Findings   Findings // what comparing has found; nil: nothing is compared

	Hosts          []string         // hosts that may be asked for, besides those of the loopback
	ReadsNeedToken bool             // also on the loopback; never over a unix socket
	Version        string           // of the program
	Logger         *slog.Logger     // nil: silent
	Now            func() time.Time // nil: [time.Now]
	Patience       time.Duration    // for the log to take an event and for the follower to read it; 0: 5 s
}

// An api answers requests. It is immutable but for the limiter.
type api struct {
	Deps
	hosts   map[string]bool
	origins *http.CrossOriginProtection
	refused limiter
	index   []byte
}

// New returns the handler of the admin listener. It returns an error if
// something required is missing.
func New(d Deps) (http.Handler, error) {
	a, err := newAPI(d)
	if err != nil {
		return nil, err
	}
	return a.router(), nil
}

func newAPI(d Deps) (*api, error) {
	if d.Log == nil || d.State == nil || d.Wait == nil || d.Table == nil || d.Token == nil {
		return nil, errors.New("dashboard: Log, State, Wait, Table and Token are required")
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Patience <= 0 {
		d.Patience = 5 * time.Second
	}
	index, err := indexPage(d.Version)
	if err != nil {
		return nil, err
	}
	return &api{
		Deps: d, hosts: hostSet(d.Hosts), origins: http.NewCrossOriginProtection(),
		refused: limiter{now: d.Now}, index: index,
	}, nil
}

func (a *api) router() chi.Router {
	r := chi.NewRouter()
	r.Use(a.recovered, secured, a.hostListed, a.sameOrigin, a.authorized, middleware.GetHead)
	r.NotFound(a.notFound)
	r.MethodNotAllowed(a.methodNotAllowed(r))

	r.Get("/", a.getIndex)
	r.Get("/healthz", a.getHealth)
	r.Get("/readyz", a.getReady)
	r.Get("/metrics", a.getMetrics)
	r.Get("/debug/pprof/", a.getProfile)
	r.Get("/debug/pprof/{profile}", a.getProfile)

	r.Get("/api/openapi.json", a.getOpenAPI)
	r.Get("/api/version", a.getVersion)
	r.Get("/api/state", a.getState)
	r.Get("/api/migrations/{id}", a.getMigration)
	r.Get("/api/history", a.getHistory)
	r.Get("/api/history/{seq}", a.getEvent)
	r.Get("/api/routes", a.getRoutes)
	r.Get("/api/upstreams", a.getUpstreams)
	r.Get("/api/config/reload", a.getReload)
	r.Get("/api/explain", a.getExplain)
	r.Get("/api/comparisons", a.getComparisons)
	r.Get("/api/findings", a.getFindings)
	r.Get("/api/findings/{id}", a.getFinding)

	r.Post("/api/explain", a.postExplain)
	r.Post("/api/migrations/{id}/shift", a.postShift)
	r.Post("/api/migrations/{id}/hold", a.postHold)
	r.Post("/api/migrations/{id}/resume", a.postResume)
	r.Post("/api/migrations/{id}/rollback", a.postRollback)
	r.Post("/api/rollback", a.postRollbackAll)
	r.Post("/api/reload", a.postReload)
	r.Post("/api/findings/{id}/acknowledge", a.postAcknowledge)
	r.Post("/api/findings/{id}/mute", a.postMute)
	r.Post("/api/findings/{id}/fix", a.postFix)
	r.Post("/api/findings/erase", a.postErase)
	return r
}
