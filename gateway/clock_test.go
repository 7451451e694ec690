package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/routes"
)

// unread is an application that does not read what it is sent, for which reason
// it does not see either that its client has gone.
func unread(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(3 * time.Second):
	}
}

// early answers before the end of the request, and waits for no more of it.
func early(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 {
			if status == 0 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(status)
			return
		}
		c, _, _ := w.(http.Hijacker).Hijack() // or net/http would wait for the rest
		if status != 0 {
			_, _ = io.WriteString(c, tell(fmt.Sprint(status, " Early"), "Content-Length: 0", "Connection: close"))
		}
		c.Close()
	}
}

const guarded = ", guard: {latency: {quantile: p99, worse_by: 20%}}"

// A client that takes its time over a request is neither slow, nor given up,
// nor timed out: the clock starts when its last byte has been sent on.
func TestASlowUploadIsNobodysDoing(t *testing.T) {
	for _, protocol := range []string{"http1", "http2"} {
		for name, fields := range map[string][]string{
			"of a known length": {"Content-Length: 10"},
			"in chunks":         {"Transfer-Encoding: chunked"},
		} {
			for side, stage := range map[string]migrations.Stage{"service": migrations.Live, "monolith": migrations.Off} {
				t.Run(name+" over "+protocol+" to the "+side, func(t *testing.T) {
					var asked, monolith atomic.Int64
					tr := try(t, setup{
						stage: stage, protocol: protocol, migration: guarded, route: ", fallback: {after: 50ms}", tau: 50 * time.Millisecond, timeout: "{response: 10s}",
						service: func(w http.ResponseWriter, r *http.Request) {
							asked.Add(1)
							_, _ = io.Copy(w, r.Body)
						},
						legacy: func(w http.ResponseWriter, r *http.Request) {
							monolith.Add(1)
							_, _ = io.Copy(w, r.Body)
						},
					})
					half, rest := "12345", "67890"
					if name == "in chunks" {
						half, rest = "5\r\n12345\r\n", "5\r\n67890\r\n0\r\n\r\n"
					}
					c := tr.dial("PUT", fields...)
					_, _ = io.WriteString(c, half)
					time.Sleep(300 * time.Millisecond)
					s := &tr.gateway.Snapshot().standings[0]
					if lines := s.cells[0].book.ledger.take(nil); len(lines) > 1 {
						t.Errorf("%d lines while the client sends: %+v", len(lines), lines[1:])
					}
					if side == "service" && (asked.Load() > 1 || monolith.Load() != 0) {
						t.Errorf("the service was asked %d times, the monolith %d", asked.Load(), monolith.Load())
					}
					last := time.Now()
					_, _ = io.WriteString(c, rest)
					if status := tr.answer(c); status != 200 {
						t.Errorf("status %d", status)
					}
					v := tr.wait()
					if limit := time.Since(last); v.class != evidence.ClassOK || v.took > limit || v.whole > limit || v.took == 0 && v.fallback == "" {
						t.Errorf("%v after %v, the whole after %v; the last byte was sent %v ago", v.class, v.took, v.whole, limit)
					}
				})
			}
		}
	}
}

// Once the request has been sent to its end, the side is waited for.
func TestTheClockStartsWithTheEndOfTheRequest(t *testing.T) {
	for _, protocol := range []string{"http1", "http2"} {
		for name, body := range map[string]string{"without a body": "", "with a body": "a bike"} {
			t.Run(name+" over "+protocol, func(t *testing.T) {
				release := make(chan struct{})
				tr := try(t, setup{
					protocol: protocol, migration: guarded, route: ", fallback: {off: true}", tau: 100 * time.Millisecond,
					service: func(w http.ResponseWriter, r *http.Request) {
						_, _ = io.Copy(io.Discard, r.Body)
						<-release
					},
				})
				done := make(chan int)
				go func() {
					var b io.Reader
					if body != "" {
						b = strings.NewReader(body)
					}
					done <- tr.do("PUT", b)
				}()
				<-tr.gateway.Alarms() // that it is slow is told while it is
				close(release)
				if status := <-done; status != 200 {
					t.Errorf("status %d", status)
				}
				if v := tr.wait(); v.facts&told == 0 || v.took < 100*time.Millisecond || v.whole < v.took {
					t.Errorf("facts %v, first byte after %v, last after %v", v.facts.names(), v.took, v.whole)
				}
			})
		}
	}
}

