package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// Connecting includes TLS, so an endpoint that takes the connection and says
// nothing is given up by timeout.connect.
func TestConnectTimeout(t *testing.T) {
	up := rawUpstream(t, silent) // takes the connection, but never the TLS handshake
	g, journal := gatewayWithJournal(t, before(strings.Replace(up, "http", "https", 1), "timeout: {connect: 100ms}", "tls: {insecure: true}"))
	start := time.Now()
	status, _ := get(t, "http://"+listen(t, g, routes.Listener{}))
	if status != 504 || time.Since(start) > 5*time.Second {
		t.Errorf("%d after %v", status, time.Since(start))
	}
	if e := journal.wait(t, 1)[0]; e.Err != "connect_timeout" {
		t.Errorf("%+v", e)
	}
}

// An answer that stops coming is broken off after timeout.idle of silence,
// but one that comes slowly is not.
func TestIdleTimeoutMeasuresSilence(t *testing.T) {
	for name, stops := range map[string]bool{"stops": true, "slow": false} {
		up := rawUpstream(t, func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
				return
			}
			_, _ = io.WriteString(conn, tell("200 OK", "Content-Length: 20"))
			for i := range 20 {
				if stops && i == 5 {
					silent(conn)
					return
				}
				time.Sleep(50 * time.Millisecond)
				_, _ = io.WriteString(conn, "x")
			}
			silent(conn)
		})
		g, journal := gatewayWithJournal(t, before(up, "timeout: {idle: 400ms, response: 400ms}"))
		res, err := browser(t, "h1", nil).Get("http://" + listen(t, g, routes.Listener{}))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if stops && (err == nil || len(body) != 5) || !stops && (err != nil || len(body) != 20) {
			t.Errorf("%s: %q, %v", name, body, err)
		}
		if e := journal.wait(t, 1)[0]; stops && e.Err != "timeout" || !stops && e.Err != "" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// A client that does not take its answer is given up, and the upstream with it.
func TestSlowClientIsBounded(t *testing.T) {
	done := make(chan struct{})
	up := rawUpstream(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		_, _ = io.WriteString(conn, tell("200 OK"))
		block := make([]byte, 1<<20)
		for {
			if _, err := conn.Write(block); err != nil {
				close(done)
				return
			}
		}
	})
	g := gatewayOf(t, "limits: {body_silence: 200ms}\n"+before(up))
	conn, err := net.Dial("tcp", listen(t, g, routes.Listener{}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, ask("GET /"))
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("the upstream still sends")
	}
}
