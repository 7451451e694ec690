package flagd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/open-feature/go-sdk/openfeature"
)

// stage is a definition in which everybody is at a stage, and a flag that
// stays as it is.
func stage(name string) string {
	return fmt.Sprintf(`{"flags": {
		"orders": {"state": "ENABLED", "variants": {"off": "off", "shadow": "shadow", "live": "live"}, "defaultVariant": %q},
		"other":  {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on"}
	}}`, name)
}

// A followed is a provider that follows a source, and what it reports.
type followed struct {
	*Provider
	t       *testing.T
	reports chan Report
}

func follow(t *testing.T, from string, o Options) *followed {
	t.Helper()
	f := &followed{t: t, reports: make(chan Report, 100)}
	o.Report = func(r Report) { f.reports <- r }
	if o.quiet == 0 {
		o.quiet, o.longest, o.poll, o.fast = 20*time.Millisecond, 200*time.Millisecond, time.Hour, time.Hour
	}
	p, err := Open(context.Background(), from, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	f.Provider = p
	return f
}

// next waits for a report.
func (f *followed) next() Report {
	f.t.Helper()
	select {
	case r := <-f.reports:
		return r
	case <-time.After(10 * time.Second):
		f.t.Fatal("no report")
	}
	panic("unreachable")
}

// at fails unless everybody is at a stage.
func (f *followed) at(want string) {
	f.t.Helper()
	if e := f.Evaluate("orders", nil); e.Value != want {
		f.t.Fatalf("orders is %+v, want %s", e, want)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFileIsFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	write(t, path, stage("off"))
	f := follow(t, "file:"+path, Options{})
	if r := f.next(); !r.OK || r.Trigger != "start" || !slices.Equal(r.Changed, []string{"orders", "other"}) || r.Hash != f.Definition().Hash() {
		t.Fatalf("at the start %+v", r)
	}
	f.at("off")

	write(t, path, stage("shadow"))
	if r := f.next(); !r.OK || !slices.Equal(r.Changed, []string{"orders"}) || r.Trigger != "watch" || r.Hash != f.Definition().Hash() {
		t.Fatalf("after an edit %+v", r)
	}
	f.at("shadow")

	if err := replaceFile(path, []byte(stage("live"))); err != nil { // as an editor does
		t.Fatal(err)
	}
	f.next()
	f.at("live")
}

func TestBadEditKeepsTheLastGood(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	write(t, path, stage("live"))
	f := follow(t, "file:"+path, Options{})
	good := f.next().Hash
	for name, spoil := range map[string]func(){
		"cut off": func() { write(t, path, stage("off")[:40]) },
		"empty":   func() { write(t, path, "") },
		"gone": func() {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
		"no such variant": func() { write(t, path, stage("complete")) },
	} {
		spoil()
		r := f.next()
		if r.OK || r.Err == nil || r.Hash != good || len(r.Changed) > 0 {
			t.Fatalf("%s: %+v", name, r)
		}
		if last := f.Last(); last.OK || last.Err.Error() != r.Err.Error() {
			t.Fatalf("%s: the last report is %+v", name, last)
		}
		f.at("live")
		write(t, path, stage("live"))
		if r := f.next(); !r.OK || r.Hash != good || len(r.Changed) > 0 {
			t.Fatalf("%s, put right: %+v", name, r)
		}
	}
}

func TestConfigMapSwapIsSeen(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"off", "live"} {
		if err := os.Mkdir(filepath.Join(dir, ".."+version), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, ".."+version, "flags.json"), stage(version))
	}
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..off", "..data")
	link("..data/flags.json", "flags.json")
	f := follow(t, "file:"+filepath.Join(dir, "flags.json"), Options{})
	f.next()
	f.at("off")
	link("..live", "..data_tmp")
	if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	f.next()
	f.at("live")
}

// Where nothing can be watched, and where a watch misses something.
func TestFileIsPolledToo(t *testing.T) {
	unwatched := func() (*fsnotify.Watcher, error) { return nil, errors.New("no watches left") }
	for name, o := range map[string]Options{
		"unwatched": {quiet: time.Hour, longest: time.Hour, poll: time.Hour, fast: 20 * time.Millisecond, watch: unwatched},
		"missed":    {quiet: 20 * time.Millisecond, longest: time.Hour, poll: 20 * time.Millisecond, fast: time.Hour, watch: elsewhere},
	} {
		path := filepath.Join(t.TempDir(), "flags.json")
		write(t, path, stage("off"))
		f := follow(t, "file:"+path, o)
		trigger := f.next().Trigger
		for _, next := range []string{"shadow", "live"} { // the look at the start of following may see the first
			if err := replaceFile(path, []byte(stage(next))); err != nil {
				t.Fatal(err)
			}
			trigger = f.next().Trigger
			f.at(next)
		}
		if trigger != "poll" {
			t.Errorf("%s: the trigger is %q", name, trigger)
		}
	}
}

// elsewhere returns a watcher that tells of nothing.
func elsewhere() (*fsnotify.Watcher, error) {
	w, err := fsnotify.NewWatcher()
	if err == nil {
		w.Events = make(chan fsnotify.Event)
	}
	return w, err
}

func TestFileThatIsBadAtTheStartIsAnError(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "flags.json")
	write(t, path, "{")
	for from, want := range map[string]string{
		"file:" + path:                       path + ":1:2: is not JSON",
		"file:" + filepath.Join(dir, "gone"): "no such file",
		"file:" + dir:                        "no regular file",
		"file:":                              "has no path; write file:flags.json",
		"flags.json":                         `"flags.json" is no source of flagd definitions; write file:flags.json or https://host/flags.json`,
		"ftp://host/flags.json":              "is no source",
		"https://":                           "is no source",
	} {
		if _, err := Open(context.Background(), from, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", from, err, want)
		}
	}
	write(t, path, stage("off"))
	if _, err := Open(context.Background(), "file:"+path, Options{MaxBytes: 100}); err == nil || !strings.Contains(err.Error(), "has more than 100 bytes") {
		t.Errorf("a file that is too large: %v", err)
	}
}

