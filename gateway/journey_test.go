package gateway

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/routes"
)

// An application is one side of a migration. What people have begun there it
// keeps to itself: the other side knows of none of it.
type application struct {
	mu    sync.Mutex
	name  string
	known map[string]string // tokens, states, uploads and jobs
	asked int
	fails bool // with 500, whatever is asked

	server *httptest.Server
}

func play(t *testing.T, name string) (*application, string) {
	a := &application{name: name, known: map[string]string{}}
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(w http.ResponseWriter, r *http.Request) (int, string){
		"GET /app/form": a.form, "POST /app/form": a.post,
		"GET /app/token": a.token, "POST /app/token": a.post,
		"GET /app/login": a.login, "GET /app/callback": a.callback,
		"GET /app/wizard/{step}": a.wizard, "POST /app/wizard/{step}": a.wizard,
		"POST /app/uploads": a.upload, "HEAD /app/uploads/{id}": a.offset, "PATCH /app/uploads/{id}": a.more,
		"POST /app/jobs": a.job, "GET /app/jobs/{id}": a.poll,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.asked++
			if a.fails {
				w.WriteHeader(500)
				return
			}
			w.Header().Set("Cache-Control", "no-store")
			status, text := h(w, r)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		})
	}
	mux.HandleFunc("GET /app/export", a.download)
	a.server = httptest.NewServer(mux)
	t.Cleanup(a.server.Close)
	return a, a.server.URL
}

func (a *application) note(value string) string {
	key := rand.Text()
	a.known[key] = value
	return key
}

func (a *application) form(w http.ResponseWriter, _ *http.Request) (int, string) {
	w.Header().Set("Content-Type", "text/html")
	return 200, `<form method=post><input name=token value="` + a.note("token") + `">`
}

// token is what a page of scripts asks for in place of a form.
func (a *application) token(w http.ResponseWriter, _ *http.Request) (int, string) {
	w.Header().Set("Content-Type", "application/json")
	return 200, `{"token": "` + a.note("token") + `"}`
}

func (a *application) post(_ http.ResponseWriter, r *http.Request) (int, string) {
	if a.known[r.FormValue("token")] != "token" {
		return 403, "no such token"
	}
	return 200, "done"
}

func (a *application) login(w http.ResponseWriter, r *http.Request) (int, string) {
	w.Header().Set("Location", "/idp?state="+a.note("state"))
	return 302, ""
}

func (a *application) callback(w http.ResponseWriter, r *http.Request) (int, string) {
	if a.known[r.FormValue("state")] != "state" {
		return 400, "no such login"
	}
	return 200, "done"
}

// wizard has three steps, and remembers how far somebody got by a cookie.
func (a *application) wizard(w http.ResponseWriter, r *http.Request) (int, string) {
	step := r.PathValue("step")
	if r.Method == "GET" && step == "1" {
		http.SetCookie(w, &http.Cookie{Name: "wizard-" + a.name, Value: a.note("1"), Path: "/"})
		return 200, "step 1"
	}
	c, err := r.Cookie("wizard-" + a.name)
	if err != nil || a.known[c.Value] != step {
		return 400, "you are not at step " + step
	}
	if r.Method == "GET" {
		return 200, "step " + step
	}
	if step == "3" {
		return 200, "done"
	}
	n, _ := strconv.Atoi(step)
	a.known[c.Value] = strconv.Itoa(n + 1)
	w.Header().Set("Location", "/app/wizard/"+a.known[c.Value])
	return 303, ""
}

func (a *application) upload(w http.ResponseWriter, _ *http.Request) (int, string) {
	w.Header().Set("Location", "/app/uploads/"+a.note(""))
	return 201, ""
}

func (a *application) offset(w http.ResponseWriter, r *http.Request) (int, string) {
	have, ok := a.known[r.PathValue("id")]
	if !ok {
		return 404, ""
	}
	w.Header().Set("Upload-Offset", strconv.Itoa(len(have)))
	return 200, ""
}

func (a *application) more(w http.ResponseWriter, r *http.Request) (int, string) {
	id := r.PathValue("id")
	have, ok := a.known[id]
	if !ok {
		return 404, "no such upload"
	}
	if r.Header.Get("Upload-Offset") != strconv.Itoa(len(have)) {
		return 409, "wrong offset"
	}
	part, _ := io.ReadAll(r.Body)
	a.known[id] = have + string(part)
	return 204, ""
}

// job is accepted, and done when it has been asked about twice.
func (a *application) job(w http.ResponseWriter, _ *http.Request) (int, string) {
	w.Header().Set("Location", "/app/jobs/"+a.note("0"))
	return 202, ""
}

