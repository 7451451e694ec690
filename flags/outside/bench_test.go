package outside

import (
	"context"
	"testing"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

// BenchmarkEvaluate asks a provider that answers at once, each time and from
// memory.
func BenchmarkEvaluate(b *testing.B) {
	for name, fresh := range map[string]time.Duration{"asked": 0, "fresh": time.Hour} {
		b.Run(name, func(b *testing.B) {
			inner := &fake{answer: func(context.Context, string, string) openfeature.StringResolutionDetail { return value("live") }}
			p := New(inner, Options{Fresh: fresh, Timeout: time.Second})
			if err := p.Init(openfeature.EvaluationContext{}); err != nil {
				b.Fatal(err)
			}
			b.Cleanup(p.Shutdown)
			for !p.begun.Load() {
				time.Sleep(time.Millisecond)
			}
			told := openfeature.FlattenedContext{openfeature.TargetingKey: "4711"}
			b.ReportAllocs()
			for b.Loop() {
				p.StringEvaluation(context.Background(), "orders", "off", told)
			}
		})
	}
}
