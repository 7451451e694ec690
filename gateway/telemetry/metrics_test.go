package telemetry

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.opentelemetry.io/otel/attribute"
	promexporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// scrape returns what Prometheus reads, by way of the real exporter.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	reader, err := promexporter.New(promexporter.WithRegisterer(registry), promexporter.WithProducer(m),
		promexporter.WithoutScopeInfo(), promexporter.WithoutTargetInfo())
	if err != nil {
		t.Fatal(err)
	}
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	defer provider.Shutdown(t.Context())
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%d %v: %s", resp.StatusCode, err, body)
	}
	return string(body)
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestWhatPrometheusReads(t *testing.T) {
	m := NewMetrics()
	orders := m.Route("orders", "orders")
	x := anExchange()
	orders.Observe(&x)
	x.Status, x.ErrKind, x.Total, x.Fallback = 502, "connect", 3*time.Second, "connect"
	orders.Observe(&x)
	m.Route("orders", "orders").Observe(&Exchange{Status: 200, Stage: "off", Side: "legacy", Fallback: BrokenJourney})
	m.Route("rest", "").Observe(&Exchange{Status: 304, Total: time.Millisecond})
	m.Route("rest", "").Observe(&Exchange{Upgraded: true, Status: 101, FirstByte: 2 * time.Millisecond, Total: time.Hour})
	m.Route("idle", "")
	m.Gauge("ficus_in_flight_requests", "Requests under way.", func() float64 { return 3 })
	m.Counter("ficus_config_reload_failures_total", "Reloads that changed nothing since they failed.", func() float64 { return 1 })
	m.Gauge("ficus_config_last_reload_timestamp_seconds", "When the table in use was loaded.", func() float64 { return 1.5 })
	m.Gauge("ficus_log_seq", "Last event that has been applied.", func() float64 { return 41 })
	m.Gauge("ficus_log_seq", "Last event that has been applied.", func() float64 { return 42 })
	m.Gauges("ficus_migration_share", "Share of the buckets at a stage.", []string{"migration", "stage"}, func(emit func(float64, ...string)) {
		emit(0.05, "orders", "live")
		emit(0.95, "orders", "shadow")
	})

	got := scrape(t, m)
	const o = `migration="orders",route="orders",side="modern",stage="live"`
	const r = `migration="",route="rest",side="",stage=""`
	wantLines(t, got,
		`# TYPE ficus_requests_total counter`,
		`ficus_requests_total{code_class="2xx",`+o+`} 1`,
		`ficus_requests_total{code_class="5xx",`+o+`} 1`,
		`ficus_requests_total{code_class="3xx",`+r+`} 1`,
		`# TYPE ficus_request_duration_seconds histogram`,
		`ficus_request_duration_seconds_bucket{`+o+`,le="0.005"} 0`,
		`ficus_request_duration_seconds_bucket{`+o+`,le="0.01"} 1`,
		`ficus_request_duration_seconds_bucket{`+o+`,le="5"} 2`,
		`ficus_request_duration_seconds_bucket{`+o+`,le="+Inf"} 2`,
		`ficus_request_duration_seconds_sum{`+o+`} 3.00725`,
		`ficus_request_duration_seconds_count{`+o+`} 2`,
		`ficus_request_duration_seconds_bucket{`+r+`,le="0.001"} 1`,
		`ficus_request_duration_seconds_sum{`+r+`} 0.003`,
		`ficus_request_errors_total{kind="connect",`+o+`} 1`,
		`ficus_upstream_attempts_total{`+o+`} 4`,
		`ficus_fallbacks_total{`+o+`} 1`,
		`ficus_broken_journeys_total{migration="orders",route="orders",side="legacy",stage="off"} 1`,
		`ficus_request_bytes_total{`+o+`} 24`,
		`ficus_response_bytes_total{`+o+`} 6912`,
		`# TYPE ficus_in_flight_requests gauge`,
		`ficus_in_flight_requests 3`,
		`# TYPE ficus_config_reload_failures_total counter`,
		`ficus_config_reload_failures_total 1`,
		`ficus_config_last_reload_timestamp_seconds 1.5`,
		`ficus_log_seq 42`,
		`ficus_migration_share{migration="orders",stage="live"} 0.05`,
	)
	if strings.Contains(got, "idle") {
		t.Error("a route without requests has series")
	}
	problems, err := promlint.New(strings.NewReader(got)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
}

func TestNoRequestsNoFamilies(t *testing.T) {
	if got := scrape(t, NewMetrics()); strings.Contains(got, "ficus_") {
		t.Errorf("got %s", got)
	}
}

func TestThousandReloadsLeaveNoSeriesBehind(t *testing.T) {
	m := NewMetrics()
	x := anExchange()
	for generation := range 1000 {
		mine := fmt.Sprintf("m%d", generation)
		for route := range 10 {
			m.Route(fmt.Sprintf("r%d", route), mine).Observe(&x)
		}
		m.Forget(func(_, migration string) bool { return migration != mine })
	}
	if n := len(m.routes); n != 10 {
		t.Errorf("%d routes", n)
	}
}

func TestRoutesBeyondTheBoundShareOneSeries(t *testing.T) {
	m := NewMetrics()
	x := anExchange()
	for i := range maxRoutes + 500 {
		m.Route(fmt.Sprintf("r%d", i), "orders").Observe(&x)
	}
	if n := len(m.routes); n != maxRoutes {
		t.Errorf("%d routes", n)
	}
	wantLines(t, scrape(t, m), `ficus_requests_total{code_class="2xx",migration="",route="other",side="modern",stage="live"} 500`)
}

func TestKindsOfErrorAreBounded(t *testing.T) {
	m := NewMetrics()
	r := m.Route("r", "")
	for i := range 100 {
		r.Observe(&Exchange{ErrKind: fmt.Sprintf("kind%d", i)})
	}
	got := scrape(t, m)
	if n := strings.Count(got, "\nficus_request_errors_total{"); n != maxKinds {
		t.Errorf("%d kinds", n)
	}
	wantLines(t, got, `ficus_request_errors_total{kind="other",migration="",route="r",side="",stage=""} 77`)
}

func TestConcurrentRequestsAreAllCounted(t *testing.T) {
	m := NewMetrics()
	r := m.Route("r", "m")
	const workers, each = 8, 2000
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			x := anExchange()
			for i := range each {
				x.Stage, x.ErrKind = migrations.Stages[(w+i)%len(migrations.Stages)], fmt.Sprintf("k%d", i%5)
				r.Observe(&x)
				if i%500 == 0 {
					if _, err := m.Produce(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	scopes, _ := m.Produce(t.Context())
	for _, metrics := range scopes[0].Metrics {
		if metrics.Name != "ficus_requests_total" && metrics.Name != "ficus_request_errors_total" {
			continue
		}
		var sum int64
		seen := make(map[attribute.Distinct]bool)
		for _, p := range metrics.Data.(metricdata.Sum[int64]).DataPoints {
			sum += p.Value
			if seen[p.Attributes.Equivalent()] {
				t.Errorf("%s: series %v appears twice", metrics.Name, p.Attributes)
			}
			seen[p.Attributes.Equivalent()] = true
		}
		if sum != workers*each {
			t.Errorf("%s: %d, want %d", metrics.Name, sum, workers*each)
		}
	}
}

func TestStagesAreTheSixAndNone(t *testing.T) {
	if len(stages) != maxStages {
		t.Errorf("%d stages, room for %d", len(stages), maxStages)
	}
	m := NewMetrics()
	r := m.Route("r", "m")
	r.Observe(&Exchange{Stage: "unheard of", Side: "neither", Status: 999, Total: -1, BytesIn: -1, Attempts: -1})
	wantLines(t, scrape(t, m),
		`ficus_requests_total{code_class="none",migration="m",route="r",side="",stage=""} 1`,
		`ficus_request_bytes_total{migration="m",route="r",side="",stage=""} 0`)
	var none *RouteMetrics
	none.Observe(&Exchange{})
}

func BenchmarkObserve(b *testing.B) {
	r := NewMetrics().Route("orders", "orders")
	fine, failed := anExchange(), anExchange()
	failed.Status, failed.ErrKind = 502, "connect"
	for name, x := range map[string]*Exchange{"answered": &fine, "failed": &failed} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Observe(x)
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			x := anExchange()
			for pb.Next() {
				r.Observe(&x)
			}
		})
	})
}

func BenchmarkProduce1000Routes(b *testing.B) {
	m := NewMetrics()
	x := anExchange()
	for i := range 1000 {
		m.Route(fmt.Sprintf("r%d", i), "orders").Observe(&x)
	}
	for b.Loop() {
		_, _ = m.Produce(b.Context())
	}
}
