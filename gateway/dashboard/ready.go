package dashboard

import "net/http"

// Readiness says whether this gateway should be given traffic.
type Readiness struct {
	Ready    bool    `json:"ready"`
	Draining bool    `json:"draining"`         // it is about to end
	Checks   []Check `json:"checks,omitempty"` // config, log, upstreams, ...
}

// A Check is one thing that readiness is made of, or that is worth knowing.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`               // a check may fail and the gateway be ready: it serves with what it has
	Detail string `json:"detail,omitempty"` // for people; holds no secrets
}

// Health says that the process lives.
type Health struct {
	Status string `json:"status"` // "ok"
}

// Version says which program runs.
type Version struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// getHealth answers 200 as long as anything can.
func (a *api) getHealth(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, Health{Status: "ok"})
}

// getReady answers 503 when the gateway should get no traffic. Those who ask
// for a host that is not on the list are told no more than that.
func (a *api) getReady(w http.ResponseWriter, r *http.Request) {
	ready := Readiness{Ready: true}
	if a.Ready != nil {
		ready = a.Ready()
	}
	if !a.listed(r) {
		ready.Checks = nil
	}
	status := http.StatusOK
	if !ready.Ready || ready.Draining {
		ready.Ready, status = false, http.StatusServiceUnavailable
	}
	answer(w, status, ready)
}
