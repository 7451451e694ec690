package redislog

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// From Append acknowledged on one gateway to yielded on all three.
func BenchmarkPropagation(b *testing.B) {
	logs := several(b, newServer(b, "--appendonly", "yes"))
	mustAppend(b, logs[0], created("orders"))
	var followers [3]<-chan time.Time
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	for i, l := range logs {
		arrived := make(chan time.Time, 1)
		followers[i] = arrived
		go func() {
			for _, err := range l.Follow(ctx, 1) {
				if err != nil {
					return
				}
				arrived <- time.Now()
			}
		}()
	}
	time.Sleep(100 * time.Millisecond)
	var took, appending []time.Duration
	for n := 0; b.Loop(); n++ {
		began := time.Now()
		mustAppend(b, logs[n%3], live("orders", n%1000))
		acknowledged := time.Now()
		var last time.Duration
		for _, f := range followers {
			last = max(last, (<-f).Sub(acknowledged))
		}
		took, appending = append(took, last), append(appending, acknowledged.Sub(began))
		time.Sleep(time.Millisecond) // as if somebody had thought about it
	}
	report := func(d []time.Duration, name string) {
		slices.Sort(d)
		b.ReportMetric(float64(d[len(d)/2].Microseconds())/1000, name+"-p50-ms")
		b.ReportMetric(float64(d[len(d)*99/100].Microseconds())/1000, name+"-p99-ms")
	}
	report(took, "seen-by-all")
	report(appending, "append")
}

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprint(writers, " writers"), func(b *testing.B) {
			logs := several(b, newServer(b))
			mustAppend(b, logs[0], created("orders"))
			b.ResetTimer()
			var all sync.WaitGroup
			for w := range writers {
				all.Go(func() {
					for i := w; i < b.N; i += writers {
						if _, err := logs[w%3].Append(b.Context(), migrations.Unconditional, live("orders", 1)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
		})
	}
}
