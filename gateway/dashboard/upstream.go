package dashboard

import "net/http"

// UpstreamStatus is how an upstream does, as this gateway sees it.
type UpstreamStatus struct {
	Name      string           `json:"name"`
	Endpoints []EndpointStatus `json:"endpoints"`
}

// EndpointStatus is how one address of an upstream does.
type EndpointStatus struct {
	URL      string `json:"url"`
	Healthy  bool   `json:"healthy"`
	Detail   string `json:"detail,omitempty"` // why not, or since when
	InFlight int    `json:"in_flight"`        // requests now
}

// Upstreams are all upstreams.
type Upstreams struct {
	Upstreams []UpstreamStatus `json:"upstreams"`
}

func (a *api) getUpstreams(w http.ResponseWriter, r *http.Request) {
	out := Upstreams{Upstreams: []UpstreamStatus{}}
	if a.Upstreams != nil {
		out.Upstreams = append(out.Upstreams, a.Upstreams()...)
	}
	for i := range out.Upstreams {
		if out.Upstreams[i].Endpoints == nil {
			out.Upstreams[i].Endpoints = []EndpointStatus{}
		}
	}
	answer(w, http.StatusOK, out)
}
