package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway"
	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/ofrep"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// adminHandler makes the admin API for one of its listeners.
func (p *Process) adminHandler(t *routes.Table, ln net.Listener) (http.Handler, error) {
	a := t.Server.Admin
	return dashboard.New(dashboard.Deps{
		Log:   p.events,
		State: p.follower.State,
		Wait:  p.follower.Wait,
		Table: p.source.Table,
		Door:  p.door,

		Deciding: p.deciding,

		LastReload: func() dashboard.ReloadStatus {
			last, _ := p.reloads.status()
			if last.Time.IsZero() {
				last.OK, last.Hash, last.Warnings = true, t.Hash, t.Warnings
			}
			return last
		},
		Reload:    p.Reload,
		Explain:   p.explain,
		Ready:     p.ready,
		Upstreams: p.upstreams,
		Traffic:   p.traffic,
		Counts:    p.counts,
		Gateways:  p.company,
		Now:       p.now,
		Metrics:   p.tools.scrape,
		Trip:      p.trip,
		Trips:     p.trips.of,
		Report:    p.report,
		Findings:  p.findings(),
		Flags:     p.flagStatus,
		OFREP:     ofrep.Handler(p.asked(), true),
		Pages:     p.pages.Serve,

		Client: func(r *http.Request) string { return gateway.ClientBehind(r, p.source.Table().Trusted) },

		Hosts:          a.Hosts,
		URL:            a.URL,
		ReadsNeedToken: !isLoopback(ln),
		Version:        Version(),
		Logger:         p.log,
	})
}

// isLoopback reports whether only this machine reaches a listener.
func isLoopback(ln net.Listener) bool {
	a, ok := ln.Addr().(*net.TCPAddr)
	return !ok || a.IP.IsLoopback()
}

// ready says whether the gateway should get traffic, and what is worth knowing.
func (p *Process) ready() dashboard.Readiness {
	r := dashboard.Readiness{Ready: !p.draining.Load(), Draining: p.draining.Load()}
	last, _ := p.reloads.status()
	config := dashboard.Check{Name: "config", OK: true, Detail: "hash " + p.source.Table().Hash}
	if p.config.Path == "" {
		config.Detail = "there is no file"
	}
	if !last.Time.IsZero() && !last.OK {
		config.OK = false
		config.Detail = fmt.Sprintf("the last reload failed at %s; the table before it serves on: %s",
			last.Time.Format(time.RFC3339), first(last.Problems))
	}
	r.Checks = append(r.Checks, config, p.connection())
	if s := p.flagStatus(); s.Source != migrations.BuiltIn {
		r.Checks = append(r.Checks, dashboard.Check{Name: "flags", OK: s.OK, Detail: s.Detail})
	}
	if p.shared != nil {
		r.Checks = append(r.Checks, p.shared.company())
	}
	for _, u := range p.upstreams() {
		c := dashboard.Check{Name: "upstream " + u.Name}
		healthy := 0
		for _, e := range u.Endpoints {
			if e.Healthy {
				healthy++
			}
		}
		c.OK = healthy > 0
		c.Detail = fmt.Sprintf("%d of %d endpoints", healthy, len(u.Endpoints))
		r.Checks = append(r.Checks, c)
	}
	return r
}

func first(ps routes.Problems) string {
	if len(ps) == 0 {
		return ""
	}
	return ps[0].Error()
}

func (p *Process) upstreams() []dashboard.UpstreamStatus {
	live := p.gateway.Upstreams()
	var out []dashboard.UpstreamStatus
	for _, name := range sortedNames(live) {
		s := dashboard.UpstreamStatus{Name: name}
		for _, e := range live[name].Endpoints() {
			es := dashboard.EndpointStatus{URL: e.String(), Healthy: e.Available(), InFlight: int(e.InFlight())}
			if !es.Healthy {
				es.Detail = "it fails its health check or refuses connections"
			}
			s.Endpoints = append(s.Endpoints, es)
		}
		out = append(out, s)
	}
	return out
}

// traffic counts what this gateway has seen of a migration.
func (p *Process) traffic(migration string) dashboard.TrafficCounts {
	c := p.gateway.Counts(migration)
	return dashboard.TrafficCounts{
		Since:   c.Since,
		Legacy:  dashboard.SideCounts{Requests: c.Legacy, Failed: c.LegacyFailed},
		Modern:  dashboard.SideCounts{Requests: c.Modern, Failed: c.ModernFailed},
		Keyless: c.Keyless,
	}
}