func (a *application) poll(w http.ResponseWriter, r *http.Request) (int, string) {
	id := r.PathValue("id")
	n, ok := a.known[id]
	if !ok {
		return 404, "no such job"
	}
	if n == "2" {
		return 200, "done"
	}
	a.known[id] = map[string]string{"0": "1", "1": "2"}[n]
	return 202, ""
}

// download sends bytes that differ from side to side, as an archive that is
// packed anew does, and that a shared cache may store.
func (a *application) download(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked++
	a.mu.Unlock()
	w.Header().Set("Etag", `"`+a.name+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(bytes.Repeat([]byte(a.name[:1]), 10_000)))
}

// A person is a client that flips sides before one of its requests.
type person struct {
	client *http.Client
	base   string
	at     int    // request before which it flips
	flip   func() // what happens then
	n      int
	broken int // answers that say that a journey is broken
}

func (p *person) do(method, path string, header http.Header, body string) (*http.Response, string, error) {
	if p.n++; p.n == p.at {
		p.flip()
	}
	r, err := http.NewRequest(method, p.base+path, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header.Set("X-User", "alice")
	if body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := p.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if res.Header.Get("Ficus-Fallback") == telemetry.BrokenJourney {
		p.broken++
	}
	return res, string(text), err
}

// want asks, and wants a status.
func (p *person) want(status int, method, path string, header http.Header, body string) (http.Header, string, error) {
	res, text, err := p.do(method, path, header, body)
	if err == nil && res.StatusCode != status {
		err = fmt.Errorf("%s %s: %d %.40s", method, path, res.StatusCode, text)
	}
	if err != nil {
		return nil, "", err
	}
	return res.Header, text, nil
}

var tokenIn = regexp.MustCompile(`[A-Z2-7]{26}`)

// journeys are what people may be in the middle of, each with the number of
// its requests.
var journeys = map[string]struct {
	requests int
	program  bool // a program without cookies can do it as well
	travel   func(p *person) error
}{
	"a form with a CSRF token": {2, false, func(p *person) error {
		_, page, err := p.want(200, "GET", "/app/form", nil, "")
		if err == nil {
			_, _, err = p.want(200, "POST", "/app/form", nil, "token="+tokenIn.FindString(page))
		}
		return err
	}},
	"a token for scripts": {2, false, func(p *person) error {
		_, page, err := p.want(200, "GET", "/app/token", nil, "")
		if err == nil {
			_, _, err = p.want(200, "POST", "/app/token", nil, "token="+tokenIn.FindString(page))
		}
		return err
	}},
	"a login by redirect": {2, false, func(p *person) error {
		h, _, err := p.want(302, "GET", "/app/login", nil, "")
		if err == nil {
			_, _, err = p.want(200, "GET", "/app/callback?state="+tokenIn.FindString(h.Get("Location")), nil, "")
		}
		return err
	}},
	"a wizard": {6, false, func(p *person) error {
		path := "/app/wizard/1"
		for range 2 {
			if _, _, err := p.want(200, "GET", path, nil, ""); err != nil {
				return err
			}
			h, _, err := p.want(303, "POST", path, nil, "a=b")
			if err != nil {
				return err
			}
			path = h.Get("Location")
		}
		_, _, err := p.want(200, "GET", path, nil, "")
		if err == nil {
			_, _, err = p.want(200, "POST", path, nil, "a=b")
		}
		return err
	}},
	"an upload that is resumed": {5, true, func(p *person) error {
		h, _, err := p.want(201, "POST", "/app/uploads", nil, "")
		if err != nil {
			return err
		}
		path := h.Get("Location")
		for i := range 2 {
			part := http.Header{"Upload-Offset": {strconv.Itoa(5 * i)}, "Content-Type": {"application/offset+octet-stream"}}
			if _, _, err = p.want(204, "PATCH", path, part, "bytes"); err != nil {
				return err
			}
			if h, _, err = p.want(200, "HEAD", path, nil, ""); err != nil {
				return err
			}
		}
		if h.Get("Upload-Offset") != "10" {
			return fmt.Errorf("%s bytes have arrived", h.Get("Upload-Offset"))
		}
		return nil
	}},
	"a job that is asked about": {4, true, func(p *person) error {
		h, _, err := p.want(202, "POST", "/app/jobs", nil, "")
		for range 2 {
			if err == nil {
				_, _, err = p.want(202, "GET", h.Get("Location"), nil, "")
			}
		}
		if err == nil {
			_, _, err = p.want(200, "GET", h.Get("Location"), nil, "")
		}
		return err
	}},
	"a download that is resumed": {3, true, func(p *person) error {
		h, text, err := p.want(200, "GET", "/app/export", nil, "")
		for at := 4000; err == nil && at < 10_000; at += 3000 {
			part := http.Header{"If-Range": {h.Get("Etag")}, "Range": {fmt.Sprintf("bytes=%d-%d", at, at+2999)}}
			var more string
			if _, more, err = p.want(206, "GET", "/app/export", part, ""); err == nil {
				text = text[:at] + more
			}
		}
		if err == nil && text != strings.Repeat(text[:1], 10_000) {
			err = errors.New("the bytes of both sides are mixed")
		}
		return err
	}},
}

// crossing makes a gateway before two applications.
func crossing(t *testing.T, split migrations.Split) (base string, g *Gateway, legacy, modern *application) {
	t.Helper()
	legacy, old := play(t, "legacy")
	modern, service := play(t, "modern")
	assigner, err := flags.New(flags.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err = New(Options{Table: tableOf(t, fmt.Sprintf(`
trusted_proxies: [127.0.0.1/32]
upstreams: {monolith: "%s", service: "%s"}
migrations:
  app: {from: monolith, to: service, key: [header:X-User], data: shared, writes: follow, journeys: true}
routes:
  - {path: /app/*, migration: app}
  - {path: /*, upstream: monolith}
`, old, service)), State: stateOf(1, split), Assigner: assigner})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.Close(t.Context())
		assigner.Close()
	})
	return "http://" + listen(t, g, routes.Listener{}), g, legacy, modern
}