// A host serves a definition, and remembers how it was asked.
type host struct {
	*httptest.Server
	mu       sync.Mutex // guards what follows
	text     string
	status   int // 0: 200
	asked    []*http.Request
	answered []int
}

func newHost(t *testing.T, text string) *host {
	h := &host{text: text}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.asked = append(h.asked, r)
		etag := fmt.Sprintf(`"%d-%d"`, len(h.text), strings.Count(h.text, "live"))
		status := http.StatusOK
		switch {
		case h.status != 0:
			status = h.status
		case r.Header.Get("If-None-Match") == etag:
			status = http.StatusNotModified
		}
		h.answered = append(h.answered, status)
		w.Header().Set("ETag", etag)
		w.WriteHeader(status)
		if status == http.StatusOK {
			_, _ = w.Write([]byte(h.text))
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *host) serve(text string, status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text, h.status = text, status
}

func TestURLIsPolledWithItsETag(t *testing.T) {
	h := newHost(t, stage("off"))
	f := follow(t, h.URL+"/flags.json", Options{Interval: 10 * time.Millisecond, Header: http.Header{"authorization": {"Bearer x"}}})
	f.next()
	f.at("off")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		h.mu.Lock()
		n := len(h.answered)
		h.mu.Unlock()
		if n > 4 || time.Now().After(deadline) {
			break
		}
	}
	h.serve(stage("live"), 0)
	if r := f.next(); !r.OK || !slices.Equal(r.Changed, []string{"orders"}) || r.Trigger != "poll" {
		t.Fatalf("after a change %+v", r)
	}
	f.at("live")
	f.Close()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asked[0].Header.Get("Authorization") != "Bearer x" || h.asked[0].Header.Get("If-None-Match") != "" {
		t.Errorf("first asked with %v", h.asked[0].Header)
	}
	sent := 0
	for _, status := range h.answered {
		if status == http.StatusOK {
			sent++
		}
	}
	if sent != 2 {
		t.Errorf("the definition was sent %d times: %v", sent, h.answered)
	}
}

func TestURLThatFailsKeepsTheLastGoodAndTellsOpenFeature(t *testing.T) {
	h := newHost(t, stage("live"))
	f := follow(t, h.URL+"/flags.json?token=secret", Options{Interval: 10 * time.Millisecond})
	f.next()
	events := make(chan string, 100)
	c := client(t, f.Provider)
	for _, kind := range []openfeature.EventType{openfeature.ProviderStale, openfeature.ProviderReady, openfeature.ProviderConfigChange} {
		handler := func(d openfeature.EventDetails) {
			events <- fmt.Sprintf("%s %v %t", kind, d.FlagChanges, d.EventMetadata["hash"] == f.Definition().Hash())
		}
		c.AddHandler(kind, &handler)
	}
	<-events // ready at once

	h.serve("", http.StatusInternalServerError)
	if r := f.next(); r.OK || !strings.Contains(r.Err.Error(), "the answer is 500 Internal Server Error") || strings.Contains(r.Err.Error(), "secret") {
		t.Fatalf("%+v", r)
	}
	if e := <-events; e != "PROVIDER_STALE [] true" {
		t.Errorf("then %s", e)
	}
	f.at("live")
	if got, err := c.StringValue(context.Background(), "orders", "off", openfeature.EvaluationContext{}); got != "live" || err != nil {
		t.Errorf("a stale provider answers %s, %v", got, err)
	}
	h.serve(`{"flags": "none"}`, 0)
	if r := f.next(); r.OK || !strings.Contains(r.Err.Error(), "/flags.json:1:11: /flags: is a string, not an object") {
		t.Fatalf("%+v", r)
	}
	h.serve(stage("off"), 0)
	if r := f.next(); !r.OK {
		t.Fatalf("%+v", r)
	}
	both := []string{<-events, <-events}
	slices.Sort(both) // handlers run side by side
	if both[0] != "PROVIDER_CONFIGURATION_CHANGED [orders] true" || both[1] != "PROVIDER_READY [] true" {
		t.Errorf("at last %q", both)
	}
	f.at("off")
}

func TestURLThatCannotBeReadAtTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept.json")
	h := newHost(t, stage("live"))
	first := follow(t, h.URL, Options{Cache: path})
	hash := first.next().Hash
	first.Close()

	h.serve(stage("live"), http.StatusBadGateway)
	second := follow(t, h.URL, Options{Cache: path, Interval: 10 * time.Millisecond})
	if r := second.next(); r.OK || !r.Kept || r.Hash != hash || r.Err == nil {
		t.Fatalf("with what an earlier process kept: %+v", r)
	}
	second.at("live")
	h.serve(stage("live"), 0)
	if r := second.next(); !r.OK || r.Kept || len(r.Changed) > 0 {
		t.Fatalf("when it is back: %+v", r)
	}

	h.serve("", http.StatusBadGateway)
	third := follow(t, h.URL, Options{Interval: 10 * time.Millisecond})
	if r := third.next(); r.OK || r.Hash != "" {
		t.Fatalf("with nothing: %+v", r)
	}
	if e := third.Evaluate("orders", nil); e.Code != openfeature.ProviderNotReadyCode {
		t.Fatalf("with nothing it answers %+v", e)
	}
	h.serve(stage("shadow"), 0)
	if r := third.next(); !r.OK || len(r.Changed) != 2 {
		t.Fatalf("then: %+v", r)
	}
	third.at("shadow")
}

func TestCacheIsReplacedAsAWhole(t *testing.T) {
	dir := t.TempDir()
	path, kept := filepath.Join(dir, "flags.json"), filepath.Join(dir, "state", "kept.json")
	write(t, path, stage("off"))
	f := follow(t, "file:"+path, Options{Cache: kept})
	if r := f.next(); !r.OK || len(r.Warnings) != 1 || !strings.Contains(r.Warnings.Error(), "cannot be kept") {
		t.Fatalf("without a directory: %+v", r)
	}
	if err := os.Mkdir(filepath.Dir(kept), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"live", "shadow"} {
		write(t, path, stage(name))
		f.next()
		if text, err := os.ReadFile(kept); err != nil || string(text) != stage(name) {
			t.Fatalf("kept is %s, %v", text, err)
		}
	}
	write(t, path, "{")
	f.next()
	if entries, err := os.ReadDir(filepath.Dir(kept)); err != nil || len(entries) != 1 {
		t.Errorf("beside what is kept there is %v, %v", entries, err)
	}
}

func TestSlowOrLargeAnswerIsAnError(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer slow.Close()
	defer close(release)
	f := follow(t, slow.URL, Options{Timeout: 50 * time.Millisecond})
	if r := f.next(); r.OK || !strings.Contains(r.Err.Error(), "deadline exceeded") {
		t.Errorf("slow: %+v", r)
	}
	large := newHost(t, stage("off"))
	f = follow(t, large.URL, Options{MaxBytes: 50})
	if r := f.next(); r.OK || !strings.Contains(r.Err.Error(), "has more than 50 bytes") {
		t.Errorf("large: %+v", r)
	}
}

func TestRedirectToPlainHTTPIsRefused(t *testing.T) {
	plain := newHost(t, stage("live"))
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer secure.Close()
	f := follow(t, secure.URL, Options{Client: secure.Client()})
	if r := f.next(); r.OK || !strings.Contains(r.Err.Error(), "which is not encrypted") {
		t.Errorf("%+v", r)
	}
}

func TestCloseEndsTheFollowing(t *testing.T) {
	h := newHost(t, stage("live"))
	ctx, cancel := context.WithCancel(context.Background())
	p, err := Open(ctx, h.URL, Options{Interval: time.Millisecond, Report: func(Report) {}})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-p.ended
	p.Close()
	p.Shutdown()
	if e := p.Evaluate("orders", nil); e.Value != "live" {
		t.Errorf("afterwards %+v", e)
	}
	New(parse(t, rollout)).Close()
}

// Requests go on while definitions change, and never see anything between.
func TestEvaluationsRaceWithReloads(t *testing.T) {
	h := newHost(t, stage("off"))
	f := follow(t, h.URL, Options{Interval: time.Millisecond})
	stop := make(chan struct{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if e := f.Evaluate("orders", attributes{"targetingKey": "4711"}); e.Value != "off" && e.Value != "live" {
					t.Errorf("between: %+v", e)
					return
				}
				f.Split("orders")
				f.Last()
			}
		})
	}
	for i := range 20 {
		h.serve(stage([]string{"live", "off"}[i%2]), 0)
		time.Sleep(3 * time.Millisecond)
	}
	close(stop)
	group.Wait()
}
