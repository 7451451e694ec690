package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// TestUpgradedConnectionsAtARollback: whoever has one keeps it, unless the
// plan has them closed; nobody's is touched who is on the monolith.
func TestUpgradedConnectionsAtARollback(t *testing.T) {
	defer func(d time.Duration) { leaving = d }(leaving)
	leaving = 50 * time.Millisecond
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, buffered, _ := w.(http.Hijacker).Hijack()
		defer c.Close()
		fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(c, buffered)
	}))
	defer echo.Close()
	for name, c := range map[string]struct {
		rollback string
		roll     func(*Gateway)
		closed   bool
	}{
		"kept":            {"", rollBack, false},
		"closed":          {", rollback: {upgraded: close}", rollBack, true},
		"closed by trip":  {", rollback: {upgraded: close}", func(g *Gateway) { g.Trip("orders", EveryCell) }, true},
		"a forward shift": {", rollback: {upgraded: close}", forward, false},
	} {
		t.Run(name, func(t *testing.T) {
			url, g := migrating(t, echo.URL, echo.URL, migrations.Live, c.rollback, "")
			open := func(path string) (net.Conn, *bufio.Reader) {
				conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { conn.Close() })
				_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
				fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: shop\r\nX-User: alice\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", path)
				in := bufio.NewReader(conn)
				if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
					t.Fatalf("%v, %v", res, err)
				}
				return conn, in
			}
			service, fromService := open("/api/orders/echo")
			monolith, fromMonolith := open("/echo")
			c.roll(g)
			time.Sleep(2 * leaving)
			fmt.Fprintln(monolith, "hello")
			if line, err := fromMonolith.ReadString('\n'); err != nil || line != "hello\n" {
				t.Errorf("the monolith's connection: %q, %v", line, err)
			}
			fmt.Fprintln(service, "hello")
			if line, err := fromService.ReadString('\n'); (err != nil) != c.closed {
				t.Errorf("the service's connection: %q, %v", line, err)
			}
		})
	}
}

func rollBack(g *Gateway) { move(g, migrations.All(migrations.Off), true) }
func forward(g *Gateway)  { move(g, migrations.All(migrations.RampDown), false) }

func move(g *Gateway, to migrations.Split, back bool) {
	s := g.Snapshot().State
	m := s.Migrations["orders"]
	m.Seq++
	m.Split, m.RolledBack = to, back
	g.Apply(migrations.State{Seq: s.Seq + 1, Migrations: map[string]migrations.Migration{"orders": m}})
}