// What may be sent again falls back in time, from the end of the request on,
// whatever the protocols are.
func TestFallbackWaitsFromTheEndOfTheRequest(t *testing.T) {
	for _, from := range []string{"h1", "h2c"} {
		for _, to := range []string{"http1", "http2"} {
			t.Run(from+" to "+to, func(t *testing.T) {
				tr := try(t, setup{protocol: to, route: ", fallback: {after: 100ms}", service: func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					<-r.Context().Done()
				}})
				req, _ := http.NewRequest("PUT", "http://"+tr.address+"/api/orders/1", strings.NewReader("a bike"))
				req.Header.Set("X-User", "alice")
				res, err := browser(t, from, nil).Do(req)
				if err != nil {
					t.Fatal(err)
				}
				text, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if v := tr.wait(); string(text) != "well" || v.fallback != "timeout" || v.facts != served|slow|healed {
					t.Errorf("%d %q, fallback %q, facts %v", res.StatusCode, text, v.fallback, v.facts.names())
				}
			})
		}
	}
}

// What a client breaks off says nothing, on either side.
func TestWhatAClientBreaksOffSaysNothing(t *testing.T) {
	for _, protocol := range []string{"http1", "http2"} {
		for side, stage := range map[string]migrations.Stage{"service": migrations.Live, "monolith": migrations.Off} {
			for name, leave := range map[string]func(tr *trial, asked <-chan struct{}){
				"half a body": func(tr *trial, asked <-chan struct{}) {
					c := tr.dial("GET", "Content-Length: 10")
					_, _ = io.WriteString(c, "12345")
					<-asked
					time.Sleep(1100 * time.Millisecond)
					c.Close()
				},
				"half a chunk": func(tr *trial, asked <-chan struct{}) {
					c := tr.dial("POST", "Transfer-Encoding: chunked")
					_, _ = io.WriteString(c, "a\r\n12345")
					<-asked
					c.Close()
				},
				"while it waits": func(tr *trial, asked <-chan struct{}) {
					c := tr.dial("GET")
					<-asked
					time.Sleep(1100 * time.Millisecond)
					c.Close()
				},
				"while it waits over HTTP/2": func(tr *trial, asked <-chan struct{}) {
					ctx, cancel := context.WithCancel(tr.Context())
					req, _ := http.NewRequestWithContext(ctx, "POST", "http://"+tr.address+"/api/orders/1", strings.NewReader("a bike"))
					req.Header.Set("X-User", "alice")
					go func() {
						<-asked
						cancel()
					}()
					if _, err := browser(tr, "h2c", nil).Do(req); err == nil {
						tr.Error("it got an answer")
					}
				},
			} {
				t.Run(name+" to the "+side+" over "+protocol, func(t *testing.T) {
					t.Parallel()
					asked := make(chan struct{}, 4)
					hang := func(w http.ResponseWriter, r *http.Request) {
						asked <- struct{}{}
						_, _ = io.Copy(io.Discard, r.Body)
						<-r.Context().Done()
					}
					tr := try(t, setup{stage: stage, protocol: protocol, service: hang, legacy: hang})
					leave(tr, asked)
					if v := tr.wait(); v.facts != 0 || v.failed != 0 {
						t.Errorf("facts %v, %d tallied as failed", v.facts.names(), v.failed)
					}
					counts := tr.gateway.Evidence("orders")
					c := counts.Cells[""]
					if c.Requests().Sum() != 0 || len(c.Bad) != 0 || c.Harm != 0 || c.Clean() != 0 {
						t.Errorf("counted: %+v", c)
					}
					for side := range counts.Burn {
						if rate := counts.Burn[side].Rate(time.Hour, evidence.Objective, time.Now()); rate != 0 {
							t.Errorf("it burns the budget %v times", rate)
						}
					}
				})
			}
		}
	}
}

