package upstream

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
)

func BenchmarkDo(b *testing.B) {
	u := opened(b, defined(raw(b, func(c net.Conn, _ int) {
		br := bufio.NewReader(c)
		for {
			for { // the head alone: the benchmark is not of this
				line, err := br.ReadSlice('\n')
				if err != nil {
					return
				}
				if len(line) == 2 {
					break
				}
			}
			if _, err := io.WriteString(c, okAnswer); err != nil {
				return
			}
		}
	})))
	r := asked("GET", "/api/orders/7")
	r.Header = http.Header{"Accept": {"*/*"}, "User-Agent": {"bench"}, "X-Forwarded-For": {"127.0.0.1"}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		res, err := u.Do(ctx, r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Close()
	}
}
