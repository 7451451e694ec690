package upstream

import "net/http"

// A Tunnel is the connection to an endpoint after the protocol has changed.
type Tunnel struct{ x *exchange }

// tunnel gives the connection away: neither timeouts nor the end of the
// request's context concern it any more.
func (x *exchange) tunnel() *Tunnel {
	x.switched = true
	x.unhook()
	x.c.begin(phaseBody+1, 0)
	_ = x.c.SetWriteDeadline(noTime)
	return &Tunnel{x}
}

// Status returns the status line's text after the version, such as "101 Switching Protocols".
func (t *Tunnel) Status() string { return t.x.res.Status }

// Header returns the header of the answer that opened the tunnel, hop-by-hop fields included.
func (t *Tunnel) Header() http.Header { return t.x.res.Header }

// Read reads what the endpoint sends.
func (t *Tunnel) Read(p []byte) (int, error) { return t.x.c.br.Read(p) }

// Write sends p to the endpoint.
func (t *Tunnel) Write(p []byte) (int, error) { return t.x.c.Conn.Write(p) }

// CloseWrite tells the endpoint that no more will come.
func (t *Tunnel) CloseWrite() error {
	if cw, ok := t.x.c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return t.Close()
}

// Close closes the connection.
func (t *Tunnel) Close() error {
	t.x.abandon()
	return nil
}