// A server gives up a client that is silent in the middle of its request: that
// is the client's doing. If the client is still sending, it is the server's.
func TestASideThatEndsARequestEarly(t *testing.T) {
	end := map[string]http.HandlerFunc{
		"with a status": early(http.StatusRequestTimeout),
		"with an error": early(http.StatusInternalServerError),
		"with a reset":  early(0),
	}
	for _, protocol := range []string{"http1", "http2"} {
		for name, answer := range end {
			for _, silent := range []bool{false, true} {
				t.Run(name+" over "+protocol+map[bool]string{false: " at once", true: " after a silence"}[silent], func(t *testing.T) {
					t.Parallel()
					service := func(w http.ResponseWriter, r *http.Request) {
						_, _ = io.ReadFull(r.Body, make([]byte, 5))
						if silent {
							time.Sleep(clientPause + 200*time.Millisecond)
						}
						answer(w, r)
					}
					tr := try(t, setup{protocol: protocol, route: ", fallback: {off: true}", service: service})
					c := tr.dial("POST", "Content-Length: 10")
					_, _ = io.WriteString(c, "12345")
					_ = tr.answer(c)
					c.Close()
					v := tr.wait()
					if said := v.facts != 0; said == silent || v.took != 0 || v.whole != 0 {
						t.Errorf("class %v, facts %v, first byte after %v", v.class, v.facts.names(), v.took)
					}
				})
			}
		}
	}
}

// An answer that begins before the end of the request says nothing of latency.
func TestAnEarlyAnswerIsNotTimed(t *testing.T) {
	for _, protocol := range []string{"http1", "http2"} {
		tr := try(t, setup{protocol: protocol, migration: guarded, tau: time.Millisecond, service: early(http.StatusForbidden)})
		c := tr.dial("POST", "Transfer-Encoding: chunked")
		_, _ = io.WriteString(c, "5\r\n12345\r\n")
		if status := tr.answer(c); status != http.StatusForbidden {
			t.Errorf("%s: status %d", protocol, status)
		}
		if v := tr.wait(); v.took != 0 || v.whole != 0 || v.class != evidence.ClassDenied || v.facts&(slow|told) != 0 {
			t.Errorf("%s: %+v, facts %v", protocol, v, v.facts.names())
		}
	}
}

// The time for a request as a whole is used up by whom it is used up by.
func TestWhoUsesUpTheTimeForARequest(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	for _, protocol := range []string{"http1", "http2"} {
		for name, c := range map[string]struct {
			service http.HandlerFunc
			timeout string
			client  func(tr *trial)
			facts   facts
		}{
			"the service":                 {service: hang, client: func(tr *trial) { tr.do("POST", strings.NewReader("a bike")) }, facts: served | timedOut | harmed},
			"the service without a body":  {service: hang, client: func(tr *trial) { tr.do("GET", nil) }, facts: served | timedOut | harmed},
			"a client that still uploads": {service: hang, client: func(tr *trial) { _, _ = io.WriteString(tr.dial("POST", "Content-Length: 10"), "12345") }},
			"a client that uploads for most of it": {service: hang, client: func(tr *trial) {
				c := tr.dial("POST", "Content-Length: 10")
				_, _ = io.WriteString(c, "12345")
				time.Sleep(700 * time.Millisecond)
				_, _ = io.WriteString(c, "67890")
			}},
			"a service that does not read": {service: unread, client: func(tr *trial) {
				_ = tr.do("POST", bytes.NewReader(make([]byte, 32<<20)))
			}, facts: served | timedOut | harmed},
			"a client that does not take the answer": {
				service: func(w http.ResponseWriter, r *http.Request) {
					for block := make([]byte, 1<<20); ; {
						if _, err := w.Write(block); err != nil {
							return
						}
					}
				},
				client: func(tr *trial) {
					c := tr.dial("GET")
					time.Sleep(1300 * time.Millisecond)
					_, _ = io.Copy(io.Discard, c)
				},
			},
			"a service whose answer stops": {service: func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "half")
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			}, client: func(tr *trial) { tr.do("GET", nil) }, facts: served | timedOut | harmed},
		} {
			t.Run(name+" over "+protocol, func(t *testing.T) {
				t.Parallel()
				tr := try(t, setup{protocol: protocol, route: ", timeout: 1s, fallback: {off: true}", limits: "limits: {body_silence: 10s}", service: c.service})
				c.client(tr)
				if v := tr.wait(); v.facts != c.facts {
					t.Errorf("class %v, facts %v, want %v", v.class, v.facts.names(), c.facts.names())
				}
			})
		}
	}
}

