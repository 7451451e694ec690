package orders_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/examples/shop"
	"github.com/ficus-gateway/ficus/examples/shop/monolith"
	"github.com/ficus-gateway/ficus/examples/shop/orders"
)

// A side is one of the two applications, on a shop of its own with the same
// seed and the same time, and somebody logged in.
type side struct {
	server  *httptest.Server
	store   *shop.Store
	session string
}

func newSide(t *testing.T, app func(*shop.Store) http.Handler) *side {
	t.Helper()
	at := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	store, err := shop.Open(shop.Options{Seed: 5, Customers: 1, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	session, err := store.Login(shop.Session{}, shop.Email(1), shop.Password)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(app(store))
	t.Cleanup(server.Close)
	return &side{server, store, session.Token}
}

// An answer is what a client gets, without what is never the same.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

func (s *side) ask(t *testing.T, q question) answer {
	t.Helper()
	r, err := http.NewRequest(q.method, s.server.URL+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	if !q.stranger {
		r.AddCookie(&http.Cookie{Name: shop.SessionCookie, Value: s.session})
	}
	res, err := s.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{shop.ServedBy, "X-Request-Id", "Date"} {
		if res.Header.Get(name) == "" {
			t.Errorf("%s %s: no %s", q.method, q.path, name)
		}
		res.Header.Del(name)
	}
	if cookie := res.Header.Get("Set-Cookie"); strings.HasPrefix(cookie, shop.GuestCookie+"=") {
		_, attributes, _ := strings.Cut(cookie, ";")
		res.Header.Set("Set-Cookie", shop.GuestCookie+"=...;"+attributes)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

type question struct {
	method, path, body string
	header             map[string]string
	stranger           bool
	want               int
}

func TestAnswersAreThoseOfTheMonolith(t *testing.T) {
	legacy := newSide(t, func(s *shop.Store) http.Handler { return monolith.New(s) })
	modern := newSide(t, func(s *shop.Store) http.Handler { return orders.New(s) })
	sku := legacy.store.Products("")[4].SKU
	buy := `{"items":[{"sku":"` + sku + `","quantity":3}],"note":"für Ada <3"}`
	type h = map[string]string
	for _, q := range []question{
		{method: "GET", path: "/api/orders", want: 200},
		{method: "HEAD", path: "/api/orders", want: 200},
		{method: "GET", path: "/api/orders?page=2&size=2", want: 200},
		{method: "GET", path: "/api/orders?page=99&size=2", want: 200},
		{method: "GET", path: "/api/orders?status=shipped&size=1", want: 200},
		{method: "GET", path: "/api/orders?page=0", want: 400},
		{method: "GET", path: "/api/orders?size=x", want: 400},
		{method: "GET", path: "/api/orders", stranger: true, want: 200},
		{method: "GET", path: "/api/orders/", want: 404},
		{method: "GET", path: "/api/orders/1001", want: 200},
		{method: "HEAD", path: "/api/orders/1001", want: 200},
		{method: "GET", path: "/api/orders/100%31", want: 200},
		{method: "GET", path: "/api/orders/1%2f2", want: 404},
		{method: "GET", path: "/api/orders/1001", header: h{"If-None-Match": `"1001-1"`}, want: 304},
		{method: "GET", path: "/api/orders/1001", stranger: true, want: 404},
		{method: "GET", path: "/api/orders/4242", want: 404},
		{method: "GET", path: "/api/orders/1001/nothing", want: 404},
		{method: "POST", path: "/api/orders", body: buy, header: h{"Idempotency-Key": "a"}, want: 201},
		{method: "POST", path: "/api/orders", body: buy, header: h{"Idempotency-Key": "a"}, want: 201},
		{method: "POST", path: "/api/orders", body: buy, stranger: true, header: h{"X-Forwarded-Proto": "https"}, want: 201},
		{method: "POST", path: "/api/orders", body: buy, header: h{"Content-Type": "text/plain"}, want: 415},
		{method: "POST", path: "/api/orders", body: `{"items":[]}`, want: 422},
		{method: "POST", path: "/api/orders", body: `{"items":[{"sku":"none","quantity":1}]}`, want: 422},
		{method: "POST", path: "/api/orders", body: `{"item`, want: 400},
		{method: "POST", path: "/api/orders", body: `{"price":1}`, want: 400},
		{method: "PATCH", path: "/api/orders/1005", body: `{"note":"ring twice"}`, header: h{"If-Match": `"1005-1"`}, want: 200},
		{method: "PATCH", path: "/api/orders/1005", body: `{"note":"ring twice"}`, header: h{"If-Match": `"1005-1"`}, want: 412},
		{method: "PATCH", path: "/api/orders/1005", body: `{"status":"cancelled"}`, want: 200},
		{method: "PATCH", path: "/api/orders/1005", body: `{"status":"cancelled"}`, want: 409},
		{method: "PATCH", path: "/api/orders/4242", body: `{"status":"cancelled"}`, want: 404},
		{method: "GET", path: "/api/orders/1005", want: 200},
		{method: "DELETE", path: "/api/orders/1005", want: 405},
		{method: "PUT", path: "/api/orders", want: 405},
		{method: "GET", path: "/api/orders/1005/events?every=1ms", want: 200},
		{method: "GET", path: "/api/orders/1006/events?every=1ms", want: 404},
		{method: "GET", path: "/api/orders/1001/events?every=1ms", header: h{"Last-Event-ID": "1"}, want: 200},
		{method: "GET", path: "/api/orders/1001/events?every=never", want: 400},
		{method: "GET", path: "/api/orders/1001/invoice", want: 200},
		{method: "GET", path: "/api/orders/1001/invoice", header: h{"Range": "bytes=0-9"}, want: 206},
		{method: "GET", path: "/api/orders/1001/invoice", header: h{"Range": "bytes=0-1,4-5", "If-Range": `"x"`}, want: 200},
		{method: "GET", path: "/api/orders/1001/invoice", header: h{"Range": "bytes=9999-"}, want: 416},
		{method: "GET", path: "/healthz", want: 200},
	} {
		control, candidate := legacy.ask(t, q), modern.ask(t, q)
		if control.Status != q.want {
			t.Errorf("%s %s: %d, want %d\n%s", q.method, q.path, control.Status, q.want, control.Body)
		}
		if diff := cmp.Diff(control, candidate); diff != "" {
			t.Errorf("%s %s: monolith -, orders +\n%s", q.method, q.path, diff)
		}
	}
}