func stateOf(seq uint64, split migrations.Split) migrations.State {
	return migrations.State{Seq: seq, Time: time.Now(), Migrations: map[string]migrations.Migration{
		"app": {ID: "app", From: "monolith", To: "service", Seq: seq, Epoch: seq, Since: time.Now(), Split: split, Progress: migrations.Progress{Test: seq}},
	}}
}

func traveller(t *testing.T, base string, cookies bool) *person {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(client.CloseIdleConnections)
	if cookies {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		client.Jar = jar
	}
	return &person{client: client, base: base}
}

func TestNoFlipForwardBreaksAJourney(t *testing.T) {
	for name, j := range journeys {
		for _, to := range []migrations.Stage{migrations.Live, migrations.Complete} {
			for _, cookies := range []bool{true, false} {
				if !cookies && !j.program {
					continue
				}
				for at := range j.requests {
					t.Run(fmt.Sprintf("%s, to %s before request %d, cookies %v", name, to, at+1, cookies), func(t *testing.T) {
						base, g, _, modern := crossing(t, migrations.All(migrations.Shadow))
						p := traveller(t, base, cookies)
						p.at, p.flip = at+1, func() { g.Apply(stateOf(2, migrations.All(to))) }
						if err := j.travel(p); err != nil {
							t.Errorf("broken: %v", err)
						}
						if p.n != j.requests || p.broken > 0 {
							t.Errorf("%d requests, %d said to be broken", p.n, p.broken)
						}
						before := modern.asked
						if err := j.travel(traveller(t, base, true)); err != nil || modern.asked == before {
							t.Errorf("who comes after the flip is not on the service: %v", err)
						}
					})
				}
			}
		}
	}
}

func TestATripBreaksOnlyWhatItCounts(t *testing.T) {
	rollback := func(g *Gateway) {
		s := stateOf(2, migrations.All(migrations.Off))
		m := s.Migrations["app"]
		m.RolledBack, m.RolledBackAt = true, s.Time.Add(time.Second)
		s.Migrations["app"] = m
		g.Apply(s)
	}
	for what, trip := range map[string]func(*Gateway){
		"a rollback": rollback, "a trip without the log": func(g *Gateway) { g.Trip("app", EveryCell) },
	} {
		broken := 0
		for name, j := range journeys {
			for at := range j.requests {
				base, g, _, _ := crossing(t, migrations.All(migrations.Live))
				p := traveller(t, base, true)
				p.at, p.flip = at+1, func() { trip(g) }
				err := j.travel(p)
				if err != nil && p.broken == 0 && name != "a download that is resumed" { // of which no cookie tells; it begins anew
					t.Errorf("%s, %s, before request %d: broken and not counted: %v", what, name, at+1, err)
				}
				if at == 0 && (err != nil || p.broken > 0) {
					t.Errorf("%s, %s, before it began: %v, %d counted", what, name, err, p.broken)
				}
				if err != nil {
					broken++
				}
			}
		}
		if broken < 10 {
			t.Errorf("%s: only %d journeys broke, so that the applications don't test much", what, broken)
		}
	}
}

// What the monolith answered in place of a failing service has a form of the
// monolith in it.
func TestAFormOfAFallbackIsAnsweredWhereItWasDrawn(t *testing.T) {
	base, _, _, modern := crossing(t, migrations.All(migrations.Live))
	p := traveller(t, base, true)
	modern.fails = true
	p.at, p.flip = 2, func() { modern.fails = false }
	if err := journeys["a form with a CSRF token"].travel(p); err != nil || p.broken > 0 {
		t.Errorf("%v, %d said to be broken", err, p.broken)
	}
}

