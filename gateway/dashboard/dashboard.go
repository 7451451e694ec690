package dashboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
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
	Door  *access.Door                                                    // who may come in

	// Deciding is told of events before they are appended; it may set their
	// TraceID and SpanID. What it returns is called with the outcome: the seq of
	// the last one, or the error. Nil: nobody is told.
	Deciding func(ctx context.Context, events []migrations.Event) func(seq uint64, err error)

	// What the data plane tells. Nil: the endpoint says that there is nothing.
	LastReload func() ReloadStatus
	Reload     func(ctx context.Context) ReloadStatus
	Explain    func(ctx context.Context, r ExplainRequest) (Explanation, error)
	Ready      func() Readiness // nil: ready
	Upstreams  func() []UpstreamStatus
	Traffic    func(migration string) TrafficCounts
	Metrics    http.Handler

	Flags func() FlagSource // who answers for flags; nil: the log
	OFREP http.Handler      // evaluates flags for applications; nil: there are none

	// Trip has this gateway act upon rollbacks that the log does not take, and
	// append them later; Trips tells those of a migration. Nil: it can't.
	Trip  func(events []migrations.Event)
	Trips func(migration string) []migrations.Trip

	Counts   func(migration string) evidence.Counts // what the guard decides from; nil: nobody counts
	Gateways func() []Gateway                       // those that share the log; nil: it is not known
	Report   Reporter                               // counts what applications say of outcomes; nil: nobody does
	Findings Findings                               // what comparing has found; nil: nothing is compared
	Pages    Pages                                  // for people with a browser; nil: there is the API only

	// Client returns the address of whom a trusted proxy speaks for, "" if the
	// other end is none. Nil: no proxy is trusted.
	Client func(r *http.Request) string

	Hosts          []string         // hosts that may be asked for, besides those of the loopback
	URL            string           // by which people come, if another than the listener's: "https://ficus.example"; reads need a token then
	ReadsNeedToken bool             // also on the loopback; never over a unix socket
	Version        string           // of the program
	Logger         *slog.Logger     // nil: silent
	Now            func() time.Time // nil: [time.Now]
	Patience       time.Duration    // for the log to take an event and for the follower to read it; 0: 5 s
}

