package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/condition"
	"github.com/ficus-gateway/ficus/routes"
)

// faulty is a gateway in front of a monolith that is well, and of a service on
// which all users are, that fails the requests of which a test says so. What it
// returns sends a request through it, and it has been counted then.
func faulty(t testing.TB, fallback string, fails func(*http.Request) bool) (*Gateway, func(*http.Request)) {
	t.Helper()
	application := func(fails func(*http.Request) bool) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if fails(r) {
				w.WriteHeader(http.StatusBadGateway)
			}
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	assigner, err := flags.New(flags.Options{})
	if err != nil {
		t.Fatal(err)
	}
	split, err := migrations.NewSplit(migrations.Share{Stage: migrations.Live, Buckets: migrations.Buckets})
	if err != nil {
		t.Fatal(err)
	}
	m := migrations.Migration{ID: "orders", From: "monolith", To: "orders", Seq: 2, Epoch: 2, Split: split}
	m.Test, m.K = 2, 1
	g, err := New(Options{
		Assigner: assigner, State: migrations.State{Seq: 2, Migrations: map[string]migrations.Migration{"orders": m}},
		Table: tableOf(t, fmt.Sprintf(`
trusted_proxies: [127.0.0.1/32]
upstreams: {monolith: {url: "%s"}, orders: {url: "%s"}}
migrations: {orders: {from: monolith, to: orders, key: [header:X-User], data: shared, writes: follow, compare: {sample: 0%%}}}
routes:
  - {path: /api/*, migration: orders%s}
  - {path: /*, upstream: monolith}
`, application(func(*http.Request) bool { return false }), application(fails), fallback)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.Close(t.Context())
		assigner.Close()
	})
	at, client := listen(t, g, routes.Listener{}), browser(t, "h1", nil)
	return g, func(r *http.Request) {
		r.URL.Scheme, r.URL.Host, r.RequestURI = "http", at, ""
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		for g.InFlight() > 0 {
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// visit is the n-th request of a test: of a user and a network of its own, with
// an id in the path and what browsers send.
func visit(n int, method, path string, body io.Reader) *http.Request {
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("X-User", fmt.Sprintf("user-%d@example.com", n))
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.1", n/200, n%200))
	r.Header.Set("Accept-Language", []string{"en-GB,en;q=0.8", "de", "fr-FR"}[n%3])
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Cookie", fmt.Sprintf("sid=secret%d; wordpress_%016x=1", n, n))
	return r
}

func TestBlameNamesTheConditionOfAFault(t *testing.T) {
	const off = ", fallback: {off: true}"
	for _, c := range []struct {
		name, fallback string
		fails          func(*http.Request) bool
		want           string // what the finding begins with
		offender       migrations.Offender
	}{
		{"a cookie", off, func(r *http.Request) bool { _, err := r.Cookie("beta"); return err == nil },
			"only requests with the cookie beta: 50 of 50 sampled users got status 502; 0 of ",
			migrations.Offender{Status: 502}},
		{"a header, healed by fallback", "", func(r *http.Request) bool { return r.Header.Get("X-Export") != "" },
			"only requests with the header X-Export: 29 of 29 sampled users met status 502 before the monolith answered; 0 of ",
			migrations.Offender{Status: 502}},
		{"an endpoint", off, func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/orders/") },
			"only requests to GET /api/orders/{id}: 68 of 68 sampled users got status 502; 0 of ",
			migrations.Offender{Endpoint: "/api/orders/{id}", Status: 502}},
		{"a language", off, func(r *http.Request) bool { return r.Header.Get("Accept-Language") == "de" },
			"only requests in the language de: 67 of 67 sampled users got status 502; 0 of ",
			migrations.Offender{Status: 502}},
		{"large bodies", off, func(r *http.Request) bool { return r.ContentLength > 64<<10 },
			"only requests with a body of 64 KiB or more: 22 of 22 sampled users got status 502; 0 of ",
			migrations.Offender{Method: "POST", Status: 502}},
		{"everything", off, func(*http.Request) bool { return true },
			"nearly all requests: 200 of 200 users got status 502",
			migrations.Offender{Status: 502}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g, send := faulty(t, c.fallback, c.fails)
			for n := range 200 {
				path := fmt.Sprintf([]string{"/api/orders/%d?page=%d", "/api/cart/%d?q=%d", "/api/search?q=%d&page=%d"}[n/3%3], n, n)
				method, body := http.MethodGet, io.Reader(nil)
				if n%2 == 1 && n/3%3 != 0 {
					method, body = http.MethodPost, strings.NewReader(strings.Repeat("x", []int{100, 10 << 10, 100 << 10}[n%3]))
				}
				r := visit(n, method, path, body)
				if n%4 == 3 {
					r.Header.Add("Cookie", "beta=yes")
				}
				if n*7%16 < 3 && method == http.MethodGet {
					r.Header.Set("X-Export", "csv")
				}
				send(r)
			}
			f, offenders := g.Blame("orders", "", "")
			if !strings.HasPrefix(f.Text, c.want) {
				t.Errorf("%q does not begin with %q", f.Text, c.want)
			}
			if len(offenders) != migrations.OffenderLimit {
				t.Fatalf("%d offenders", len(offenders))
			}
			for _, o := range offenders {
				if len(o.TraceID) != 32 || o.Upstream == "" || strings.Contains(o.Upstream, "://") || o.Route == "" || o.Method == "" || o.Endpoint == "" || o.Status != c.offender.Status ||
					c.offender.Endpoint != "" && o.Endpoint != c.offender.Endpoint || c.offender.Method != "" && o.Method != c.offender.Method {
					t.Errorf("%+v", o)
				}
			}
			told, _ := json.Marshal([]any{f, offenders})
			for _, secret := range []string{"secret", "example.com", "user-", "csv", "yes"} {
				if strings.Contains(string(told), secret) {
					t.Errorf("%q is told: %s", secret, told)
				}
			}
		})
	}
}

func TestBlameOfAHealthyServiceIsNothing(t *testing.T) {
	g, send := faulty(t, "", func(*http.Request) bool { return false })
	for n := range 30 {
		send(visit(n, "GET", "/api/orders/1", nil))
	}
	if f, offenders := g.Blame("orders", "", ""); f.Verdict != condition.Nothing || f.Text != "" || offenders != nil {
		t.Errorf("%+v, %v", f, offenders)
	}
	if f, _ := g.Blame("elsewhere", "", ""); f.Verdict != condition.Nothing {
		t.Errorf("%+v", f)
	}
}

func TestANameInThePathOfOneUserIsNotTold(t *testing.T) {
	g, send := faulty(t, ", fallback: {off: true}", func(*http.Request) bool { return true })
	names := strings.Fields("alice bob carol dave erin frank")
	for n, name := range names {
		send(visit(n, "GET", "/api/people/"+name, nil))
	}
	_, offenders := g.Blame("orders", "", "")
	if len(offenders) != len(names) {
		t.Fatalf("%d offenders", len(offenders))
	}
	for _, o := range offenders {
		if o.Endpoint != "/api/*" {
			t.Errorf("%s", o.Endpoint)
		}
	}
}

func TestAPathIsToldWithoutControlCharacters(t *testing.T) {
	g, send := faulty(t, ", fallback: {off: true}", func(*http.Request) bool { return true })
	for n := range 3 {
		send(visit(n, "GET", "/api/%1b[m/%0a/x", nil))
	}
	if _, offenders := g.Blame("orders", "", ""); len(offenders) != 3 || offenders[0].Endpoint != "/api/?[m/?/x" {
		t.Errorf("%+v", offenders)
	}
}

// In shadow nobody is on the service: what it would answer otherwise has a
// condition all the same.
func TestBlameOfComparisonsNamesWhatDiffers(t *testing.T) {
	legacy := httptest.NewServer(order(""))
	defer legacy.Close()
	modern := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("expand") {
			order(`,"lost":true`)(w, r)
			return
		}
		order("")(w, r)
	}))
	defer modern.Close()
	config := "trusted_proxies: [127.0.0.1/32]\n" + comparingConfig(legacy.URL, modern.URL)
	g, s := comparingGateway(t, strings.ReplaceAll(config, ", repeatable: true", ""), migrations.Shadow, shadow.Options{})
	url := "http://" + listen(t, g, routes.Listener{})
	for n := range 60 {
		path := fmt.Sprintf("/api/orders/%d?page=1", n)
		if n%3 == 0 {
			path += "&expand=secret"
		}
		request(t, "GET", url+path, nil, "X-User", fmt.Sprint("user ", n), "X-Forwarded-For", fmt.Sprintf("10.0.%d.1", n))
		settled(t, s)
	}
	f, offenders := g.BlameComparisons("orders", "")
	if f.Text != "only requests with the query parameter expand: 20 of 20 users would get another answer; 0 of 40 without it" {
		t.Errorf("%+v", f)
	}
	if len(offenders) != migrations.OffenderLimit || offenders[0].Endpoint != "/api/orders/{id}" {
		t.Errorf("%+v", offenders)
	}
	if f, _ := g.Blame("orders", "", ""); f.Verdict != condition.Nothing {
		t.Errorf("of the requests: %+v", f)
	}
}

