package app

import (
	"context"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	promexporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/routes"
)

// instruments are the telemetry SDKs of one process.
type instruments struct {
	tracer  *telemetry.Tracer
	metrics *telemetry.Metrics
	scrape  http.Handler // GET /metrics
	close   func(context.Context) error
}

func newInstruments(ctx context.Context, t routes.Telemetry, flags string) (*instruments, error) {
	in := &instruments{metrics: telemetry.NewMetrics()}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := promexporter.New(promexporter.WithRegisterer(registry), promexporter.WithProducer(in.metrics),
		promexporter.WithoutScopeInfo(), promexporter.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	meters := metric.NewMeterProvider(metric.WithReader(reader))
	in.scrape = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	in.close = meters.Shutdown

	options := telemetry.TracerOptions{Sample: t.Sample, FlagProvider: flags}
	if t.OTLP != "" {
		exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(t.OTLP), otlptracehttp.WithHeaders(t.Headers))
		if err != nil {
			return nil, fmt.Errorf("telemetry.otlp: %w", err)
		}
		traces := sdktrace.NewTracerProvider(append(telemetry.SDKOptions(),
			sdktrace.WithBatcher(exporter),
			sdktrace.WithResource(resource.NewSchemaless(
				semconv.ServiceName(t.Service), semconv.ServiceVersion(Version()),
				attribute.String("telemetry.sdk.language", "go"),
			)))...)
		options.Provider = traces
		in.close = func(ctx context.Context) error {
			err := traces.Shutdown(ctx)
			if merr := meters.Shutdown(ctx); err == nil {
				err = merr
			}
			return err
		}
	}
	in.tracer = telemetry.NewTracer(options)
	return in, nil
}
