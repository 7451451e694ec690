package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/routes"
)

// A trial is a gateway in front of two applications, with every request on one
// side. It keeps what each request said.
type trial struct {
	*testing.T
	address string
	gateway *Gateway
	said    chan verdict
}

// A verdict is what a request has said when it ended.
type verdict struct {
	class       evidence.Class
	facts       facts
	took, whole time.Duration
	total       time.Duration
	bothFailed  bool
	status      int
	err         upstream.Kind
	fallback    string
	failed      uint64 // of the side, by the tally
}

// The facts that say how a request went.
const outcomeFacts = served | failed | timedOut | slow | told | harmed | healed | broke | inVain

var factNames = []struct {
	fact facts
	name string
}{{served, "served"}, {failed, "failed"}, {timedOut, "timedOut"}, {slow, "slow"}, {told, "told"}, {harmed, "harmed"}, {healed, "healed"}, {broke, "broke"}, {inVain, "inVain"}}

func (f facts) names() (names []string) {
	for _, n := range factNames {
		if f&n.fact != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

// A setup says what a trial is made of.
type setup struct {
	stage           migrations.Stage // default: live
	protocol        string           // of both upstreams; default: http1
	migration       string           // more lines of it
	route           string           // more of the route
	timeout         string           // of both upstreams
	limits          string
	tau             time.Duration
	service, legacy http.HandlerFunc
}

// serving starts an application that speaks HTTP/1.1 and HTTP/2.
func serving(t testing.TB, handler http.HandlerFunc) string {
	if handler == nil {
		handler = func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, "well")
		}
	}
	s := httptest.NewUnstartedServer(handler)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

func try(t *testing.T, s setup) *trial {
	t.Helper()
	return tryURLs(t, s, serving(t, s.legacy), serving(t, s.service))
}

func tryURLs(t *testing.T, s setup, legacy, service string) *trial {
	t.Helper()
	if s.stage == "" {
		s.stage = migrations.Live
	}
	if s.protocol == "" {
		s.protocol = "http1"
	}
	if s.timeout == "" {
		s.timeout = "{response: 20s}"
	}
	table := tableOf(t, fmt.Sprintf(`
%s
trusted_proxies: [127.0.0.1/32]
upstreams:
  monolith: {url: "%s", protocol: %s, timeout: %s}
  orders: {url: "%s", protocol: %s, timeout: %s}
migrations:
  orders: {from: monolith, to: orders, key: [header:X-User], data: shared, writes: follow, compare: {sample: 0%%}%s}
routes:
  - {path: /api/orders/*, migration: orders%s}
  - {path: /*, upstream: monolith}
`, s.limits, legacy, s.protocol, s.timeout, service, s.protocol, s.timeout, s.migration, s.route))
	assigner, err := flags.New(flags.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := migrations.Migration{ID: "orders", From: "monolith", To: "orders", Seq: 2, Epoch: 2, Split: migrations.All(s.stage)}
	m.Test, m.K = 2, 1
	m.Taus[evidence.FirstByteP99] = s.tau
	g, err := New(Options{Table: table, Assigner: assigner, State: migrations.State{Seq: 2, Migrations: map[string]migrations.Migration{"orders": m}}})
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{T: t, gateway: g, said: make(chan verdict, 16)}
	g.ended = func(rec *record) {
		v := verdict{
			class: rec.class, facts: rec.facts() & outcomeFacts, took: rec.took, whole: rec.whole, total: rec.Total,
			bothFailed: rec.bothFailed, status: rec.firstStatus, err: rec.firstErr, fallback: rec.Fallback,
		}
		c := g.Counts("orders")
		v.failed = c.ModernFailed + c.LegacyFailed
		tr.said <- v
	}
	t.Cleanup(func() {
		g.Close(t.Context())
		assigner.Close()
	})
	tr.address = listen(t, g, routes.Listener{H2C: true})
	return tr
}

// wait returns what the next request says that ends.
func (tr *trial) wait() verdict {
	tr.Helper()
	select {
	case v := <-tr.said:
		return v
	case <-time.After(20 * time.Second):
		tr.Fatal("the request has not ended")
		panic("not reached")
	}
}

// do asks for something and returns the status; 0 if there was no whole answer.
func (tr *trial) do(method string, body io.Reader) int {
	tr.Helper()
	req, err := http.NewRequest(method, "http://"+tr.address+"/api/orders/1", body)
	if err != nil {
		tr.Fatal(err)
	}
	req.Header.Set("X-User", "alice")
	res, err := browser(tr, "h1", nil).Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return 0
	}
	return res.StatusCode
}

// dial sends the head of a request by hand.
func (tr *trial) dial(line string, fields ...string) net.Conn {
	tr.Helper()
	c, err := net.Dial("tcp", tr.address)
	if err != nil {
		tr.Fatal(err)
	}
	tr.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(c, ask(line+" /api/orders/1", append([]string{"X-User: alice"}, fields...)...))
	return c
}

// answer reads an answer by hand, and returns its status; 0 if there is none.
func (tr *trial) answer(c net.Conn) int {
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}