// An api answers requests. It is immutable.
type api struct {
	Deps
	hosts   map[string]bool
	origins *http.CrossOriginProtection
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
	if d.Log == nil || d.State == nil || d.Wait == nil || d.Table == nil || d.Door == nil {
		return nil, errors.New("dashboard: Log, State, Wait, Table and Door are required")
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Counts == nil {
		d.Counts = func(string) evidence.Counts { return evidence.Counts{} }
	}
	if d.Deciding == nil {
		d.Deciding = func(context.Context, []migrations.Event) func(uint64, error) { return func(uint64, error) {} }
	}
	if d.Patience <= 0 {
		d.Patience = 5 * time.Second
	}
	if d.URL != "" {
		u, err := url.Parse(d.URL)
		if err != nil {
			return nil, fmt.Errorf("dashboard: the URL: %w", err)
		}
		// A proxy on this machine brings others here, so that the address tells nothing of who they are.
		d.Hosts, d.ReadsNeedToken = append(slices.Clone(d.Hosts), u.Host), true
	}
	index, err := indexPage(d.Version)
	if err != nil {
		return nil, err
	}
	return &api{
		Deps: d, hosts: hostSet(d.Hosts), origins: http.NewCrossOriginProtection(),
		index: index,
	}, nil
}

func (a *api) router() chi.Router {
	r := chi.NewRouter()
	r.Use(a.recovered, secured, a.hostListed, a.sameOrigin, a.identified, middleware.GetHead)
	r.NotFound(a.may(viewer, a.notFound).ServeHTTP)
	r.MethodNotAllowed(a.may(viewer, a.methodNotAllowed(r)).ServeHTTP)

	direct := chi.NewRouter() // the same for the pages, who have been through all of the above
	serve := func(method, pattern string, needs grant, h http.HandlerFunc) {
		r.Method(method, pattern, a.may(needs, h))
		direct.Method(method, pattern, a.may(needs, h))
	}

	a.pages(r, direct)
	if a.Pages == nil {
		serve(http.MethodGet, "/", viewer, a.getIndex)
	}
	serve(http.MethodGet, "/api", viewer, a.getIndex)
	serve(http.MethodGet, "/healthz", anyone, a.getHealth)
	serve(http.MethodGet, "/readyz", anyone, a.getReady)
	serve(http.MethodGet, "/metrics", viewer, a.getMetrics)
	serve(http.MethodGet, "/debug/pprof/", admin, a.getProfile)
	serve(http.MethodGet, "/debug/pprof/{profile}", admin, a.getProfile)

	r.Method(http.MethodGet, "/login", a.mayPage(anyone, a.getLogin))
	r.Method(http.MethodPost, "/login", a.mayPage(anyone, a.postLogin))
	r.Method(http.MethodGet, "/login/oidc", a.mayPage(anyone, a.getSignOn))
	r.Method(http.MethodGet, "/login/callback", a.mayPage(anyone, a.getCallback))
	r.Method(http.MethodPost, "/logout", a.mayPage(anyone, a.postLogout))

	serve(http.MethodGet, "/api/openapi.json", viewer, a.getOpenAPI)
	serve(http.MethodGet, "/api/version", viewer, a.getVersion)
	serve(http.MethodGet, "/api/state", viewer, a.getState)
	serve(http.MethodGet, "/api/migrations/{id}", viewer, a.getMigration)
	serve(http.MethodGet, "/api/history", viewer, a.getHistory)
	serve(http.MethodGet, "/api/history/{seq}", viewer, a.getEvent)
	serve(http.MethodGet, "/api/history/{seq}/explain", viewer, a.getDecision)
	serve(http.MethodGet, "/api/routes", viewer, a.getRoutes)
	serve(http.MethodGet, "/api/upstreams", viewer, a.getUpstreams)
	serve(http.MethodGet, "/api/config/reload", viewer, a.getReload)
	serve(http.MethodGet, "/api/explain", viewer, a.getExplain)
	serve(http.MethodGet, "/api/comparisons", viewer, a.getComparisons)
	serve(http.MethodGet, "/api/findings", viewer, a.getFindings)
	serve(http.MethodGet, "/api/findings/{id}", viewer, a.getFinding)

	serve(http.MethodPost, "/api/explain", member, a.postExplain)
	serve(http.MethodPost, "/api/migrations/{id}/shift", operator, a.postShift)
	serve(http.MethodPost, "/api/migrations/{id}/hold", operator, a.postHold)
	serve(http.MethodPost, "/api/migrations/{id}/resume", operator, a.postResume)
	serve(http.MethodPost, "/api/migrations/{id}/approve", operator, a.postApprove)
	serve(http.MethodPost, "/api/migrations/{id}/skip", operator, a.postSkip)
	serve(http.MethodPost, "/api/migrations/{id}/restart", operator, a.postRestart)
	serve(http.MethodPost, "/api/migrations/{id}/freeze", operator, a.postFreeze)
	serve(http.MethodPost, "/api/migrations/{id}/thaw", operator, a.postThaw)
	serve(http.MethodPost, "/api/freeze", operator, a.postFreezeAll)
	serve(http.MethodPost, "/api/thaw", admin, a.postThawAll)
	serve(http.MethodPost, "/api/migrations/{id}/rollback", member, a.postRollback)
	serve(http.MethodPost, "/api/rollback", member, a.postRollbackAll)
	serve(http.MethodPost, "/api/reload", operator, a.postReload)
	serve(http.MethodPost, "/api/findings/{id}/acknowledge", operator, a.postAcknowledge)
	serve(http.MethodPost, "/api/findings/{id}/mute", operator, a.postMute)
	serve(http.MethodPost, "/api/findings/{id}/fix", operator, a.postFix)
	serve(http.MethodPost, "/api/findings/{id}/accept", operator, a.postAccept)
	serve(http.MethodPost, "/api/migrations/{id}/rules/withdraw", operator, a.postWithdraw)
	serve(http.MethodPost, "/api/findings/erase", admin, a.postErase)

	serve(http.MethodPost, "/api/outcomes", reporter, a.postOutcomes)

	serve(http.MethodPost, "/ofrep/v1/evaluate/flags", asker, a.postEvaluate)
	serve(http.MethodPost, "/ofrep/v1/evaluate/flags/{key}", asker, a.postEvaluate)

	serve(http.MethodGet, "/api/audit", admin, a.getAudit)
	serve(http.MethodGet, "/api/tokens", admin, a.getTokens)
	serve(http.MethodPost, "/api/tokens", admin, a.postToken)
	serve(http.MethodDelete, "/api/tokens/{id}", admin, a.deleteToken)
	return r
}
