package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// TestDefinitionsInAFileDecide: an edit of the file moves people, is an event,
// and a bad edit changes nothing.
func TestDefinitionsInAFileDecide(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "flags.json")
	replace(t, file, sharing(`["shadow", 100]`))
	r, err := tryStart(t, dir, fmt.Sprintf(byFlags, "file:flags.json", named(t, "monolith"), named(t, "orders")))
	if err != nil {
		t.Fatal(err)
	}
	client := browser(t)
	eventually(t, "the flag is in the log", func() bool { return r.orders().Split == "shadow=100%" })
	if n := r.modern(client, 50); n != 0 {
		t.Errorf("in shadow the service answers %d users", n)
	}

	replace(t, file, sharing(`["live", 30], ["shadow", 70]`))
	eventually(t, "the edit is in the log", func() bool { return r.orders().Split == "live=30% shadow=70%" })
	if n := r.modern(client, 400); n < 80 || n > 160 {
		t.Errorf("at 30%% the service answers %d of 400", n)
	}
	if n := r.sideOf(client, ""); n != "monolith" {
		t.Errorf("somebody without a key is answered by %s", n)
	}
	m := r.orders()
	if f := m.Flags; f == nil || f.Source != "file:"+file || f.Controls != dashboard.ControlsShare || f.Version == "" {
		t.Errorf("flags: %+v", f)
	}
	if events := r.flagged(); len(events) != 2 || events[1].Split != "live=30% shadow=70%" || events[1].Source != "file:"+file || events[1].Version != m.Flags.Version {
		t.Errorf("events: %+v", events)
	}
	state, err := r.client.State(t.Context())
	if err != nil || state.Flags == nil || !state.Flags.OK || state.Flags.Source != "file:"+file {
		t.Errorf("%+v, %v", state.Flags, err)
	}

	replace(t, file, `{"flags": {`)
	eventually(t, "the bad edit is known", func() bool {
		ready, err := r.client.Ready(t.Context())
		i := slices.IndexFunc(ready.Checks, func(c dashboard.Check) bool { return c.Name == "flags" })
		return err == nil && ready.Ready && i >= 0 && !ready.Checks[i].OK && strings.Contains(ready.Checks[i].Detail, "not JSON")
	})
	if n := r.modern(client, 400); n < 80 || n > 160 {
		t.Errorf("after a bad edit the service answers %d of 400", n)
	}
	metrics, err := read(http.DefaultClient, r.admin+"/metrics")
	if err != nil || !strings.Contains(metrics, `ficus_flags_source_up{source="file:`+file+`"} 0`) || !strings.Contains(metrics, "ficus_flags_refused_total 1") {
		t.Errorf("metrics: %v\n%s", err, metrics)
	}

	replace(t, file, sharing(`["live", 30], ["shadow", 70]`)) // blank space apart, what it was
	eventually(t, "it is good again", func() bool { s, _ := r.client.State(t.Context()); return s.Flags != nil && s.Flags.OK })
	if events := r.flagged(); len(events) != 2 {
		t.Errorf("what says nothing new is an event: %+v", events)
	}

	replace(t, file, `{"flags": {}}`)
	eventually(t, "a flag that is gone", func() bool { return r.orders().Split == "off=100%" })
	if n := r.modern(client, 50); n != 0 {
		t.Errorf("without the flag the service answers %d", n)
	}
}

