package gateway

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations"
)

// thrifty starts an application that answers every request alike and makes no
// garbage, and returns its address.
func thrifty(b *testing.B) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ln.Close() })
	body := `{"items":[{}` + strings.Repeat(`,{"sku":"a-1","count":2,"price":12.50}`, 24) + `]}`
	answer := []byte(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Thu, 26 Nov 2026 10:00:00 GMT\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					line, err := in.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) == 2 {
						if _, err := c.Write(answer); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

// BenchmarkObserve is a whole request without the shadow and with it, the
// candidate's answer and the judgement included: what the collector of garbage
// has to do is paid for by whoever is under way then.
func BenchmarkObserve(b *testing.B) {
	for name, stage := range map[string]migrations.Stage{"off": migrations.Off, "shadow": migrations.Shadow} {
		b.Run(name, func(b *testing.B) {
			assigner, err := flags.New(flags.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer assigner.Close()
			m := migrations.Migration{ID: "orders", From: "monolith", To: "orders", Seq: 2, Epoch: 2, Split: migrations.All(stage)}
			compared := shadow.New(shadow.Options{})
			defer compared.Close()
			g, err := New(Options{
				Assigner: assigner, Shadow: compared,
				Table: tableOf(b, `
upstreams: {monolith: "`+thrifty(b)+`", orders: "`+thrifty(b)+`"}
migrations:
  orders: {from: monolith, to: orders, key: header:X-User}
routes:
  - {path: /api/orders/*, migration: orders, repeatable: true}
  - {path: /*, upstream: monolith}
`),
				State: migrations.State{Seq: 2, Migrations: map[string]migrations.Migration{"orders": m}},
			})
			if err != nil {
				b.Fatal(err)
			}
			defer g.Close(b.Context())
			req, err := http.NewRequest(http.MethodGet, "/api/orders/7", nil)
			if err != nil {
				b.Fatal(err)
			}
			req.RemoteAddr, req.RequestURI, req.Host = "192.0.2.1:1", "/api/orders/7", "shop.example"
			req.Header.Set("X-User", "alice")
			req.Header.Set("Accept", "application/json")
			req.Header.Set("User-Agent", "load")
			watch := compared.Find("orders")
			b.ReportAllocs()
			w := &nowhere{header: make(http.Header)}
			for n := 0; b.Loop(); n++ {
				clear(w.header)
				g.ServeHTTP(w, req)
				for n%64 == 63 && watch.Counts().Pending > 0 {
					time.Sleep(100 * time.Microsecond)
				}
			}
			if counts := watch.Counts(); counts.Outcomes["match"]+counts.Pending < counts.Sampled {
				b.Errorf("%+v", counts)
			}
		})
	}
}

// nowhere is where an answer goes that nobody reads.
type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (w *nowhere) WriteHeader(int)             {}
func (w *nowhere) Flush()                      {}