// However many requests a stranger sends, what is kept stays bounded, and what
// others suffer stays in it.
func TestOneNetworkDoesNotCrowdOutTheSamples(t *testing.T) {
	g := new(ring)
	for n := range 100 {
		g.put(sample{network: uint64(n + 10), at: int64(n + 1)})
	}
	for n := range 10_000 {
		g.put(sample{network: 1, at: int64(n + 1000)})
	}
	one := 0
	for _, x := range g.samples {
		if x.network == 1 {
			one++
		}
	}
	if one != ringNetwork || len(g.samples) != 100+ringNetwork {
		t.Errorf("%d of %d are of one network", one, len(g.samples))
	}
	for n := range 10_000 {
		g.put(sample{network: uint64(n + 1000), at: int64(n + 100_000)})
	}
	if len(g.samples) != ringSize {
		t.Errorf("%d samples", len(g.samples))
	}
}

func TestFeaturesAreNamesAndClasses(t *testing.T) {
	hostile := httptest.NewRequest("GET", "/?"+strings.Repeat("a&", 100), nil)
	for i := range 1000 {
		hostile.Header.Set(fmt.Sprintf("X-%s-%c%c", strings.Repeat("Long", 30), 'A'+i%26, 'a'+i/26%26), "v")
		hostile.Header.Add("Cookie", fmt.Sprintf("c%s=v", strings.Repeat("k", i)))
	}
	if n := len(appendFeatures(nil, hostile, 0, "https")); n > (maxHeaderNames+maxCookieNames+maxQueryNames)*(maxNameBytes+10)+300 {
		t.Errorf("%d bytes are kept of a request", n)
	}
	for _, c := range []struct {
		name  string
		edit  func(*http.Request)
		wants []string
		not   []string
	}{
		{"what browsers send", func(r *http.Request) {
			for _, name := range []string{"Accept", "User-Agent", "Sec-Ch-Ua", "X-Forwarded-For", "Referer", "Traceparent"} {
				r.Header.Set(name, "v")
			}
		}, []string{"http=1", "scheme=https"}, []string{"header:"}},
		{"credentials", func(r *http.Request) { r.Header.Set("Authorization", "Bearer abc") }, []string{"header:Authorization"}, []string{"abc", "Bearer"}},
		{"ids in names", func(r *http.Request) { r.Header.Set("Cookie", "wp_5f4dcc3b5aa765d6=x; ada@example.com=1; a") }, []string{"cookie:wp_{id}", "cookie:a"}, []string{"5f4d", "example"}},
		{"query", func(r *http.Request) { r.URL.RawQuery = "page=2&filter[name]=ada&ada%40example.com" }, []string{"query:page", "query:filter[name]"}, []string{"ada"}},
		{"language", func(r *http.Request) { r.Header.Set("Accept-Language", "DE-at;q=1, en") }, []string{"locale=de"}, []string{"at", "locale=en"}},
		{"no language", func(r *http.Request) { r.Header.Set("Accept-Language", "*, secret") }, nil, []string{"locale"}},
		{"a body", func(r *http.Request) {
			r.ContentLength = 70 << 10
			r.Header.Set("Content-Type", "multipart/form-data; boundary=abc")
		}, []string{"size=4 KiB or more", "size=64 KiB or more", "type=multipart/form-data"}, []string{"1 MiB", "abc"}},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		c.edit(r)
		got := "\n" + string(appendFeatures(nil, r, 0, "https"))
		for _, want := range c.wants {
			if !strings.Contains(got, "\n"+want+"\n") {
				t.Errorf("%s: %q lacks %s", c.name, got, want)
			}
		}
		for _, not := range c.not {
			if strings.Contains(got, not) {
				t.Errorf("%s: %q holds %s", c.name, got, not)
			}
		}
	}
}