// TestDefinitionsBehindAURL: they are polled with their ETag and the token, the
// last good ones are kept on disk, and without any nobody moves.
func TestDefinitionsBehindAURL(t *testing.T) {
	t.Parallel()
	var definition atomic.Value
	var down atomic.Bool
	definition.Store(sharing(`["live", 100]`))
	var mu sync.Mutex
	var statuses []int
	source := serve(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		status, text := 200, definition.Load().(string)
		etag := fmt.Sprintf("%q", text[len(text)-20:])
		switch {
		case q.Header.Get("Authorization") != "Bearer s3cr3t-t0k3n":
			status = 401
		case down.Load():
			status = 503
		case q.Header.Get("If-None-Match") == etag:
			status = 304
		}
		mu.Lock()
		statuses = append(statuses, status)
		mu.Unlock()
		w.Header().Set("ETag", etag)
		w.WriteHeader(status)
		if status == 200 {
			io.WriteString(w, text)
		}
	}))
	dir := t.TempDir()
	config := fmt.Sprintf(byFlags, fmt.Sprintf("{source: %q, token: s3cr3t-t0k3n, interval: 1s}", source+"/flags.json?key=s3cr3t-t0k3n"), named(t, "monolith"), named(t, "orders"))
	r, err := tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	client := browser(t)
	eventually(t, "the flag is in the log", func() bool { return r.orders().Split == "live=100%" })
	eventually(t, "nothing is sent twice", func() bool { mu.Lock(); defer mu.Unlock(); return slices.Contains(statuses, 304) })
	if got := r.orders().Flags.Source; got != source+"/flags.json" {
		t.Errorf("the source is shown as %s", got)
	}

	down.Store(true)
	eventually(t, "the outage is known", func() bool { s, _ := r.client.State(t.Context()); return s.Flags != nil && !s.Flags.OK })
	if got := r.sideOf(client, "alice"); got != "orders" {
		t.Errorf("in an outage %s answers", got)
	}
	if err := r.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.log.String(), "s3cr3t") {
		t.Error("the log has the token")
	}

	r, err = tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.sideOf(client, "alice"); got != "orders" {
		t.Errorf("after a restart in an outage %s answers", got)
	}
	if err := r.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}

	if err := os.Remove(filepath.Join(dir, "ficus.flags.json")); err != nil {
		t.Fatal(err)
	}
	r, err = tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.sideOf(client, "alice"); got != "monolith" {
		t.Errorf("without anything known %s answers", got)
	}
	definition.Store(sharing(`["live", 90], ["shadow", 10]`))
	down.Store(false)
	eventually(t, "it goes on when the source is back", func() bool { return r.orders().Split == "live=90% shadow=10%" })
	text, err := json.Marshal(r.flagged())
	if err != nil || strings.Contains(string(text), "s3cr3t") {
		t.Errorf("%v, %s", err, text)
	}
}

// TestGatewaysRecordAChangeOnce: several gateways with the same definitions state
// a change once, and those that read different ones do not take turns.
func TestGatewaysRecordAChangeOnce(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "flags.json")
	replace(t, file, sharing(`["live", 10], ["off", 90]`))
	config := redis.together() + fmt.Sprintf(strings.TrimPrefix(byFlags, anywhere), "file:"+file, named(t, "monolith"), named(t, "orders"))
	var gateways []*running
	for range 3 {
		gateways = append(gateways, start(t, config))
	}
	for i, portions := range []string{`["live", 20], ["off", 80]`, `["live", 30], ["off", 70]`, `["live", 40], ["off", 60]`} {
		replace(t, file, sharing(portions))
		eventually(t, "all gateways have the change", func() bool {
			for _, g := range gateways {
				if g.orders().Split != fmt.Sprintf("live=%d%% off=%d%%", 20+10*i, 80-10*i) {
					return false
				}
			}
			return true
		})
	}
	settled := func(r *running) {
		seq := r.follower.State().Seq
		for range 20 {
			time.Sleep(20 * time.Millisecond)
			if now := r.follower.State().Seq; now != seq {
				t.Errorf("after event %d there is event %d, and nothing has changed", seq, now)
				return
			}
		}
	}
	settled(gateways[0])
	if events := gateways[0].flagged(); len(events) != 4 {
		t.Errorf("%d events for 4 definitions: %+v", len(events), events)
	}

	other := filepath.Join(t.TempDir(), "flags.json") // as while a rollout of the file is under way
	replace(t, other, sharing(`["live", 99], ["off", 1]`))
	odd := start(t, strings.Replace(config, "file:"+file, "file:"+other, 1))
	eventually(t, "the odd one has said its own", func() bool { return odd.orders().Split == "live=99% off=1%" })
	time.Sleep(300 * time.Millisecond)
	settled(gateways[0])
	if events := gateways[0].flagged(); len(events) != 5 {
		t.Errorf("gateways that differ take turns: %d events", len(events))
	}
}
