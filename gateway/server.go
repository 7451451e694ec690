package gateway

import (
	"net"
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// Server returns the HTTP server that the gateway is meant to run in: what
// net/http would answer by itself it leaves to the upstreams, and its limits
// are the table's. Protocols beyond HTTP/1.1 are the listener's to allow.
func (g *Gateway) Server(l routes.Listener) *http.Server {
	limits := g.snapshot.Load().Table.Limits
	s := &http.Server{
		Handler:                      g,
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is the monolith's
		ReadHeaderTimeout:            limits.HeaderTime,
		IdleTimeout:                  limits.IdleTime,
		MaxHeaderBytes:               limits.HeaderBytes,
		ConnState:                    rested,
		Protocols:                    new(http.Protocols),
		ErrorLog:                     serverLog(g.log),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(len(l.TLS) > 0)
	s.Protocols.SetUnencryptedHTTP2(l.H2C)
	return s
}

// rested clears the write deadline of a connection between two requests. It
// is left on while net/http sends the end of an answer.
func rested(c net.Conn, s http.ConnState) {
	if s == http.StateIdle {
		_ = c.SetWriteDeadline(time.Time{})
	}
}