func benchmarkRecord(b *testing.B, status int) (*record, *http.Request) {
	g, _ := faulty(b, ", fallback: {off: true}", func(*http.Request) bool { return false })
	snap := g.Snapshot()
	rec := &record{cell: &snap.standings[0].cells[0], route: &snap.plan.routes[0]}
	rec.Side, rec.Status, rec.Start, rec.Total, rec.Scheme = migrations.Modern, status, time.Now(), time.Millisecond, "https"
	rec.firstEndpoint, rec.firstStatus, rec.asked = "http://10.0.0.5:3001", status, true
	r := visit(1, "GET", "/api/orders/1?page=1", nil)
	r.Header.Set("Authorization", "x")
	return rec, r
}

// BenchmarkSampleFeatures is what a request costs more, by what becomes of it.
func BenchmarkSampleFeatures(b *testing.B) {
	b.Run("good", func(b *testing.B) { // one in 16, later in 64, is kept
		rec, r := benchmarkRecord(b, 200)
		rec.cell.samples.requests.seenGood.Store(1 << 20)
		b.ReportAllocs()
		for b.Loop() {
			rec.sampleFeatures(r, rec.facts())
		}
	})
	b.Run("good, not kept", func(b *testing.B) {
		rec, r := benchmarkRecord(b, 200)
		b.ReportAllocs()
		for b.Loop() {
			rec.cell.samples.requests.seenGood.Store(1<<20 + 1)
			rec.sampleFeatures(r, rec.facts())
		}
	})
	b.Run("kept", func(b *testing.B) {
		rec, r := benchmarkRecord(b, 500)
		b.ReportAllocs()
		for b.Loop() {
			rec.cell.samples.requests.seenBad.Store(1)
			rec.sampleFeatures(r, rec.facts())
		}
	})
}

func TestAGoodRequestThatIsNotKeptAllocatesNothing(t *testing.T) {
	g, _ := faulty(t, "", func(*http.Request) bool { return false })
	rec := &record{cell: &g.Snapshot().standings[0].cells[0], route: &g.Snapshot().plan.routes[0]}
	rec.Side, rec.Status = migrations.Modern, 200
	r := visit(1, "GET", "/api/orders/1", nil)
	n := uint64(1 << 20)
	for ; (n+1)*0x9e3779b97f4a7c15 <= ^uint64(0)/64; n++ {
	}
	if allocs := testing.AllocsPerRun(100, func() {
		rec.cell.samples.requests.seenGood.Store(n)
		rec.sampleFeatures(r, rec.facts())
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestATestThatEndsTakesItsSamplesAlong(t *testing.T) {
	var s sampled
	first := s.of("", 2)
	if s.of("", 2) != first || s.of("eu", 2) == first || s.of("", 5) == first || !reflect.DeepEqual(s.of("", 5), &samples{test: 5}) {
		t.Error("samples are of one test of one cell")
	}
}