// A write that stalls since the service does not read is the service's.
func TestAnUploadThatTheServiceDoesNotTake(t *testing.T) {
	for _, protocol := range []string{"http1", "http2"} {
		tr := try(t, setup{
			protocol: protocol, route: ", fallback: {off: true}", timeout: "{response: 10s, idle: 300ms}",
			service: unread,
		})
		_ = tr.do("POST", bytes.NewReader(make([]byte, 32<<20)))
		if v := tr.wait(); v.class != evidence.ClassTimeout || v.facts != served|timedOut|harmed {
			t.Errorf("%s: class %v, facts %v", protocol, v.class, v.facts.names())
		}
	}
}

// The last byte is waited for, wherever the answer pauses.
func TestTheWholeAnswerIsTimed(t *testing.T) {
	const pause = 300 * time.Millisecond
	for _, protocol := range []string{"http1", "http2"} {
		begun := make(chan struct{})
		tr := try(t, setup{protocol: protocol, service: func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "at once")
			w.(http.Flusher).Flush()
			<-begun
			time.Sleep(pause)
			_, _ = io.WriteString(w, ", and much later")
		}})
		req, _ := http.NewRequest("GET", "http://"+tr.address+"/api/orders/1", nil)
		req.Header.Set("X-User", "alice")
		res, err := browser(t, "h1", nil).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		close(begun) // the gateway has passed the head on, and waits
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if v := tr.wait(); string(text) != "at once, and much later" || v.took == 0 || v.whole-v.took < pause/2 || v.whole > v.total {
			t.Errorf("%s: %q, first byte after %v, last after %v of %v", protocol, text, v.took, v.whole, v.total)
		}
	}
}

// A tardy takes its time over what it is written.
type tardy struct {
	*httptest.ResponseRecorder
	pause time.Duration
	spent time.Duration
}

func (w *tardy) Write(p []byte) (int, error) {
	start := time.Now()
	time.Sleep(w.pause)
	w.spent += time.Since(start)
	return w.ResponseRecorder.Write(p)
}

func TestTheClientsTimeIsNotTheServices(t *testing.T) {
	for _, protocol := range []string{"http1", "http2"} {
		tr := try(t, setup{protocol: protocol, service: func(w http.ResponseWriter, r *http.Request) {
			for range 4 {
				_, _ = w.Write(make([]byte, 1<<10))
				w.(http.Flusher).Flush()
			}
		}})
		w := &tardy{ResponseRecorder: httptest.NewRecorder(), pause: 100 * time.Millisecond}
		req := httptest.NewRequest("GET", "/api/orders/1", nil)
		req.Header.Set("X-User", "alice")
		tr.gateway.ServeHTTP(w, req)
		if v := tr.wait(); v.whole == 0 || v.whole > v.total-w.spent {
			t.Errorf("%s: the last byte after %v of %v, and %v were the client's", protocol, v.whole, v.total, w.spent)
		}
	}
}

// A client that takes long over an answer does not make the upstream silent.
func TestASlowReaderIsNotTheUpstreamsSilence(t *testing.T) {
	service := rawUpstream(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		for i := range 4 {
			if i == 0 {
				_, _ = io.WriteString(c, tell("200 OK", "Content-Length: 160000"))
			}
			_, _ = c.Write(make([]byte, 40_000))
		}
		silent(c)
	})
	tr := tryURLs(t, setup{timeout: "{response: 10s, idle: 200ms}"}, serving(t, nil), service)
	w := &tardy{ResponseRecorder: httptest.NewRecorder(), pause: 400 * time.Millisecond}
	req := httptest.NewRequest("GET", "/api/orders/1", nil)
	req.Header.Set("X-User", "alice")
	tr.gateway.ServeHTTP(w, req)
	if v := tr.wait(); v.class != evidence.ClassOK || v.err != "" || w.Body.Len() != 160_000 {
		t.Errorf("%v (%s) after %d bytes", v.class, v.err, w.Body.Len())
	}
}

