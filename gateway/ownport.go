package gateway

import (
	"net"
	"net/http"
	"strings"

	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/legacy"
)

// ownPort translates the redirects of an application that was asked by the
// client's Host but writes the port that it listens on behind the name, as
// nginx does: nobody outside reaches it there. Cookies know no ports.
func (rec *record) ownPort(from http.Header, e *upstream.Endpoint) {
	location, content, refresh := from["Location"], from["Content-Location"], from["Refresh"]
	if location == nil && content == nil && refresh == nil || rec.outgoing.Host != rec.Host {
		return
	}
	_, port, err := net.SplitHostPort(e.Host())
	if err != nil {
		return // a unix socket has none
	}
	name := rec.Host
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	view := legacy.View{
		ClientScheme: rec.peer.scheme, ClientHost: rec.peer.host,
		UpstreamScheme: e.Scheme(), UpstreamHost: net.JoinHostPort(strings.Trim(name, "[]"), port),
	}
	if !view.Differs() {
		return
	}
	for _, lines := range [...][]string{location, content} {
		for i, line := range lines {
			lines[i], _ = view.URL(line)
		}
	}
	for i, line := range refresh {
		refresh[i], _ = view.Refresh(line)
	}
}
