package dashboard

import (
	"net/http"
	"net/http/pprof"
	"runtime"
	runtimepprof "runtime/pprof"
)

func (a *api) getVersion(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, Version{Version: a.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH})
}

func (a *api) getMetrics(w http.ResponseWriter, r *http.Request) {
	if a.Metrics == nil {
		fail(w, r, problem(NotFound, http.StatusNotFound, "this gateway keeps no metrics"))
		return
	}
	a.Metrics.ServeHTTP(w, r)
}

// getProfile serves the profiles of net/http/pprof.
func (a *api) getProfile(w http.ResponseWriter, r *http.Request) {
	switch name := param(r, "profile"); name {
	case "":
		pprof.Index(w, r)
	case "cmdline":
		pprof.Cmdline(w, r)
	case "profile":
		pprof.Profile(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	case "trace":
		pprof.Trace(w, r)
	default:
		if runtimepprof.Lookup(name) == nil {
			fail(w, r, problem(NotFound, http.StatusNotFound, "no profile %q; /debug/pprof/ lists them", name))
			return
		}
		pprof.Handler(name).ServeHTTP(w, r)
	}
}