// Who is kept past completion is not left alone with a monolith that is gone.
func TestCompletionOutlivesTheMonolith(t *testing.T) {
	base, g, legacy, _ := crossing(t, migrations.All(migrations.Shadow))
	p := traveller(t, base, true)
	if _, _, err := p.want(200, "GET", "/app/form", nil, ""); err != nil {
		t.Fatal(err)
	}
	g.Apply(stateOf(2, migrations.All(migrations.Complete)))
	legacy.server.Close()
	if _, _, err := p.want(200, "GET", "/app/form", nil, ""); err != nil || p.broken != 1 {
		t.Errorf("%v, %d said to be broken", err, p.broken)
	}
	if _, _, err := p.want(200, "GET", "/app/form", nil, ""); err != nil || p.broken != 1 {
		t.Errorf("%v, %d said to be broken", err, p.broken)
	}
}

// Where reads alone move, a write says nothing about where to read, but for what
// the monolith is still at work on.
func TestReadsFollowAWriteOnlyToWhatWasAccepted(t *testing.T) {
	base, g, legacy, modern := crossing(t, migrations.All(migrations.Live))
	table := *g.Snapshot().Table
	plan := *table.Plans["app"]
	plan.Writes = migrations.WritesMonolith
	table.Plans = map[string]*migrations.Plan{"app": &plan}
	if err := g.Install(&table); err != nil {
		t.Fatal(err)
	}
	p := traveller(t, base, true)
	if _, _, err := p.want(201, "POST", "/app/uploads", nil, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.want(200, "GET", "/app/token", nil, ""); err != nil || modern.asked != 1 {
		t.Errorf("the read after a write: %v, the service was asked %d times", err, modern.asked)
	}
	before := legacy.asked
	if err := journeys["a job that is asked about"].travel(p); err != nil || modern.asked != 1 || legacy.asked != before+4 {
		t.Errorf("the job: %v, the service was asked %d times, the monolith %d", err, modern.asked, legacy.asked-before)
	}
}

// Who is kept on the monolith is no evidence of it, and is where the hash says
// for all that asks about the hash.
func TestWhoIsKeptIsNotInTheTest(t *testing.T) {
	base, g, _, modern := crossing(t, migrations.All(migrations.Shadow))
	half, err := migrations.NewSplit(migrations.Share{Stage: migrations.Live, Buckets: 99_999})
	if err != nil {
		t.Fatal(err)
	}
	p := traveller(t, base, true)
	p.at, p.flip = 2, func() { g.Apply(stateOf(2, half)) }
	if err := journeys["a form with a CSRF token"].travel(p); err != nil {
		t.Fatal(err)
	}
	modern.fails = true
	bob := traveller(t, base, true)
	if _, _, err := bob.want(200, "GET", "/app/form", nil, ""); err != nil { // by fallback
		t.Fatal(err)
	}
	modern.fails = false
	if _, _, err := bob.want(200, "GET", "/app/form", nil, ""); err != nil { // kept where he was healed
		t.Fatal(err)
	}
	var cell *evidence.Cell
	for range 200 {
		if cell = g.Evidence("app").Cells[""]; g.InFlight() == 0 && cell != nil && cell.Requests().Sum() > 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if r, seen, bad := cell.Requests(), cell.Seen.Total(), cell.Epochs[0].Bad[evidence.Errors]; r != (evidence.Sides{0, 1}) || seen != (evidence.Sides{0, 1}) || bad != (evidence.Sides{0, 1}) || cell.Active.Len() != 1 {
		t.Errorf("requests %v, seen %v, bad %v, %d active", r, seen, bad, cell.Active.Len())
	}
}

func TestExplainTellsOfJourneys(t *testing.T) {
	base, g, _, _ := crossing(t, migrations.All(migrations.Shadow))
	p := traveller(t, base, true)
	if _, _, err := p.want(200, "GET", "/app/form", nil, ""); err != nil {
		t.Fatal(err)
	}
	g.Apply(stateOf(2, migrations.All(migrations.Live)))
	r := httptest.NewRequest("GET", "/app/form", nil)
	r.Header.Set("X-User", "alice")
	here, _ := url.Parse(base)
	for _, c := range p.client.Jar.Cookies(here) {
		r.AddCookie(c)
	}
	x := g.Explain(r)
	if text := strings.Join(x.Why, "\n"); x.Decided.Side != migrations.Legacy || !strings.Contains(text, "on a journey on the legacy side") {
		t.Errorf("%+v\n%s", x.Decided, text)
	}
}