// explain answers what would become of a request.
func (p *Process) explain(ctx context.Context, er dashboard.ExplainRequest) (dashboard.Explanation, error) {
	r, err := imagine(ctx, er)
	if err != nil {
		return dashboard.Explanation{}, err
	}
	x := p.gateway.Explain(r)
	out := dashboard.Explanation{Method: r.Method, URL: er.URL, Upstream: x.Upstream, Target: x.Target, Why: x.Why}
	if x.Route != nil {
		row := dashboard.RouteOf(x.Route)
		out.Route = &row
		out.Else = x.Route.Else
	}
	for _, n := range x.Nearly {
		out.Nearly = append(out.Nearly, dashboard.NearMiss{Route: n.Route.ID, At: at(n.Route.At), Why: n.Why})
	}
	if d := x.Decided; d != nil {
		out.Migration, out.Flag, out.Stage, out.Side = d.Migration, d.Flag, d.Stage, d.Side
		out.Variant, out.Reason, out.Key, out.Cohort = d.Variant, d.Reason, d.Key, d.Cohort
		out.Source, out.Said = d.Source, d.Said
		if d.Key != "" {
			out.Bucket = &d.Bucket
		}
	}
	return out, nil
}

func at(p routes.Position) string {
	if p.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// imagine makes the request that an explanation is asked for, as it would
// come from this machine.
func imagine(ctx context.Context, er dashboard.ExplainRequest) (*http.Request, error) {
	u, err := url.Parse(er.URL)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	target := u.RequestURI()
	if !u.IsAbs() {
		target = er.URL // byte for byte, as a client would send it
	}
	if !strings.HasPrefix(target, "/") && target != "*" {
		target = "/" + target
	}
	parsed, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	r := (&http.Request{
		Method: er.Method, URL: parsed, RequestURI: target, Header: er.Header.Clone(), Host: u.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "127.0.0.1:0", Body: http.NoBody,
	}).WithContext(ctx)
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
		r.Header.Del("Host")
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	return r, nil
}

// gauges registers what the process as a whole is measured by.
func (p *Process) gauges() {
	m := p.tools.metrics
	comparisonMetrics(m, p.shadow)
	m.Counter("ficus_config_reload_failures_total", "Reloads that were refused; the last good table served on.", func() float64 {
		_, failed := p.reloads.status()
		return float64(failed)
	})
	m.Gauge("ficus_config_last_reload_success", "Whether the table in force is what the files say.", func() float64 {
		if last, _ := p.reloads.status(); !last.Time.IsZero() && !last.OK {
			return 0
		}
		return 1
	})
	m.Gauge("ficus_log_seq", "Last event of the log that this gateway has applied.", func() float64 {
		return float64(p.follower.State().Seq)
	})
	p.connectionMetrics(m)
	m.Gauges("ficus_migration_tripped", "Rollbacks that this gateway acts upon alone, since the event log has not taken them.", []string{"migration"}, func(emit func(float64, ...string)) {
		for _, id := range p.follower.State().IDs() {
			emit(float64(len(p.trips.of(id))), id)
		}
	})
	m.Gauges("ficus_migration_share", "Share of the buckets at a stage, 0 to 1.", []string{"migration", "stage"}, func(emit func(float64, ...string)) {
		s := p.follower.State()
		for _, id := range s.IDs() {
			if s.Migrations[id].Unknown {
				continue
			}
			for _, stage := range migrations.Stages {
				emit(float64(s.Migrations[id].Split.Share(stage))/migrations.Buckets, id, string(stage))
			}
		}
	})
	m.Gauges("ficus_upstream_endpoint_up", "Whether an endpoint is taken for healthy.", []string{"upstream", "endpoint"}, func(emit func(float64, ...string)) {
		for _, u := range p.upstreams() {
			for _, e := range u.Endpoints {
				up := 0.0
				if e.Healthy {
					up = 1
				}
				emit(up, u.Name, e.URL)
			}
		}
	})
	if p.access != nil {
		m.Counter("ficus_access_log_dropped_total", "Lines of the access log that were dropped because its sink was slow.", func() float64 {
			return float64(p.access.Dropped())
		})
	}
}
