package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// How long things take on a stream.
const (
	streamWrite = 10 * time.Second // for a browser to take what it is sent
	heartbeat   = 15 * time.Second // of silence
	streamLife  = 10 * time.Minute // after which a browser has to connect anew
	lookAgain   = 2 * time.Second  // whether its session still stands
)

// stream sends a page's changes to a browser, as server-sent events: at first
// which process speaks, and then each part as it changes.
func (s *site) stream(w http.ResponseWriter, r *http.Request) {
	render, key := s.topic(r)
	if render == nil {
		http.Error(w, "no such page is kept up to date", http.StatusNotFound)
		return
	}
	t, leave, err := s.live.join(key, render)
	if err != nil {
		w.Header().Set("Retry-After", "30")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer leave()
	ctx, cancel := context.WithTimeout(r.Context(), streamLife)
	defer cancel()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // nothing more is to be read
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	send := func(format string, args ...any) bool {
		_ = control.SetWriteDeadline(time.Now().Add(streamWrite))
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	if !send("retry: 1000\nevent: hello\ndata: %q\n\n", s.live.instance) {
		return
	}
	quiet := time.NewTimer(heartbeat)
	defer quiet.Stop()
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for version := 0; ; {
		parts, now, changed := t.after(version)
		version = now
		for _, p := range parts {
			text, _ := json.Marshal(p) // a text has no line breaks in JSON
			if !send("event: part\ndata: %s\n\n", text) {
				return
			}
		}
		if len(parts) > 0 {
			quiet.Reset(heartbeat)
		}
		select {
		case <-changed:
		case <-quiet.C:
			if !send(": still here\n\n") {
				return
			}
			quiet.Reset(heartbeat)
		case <-look.C:
			if !dashboard.StillIs(r) {
				send("event: out\ndata: \"\"\n\n")
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
