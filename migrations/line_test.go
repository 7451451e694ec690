package migrations

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkReplay100k(b *testing.B) {
	const events, many = 100_000, 200
	s := State{}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var lines [][]byte
	var h Hash
	fold := new(Fold)
	for i := range events {
		e := Event{Seq: uint64(i + 1), Time: now.Add(time.Duration(i) * time.Second), Migration: fmt.Sprintf("m%03d", i%many), Actor: "alice", Reason: "the error rate is fine, on we go", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736"}
		if i < many {
			e.Kind, e.From, e.To = Created, "monolith", "orders"
		} else {
			e.Kind = Shifted
			e.Split, _ = NewSplit(Share{Live, i % Buckets}, Share{Shadow, Buckets - i%Buckets})
		}
		if err := fold.Apply(e); err != nil {
			b.Fatal(err)
		}
		var line []byte
		line, h, _ = EncodeLine(h, e)
		lines = append(lines, line)
	}
	_ = s
	b.ReportAllocs()
	for b.Loop() {
		fold := new(Fold)
		var prev Hash
		for _, line := range lines {
			e, h, err := DecodeLine(prev, line)
			if err != nil {
				b.Fatal(err)
			}
			if err := fold.Apply(e); err != nil {
				b.Fatal(err)
			}
			prev = h
		}
	}
}