func TestFirstByteTimer(t *testing.T) {
	begin := func(limit time.Duration, again bool, body io.Reader, room bool) (*firstByteTimer, context.Context) {
		timer := &firstByteTimer{room: func() bool { return room }}
		ctx, cancel := context.WithCancelCause(t.Context())
		rec := &record{}
		rec.outgoing.Body = body
		timer.begin(rec, limit, again, cancel)
		return timer, ctx
	}
	const soon, never = time.Millisecond, time.Hour
	body := strings.NewReader("a bike")
	t.Run("it gives up", func(t *testing.T) {
		timer, ctx := begin(soon, true, nil, true)
		<-ctx.Done()
		if gaveUp, reusable := timer.end(); !gaveUp || reusable || context.Cause(ctx) != errNoFirstByte {
			t.Error(gaveUp, reusable, context.Cause(ctx))
		}
	})
	t.Run("it is used again", func(t *testing.T) {
		timer, ctx := begin(never, true, nil, true)
		timer.connected()
		timer.sent()
		if gaveUp, reusable := timer.end(); gaveUp || !reusable || ctx.Err() != nil {
			t.Error(gaveUp, reusable, ctx.Err())
		}
	})
	for name, c := range map[string]struct {
		again bool
		body  io.Reader
	}{"a write": {false, nil}, "a body that is not kept": {true, body}, "a write with a body": {false, body}} {
		t.Run(name+" is not given up once it is sent", func(t *testing.T) {
			timer, ctx := begin(50*time.Millisecond, c.again, c.body, true)
			timer.connected()
			timer.sent()
			if ctx.Err() != nil {
				t.Skip("the machine is too slow to tell")
			}
			time.Sleep(150 * time.Millisecond)
			if gaveUp, reusable := timer.end(); gaveUp || !reusable || ctx.Err() != nil {
				t.Error(gaveUp, reusable, ctx.Err())
			}
		})
	}
	t.Run("without room nothing is given up", func(t *testing.T) {
		timer, ctx := begin(soon, true, nil, false)
		time.Sleep(50 * time.Millisecond)
		if gaveUp, _ := timer.end(); gaveUp || ctx.Err() != nil {
			t.Error(gaveUp, ctx.Err())
		}
	})
}

// BenchmarkOutcome is what it costs to time and to class a request.
func BenchmarkOutcome(b *testing.B) {
	rec, res := outcomeOf(b)
	b.ReportAllocs()
	for b.Loop() {
		outcome(rec, res)
	}
}

func TestAnOutcomeIsNotAllocated(t *testing.T) {
	rec, res := outcomeOf(t)
	if n := testing.AllocsPerRun(100, func() { outcome(rec, res) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func outcomeOf(t testing.TB) (*record, *upstream.Response) {
	var bs books
	bs.init("bench", 1)
	c := &cell{book: bs.of("orders"), test: 1, epoch: 1, share: 5000, links: &links{}}
	c.limits.slowest, c.limits.by[evidence.Modern][evidence.FirstByteP99] = time.Hour, time.Hour
	rec := &record{cell: c, route: &route{Route: &routes.Route{}, plan: &migrations.Plan{}, book: c.book}}
	rec.Side, rec.Start, rec.outgoing.Method = migrations.Modern, time.Now(), "GET"
	return rec, &upstream.Response{Status: 200, Header: http.Header{"Content-Type": {"application/grpc"}, "Grpc-Status": {"5"}}}
}

func outcome(rec *record, res *upstream.Response) {
	rec.begins()
	rec.clock.Sending()
	rec.clock.Sent()
	rec.answers(context.Background(), res, nil)
	rec.ends(res, true, 0)
	if rec.facts() == 0 || rec.class != evidence.ClassGRPC || rec.whole == 0 || rec.network() != 0 {
		panic("it says nothing")
	}
}
