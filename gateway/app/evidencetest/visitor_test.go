package evidencetest

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A call is one request of one user.
type call struct {
	key          string // in X-User; empty: without a key
	network      int    // from which it comes
	method, path string
	header       http.Header
	body         string

	// odd, if set, makes the request in its own way, over a connection of the
	// call's network to that address.
	odd func(ctx context.Context, dial func(context.Context) (net.Conn, error), number int, c call)
}

// visits say who comes to a gateway. The zero value is 4,000 users of 60
// networks who read.
type visits struct {
	seed     uint64
	users    int                                      // that there are; 0: 4,000
	networks int                                      // that they come from; 0: 60
	workers  int                                      // requests under way at once; 0: 8
	pause    time.Duration                            // of a worker between two requests; 0: 8 ms
	call     func(r *rand.Rand, n int, user int) call // what request n of a user asks; nil: [reads]
	grpc     bool                                     // by HTTP/2, without TLS
}

func (v visits) filled() visits {
	if v.users == 0 {
		v.users = 4000
	}
	if v.networks == 0 {
		v.networks = 60
	}
	if v.workers == 0 {
		v.workers = 8
	}
	if v.pause == 0 {
		v.pause = 8 * time.Millisecond
	}
	if v.call == nil {
		v.call = reads
	}
	return v
}

// reads is a GET of one of ten endpoints. One user of five has a telephone, one
// speaks German, one of ten tries what is new, and one of two is logged in.
func reads(r *rand.Rand, n, user int) call {
	path := endpoints[r.IntN(len(endpoints))]
	if strings.Contains(path, "%d") {
		path = fmt.Sprintf(path, r.IntN(50))
	}
	h := http.Header{"X-Device": {"desk"}, "Accept-Language": {"en"}}
	if user%5 == 0 {
		h.Set("X-Device", "telephone")
	}
	if user%5 == 1 {
		h.Set("Accept-Language", "de")
	}
	if user%10 == 2 {
		h.Set("X-Group", "early")
		h.Add("Cookie", "beta=1")
	}
	if user%2 == 1 {
		h.Add("Cookie", "session=abc")
	}
	return call{key: fmt.Sprintf("user %d", user), method: http.MethodGet, path: path, header: h}
}

// with gives a share of the requests another method.
func with(share float64, method string) func(*rand.Rand, int, int) call {
	return func(r *rand.Rand, n, user int) call {
		c := reads(r, n, user)
		if r.Float64() < share {
			c.method = method
			if method == http.MethodPost {
				c.path, c.body = "/shop/orders", `{"item": 7}`
			}
		}
		return c
	}
}

// rings is a call of a gRPC service.
func rings(r *rand.Rand, n, user int) call {
	c := reads(r, n, user)
	c.method, c.path, c.body = http.MethodPost, "/shop.Orders/Get", "\x00\x00\x00\x00\x02hi"
	c.header.Set("Content-Type", "application/grpc")
	c.header.Set("Te", "trailers")
	return c
}

// A street is the way from the users to a gateway: each network has a source
// address of its own.
type street struct {
	gateway string // host:port
	grpc    bool
	mu      sync.Mutex // guards clients
	clients map[int]*http.Client
}

func (s *street) dial(network int) func(context.Context) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1+byte(network/250), 1+byte(network%250), 1)}}
	return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", s.gateway) }
}

func (s *street) client(network int) *http.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.clients[network]; c != nil {
		return c
	}
	dial := s.dial(network)
	tr := &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		DisableCompression: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute,
	}
	if s.grpc {
		tr.Protocols = new(http.Protocols)
		tr.Protocols.SetUnencryptedHTTP2(true)
	}
	c := &http.Client{Transport: tr, Timeout: 60 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if s.clients == nil {
		s.clients = make(map[int]*http.Client)
	}
	s.clients[network] = c
	return c
}

func (s *street) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		c.CloseIdleConnections()
	}
}

// ask makes a request and reports whether its user got a good answer.
func (s *street) ask(ctx context.Context, number int, c call) bool {
	if c.odd != nil {
		c.odd(ctx, s.dial(c.network), number, c)
		return true
	}
	req, err := http.NewRequestWithContext(ctx, c.method, "http://"+s.gateway+c.path, strings.NewReader(c.body))
	if err != nil {
		panic(err)
	}
	if c.body == "" {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	req.Header.Set("X-Number", fmt.Sprint(number))
	if c.key != "" {
		req.Header.Set("X-User", c.key)
	}
	res, err := s.client(c.network).Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode < 400
}

// Traffic is requests under way. Those that are over have their times in done.
type traffic struct {
	next  atomic.Int64 // number of the next request
	limit int64
	bad   atomic.Int64 // requests whose user got no good answer
	mu    sync.Mutex   // guards done
	done  []time.Time  // when each request was over
	gone  sync.WaitGroup
}

// send makes requests, from number from on, until there are as many as limit or
// ctx ends.
func (s *street) send(ctx context.Context, v visits, from, limit int) *traffic {
	v = v.filled()
	t := &traffic{limit: int64(from + limit)}
	t.next.Store(int64(from))
	for range v.workers {
		t.gone.Go(func() {
			for ctx.Err() == nil {
				n := t.next.Add(1) - 1
				if n >= t.limit {
					return
				}
				r := rand.New(rand.NewPCG(v.seed, uint64(n)))
				user := r.IntN(v.users)
				c := v.call(r, int(n), user)
				if c.network == 0 {
					c.network = 1 + user%v.networks
				}
				good := s.ask(ctx, int(n), c)
				if ctx.Err() != nil {
					return
				}
				if !good {
					t.bad.Add(1)
				}
				t.mu.Lock()
				t.done = append(t.done, time.Now())
				t.mu.Unlock()
				time.Sleep(v.pause)
			}
		})
	}
	return t
}

// by returns how many requests were over at a time.
func (t *traffic) by(at time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, d := range t.done {
		if !d.After(at) {
			n++
		}
	}
	return n
}

// over is closed when all requests are.
func (t *traffic) over() <-chan struct{} {
	out := make(chan struct{})
	go func() { t.gone.Wait(); close(out) }()
	return out
}
