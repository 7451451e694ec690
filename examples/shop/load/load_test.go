package load_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop"
	"github.com/ficus-gateway/ficus/examples/shop/load"
	"github.com/ficus-gateway/ficus/examples/shop/monolith"
	"github.com/ficus-gateway/ficus/examples/shop/orders"
)

// A town has both applications on one store, and before them a street that
// sends orders of some customers to the service: those whose number, of ten,
// is below open.
type town struct {
	url     string
	service *orders.Service
	open    atomic.Int32
}

func newTown(t *testing.T) *town {
	t.Helper()
	store, err := shop.Open(shop.Options{Seed: 2, Customers: 10})
	if err != nil {
		t.Fatal(err)
	}
	proxyTo := func(app http.Handler) http.Handler {
		server := httptest.NewServer(app)
		t.Cleanup(server.Close)
		target, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(target)
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = 20
		t.Cleanup(transport.CloseIdleConnections)
		proxy.Transport = transport
		return proxy
	}
	town := &town{service: orders.New(store)}
	legacy, modern := proxyTo(monolith.New(store)), proxyTo(town.service)
	street := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if uid, err := r.Cookie(shop.UserCookie); err == nil && strings.HasPrefix(r.URL.Path, "/api/orders") {
			if number := int32(uid.Value[len(uid.Value)-1] - '0'); number < town.open.Load() {
				modern.ServeHTTP(w, r)
				return
			}
		}
		legacy.ServeHTTP(w, r)
	}))
	t.Cleanup(street.Close)
	town.url = street.URL
	return town
}

func TestNothingFailsOnAShopThatIsWell(t *testing.T) {
	town := newTown(t)
	town.open.Store(5)
	r := load.Run(t.Context(), load.Config{Target: town.url, Users: 8, Guests: 4, Requests: 1500, Seed: 3})
	if r.Err != nil || r.Failed() != 0 || len(r.Examples) != 0 {
		t.Fatalf("%v\n%v", r, r.Examples)
	}
	if r.Requests < 1500 || r.Requests > 1500+2*12 {
		t.Errorf("%d requests", r.Requests)
	}
	sum := 0
	for _, route := range r.Routes {
		sum += route.Requests
	}
	if sum != r.Requests {
		t.Errorf("routes have %d of %d requests", sum, r.Requests)
	}
	for _, route := range []string{"/", "/catalogue", "/products/{sku}", "/api/products", "/cart", "/login", "/api/orders", "/api/orders/{id}", "POST /api/orders"} {
		if r.Routes[route].Requests == 0 {
			t.Errorf("nobody asked for %s", route)
		}
	}
	if sides := r.Routes["/api/orders"].Sides; sides["orders"] == 0 || sides["monolith"] == 0 {
		t.Errorf("sides %v", sides)
	}
	if l := r.Latency; l.P50 <= 0 || l.P50 > l.P90 || l.P90 > l.P99 || l.P99 > l.Max {
		t.Errorf("latency %+v", l)
	}
	if turns := r.TurnedBack(time.Time{}, time.Time{}); len(turns) > 0 {
		t.Errorf("turned back: %v", turns)
	}
}

func TestTurnsBackAreSeenAndDated(t *testing.T) {
	town := newTown(t)
	l, err := load.New(load.Config{Target: town.url, Users: 9, Mix: load.Mix{List: 1}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan *load.Report)
	go func() { done <- l.Run(ctx) }()

	// Everybody has been seen on the side that share gives.
	settle := func(share int32) time.Time {
		town.open.Store(share)
		asked := time.Now()
		for deadline := asked.Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			settled := 0
			for customer, trails := range l.Snapshot().Trails {
				want := "monolith"
				if int32(customer[len(customer)-1]-'0') < share {
					want = "orders"
				}
				if trail := trails["/api/orders"]; len(trail) > 0 && trail[len(trail)-1].Side == want && trail[len(trail)-1].Last.After(asked) {
					settled++
				}
			}
			if settled == 9 {
				return time.Now()
			}
		}
		t.Fatalf("not settled at %d:\n%v", share, l.Snapshot())
		return time.Time{}
	}
	began := settle(0)
	settle(4)
	risen := settle(10)
	settle(3)
	cancel()
	r := <-done
	if r.Failed() != 0 {
		t.Errorf("%v\n%v", r, r.Examples)
	}
	if turns := r.TurnedBack(began, risen); len(turns) != 0 {
		t.Errorf("while it rose: %v", turns)
	}
	turns := r.TurnedBack(time.Time{}, time.Time{})
	if len(turns) != 7 { // customers 3 to 9
		t.Errorf("%d turns: %v", len(turns), turns)
	}
	for _, turn := range turns {
		if turn.Came.Before(risen) || turn.From != orders.Name || turn.Route != "/api/orders" {
			t.Errorf("turn %+v", turn)
		}
	}
}

func TestPlantedBugsAreFound(t *testing.T) {
	config := load.Config{Users: 5, Requests: 400, Mix: load.Mix{List: 2, Show: 2, Create: 1}}
	for name, tt := range map[string]struct {
		faults orders.Faults
		kind   load.Kind
	}{
		"errors":      {orders.Faults{Errors: 0.2}, load.ServerError},
		"wrong price": {orders.Faults{WrongPrice: 0.5}, load.WrongBody},
		"hang":        {orders.Faults{Hang: 0.02}, load.Transport},
	} {
		t.Run(name, func(t *testing.T) {
			town := newTown(t)
			town.open.Store(10)
			town.service.Plant(tt.faults)
			defer town.service.Plant(orders.Faults{})
			c := config
			c.Target, c.Timeout = town.url, 5*time.Second
			if tt.faults.Hang > 0 {
				c.Timeout = 200 * time.Millisecond
			}
			r := load.Run(t.Context(), c)
			if r.Failures[tt.kind] == 0 || len(r.Examples) == 0 {
				t.Errorf("%v", r)
			}
			if tt.kind != load.Transport && r.Failed() != r.Failures[tt.kind] {
				t.Errorf("other failures: %v\n%v", r, r.Examples)
			}
		})
	}
}

func TestFallbackIsNoChangeOfSides(t *testing.T) {
	store, err := shop.Open(shop.Options{Customers: 2})
	if err != nil {
		t.Fatal(err)
	}
	legacy, modern := monolith.New(store), orders.New(store)
	var n atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasPrefix(r.URL.Path, "/api/orders"):
			legacy.ServeHTTP(w, r)
		case n.Add(1)%3 == 0:
			w.Header().Set("Ficus-Fallback", "orders")
			legacy.ServeHTTP(w, r)
		default:
			modern.ServeHTTP(w, r)
		}
	}))
	defer server.Close()
	r := load.Run(t.Context(), load.Config{Target: server.URL, Users: 2, Requests: 100})
	if turns := r.TurnedBack(time.Time{}, time.Time{}); len(turns) != 0 || r.Fallbacks == 0 || r.Failed() != 0 {
		t.Errorf("%d fallbacks, turns %v\n%v", r.Fallbacks, turns, r)
	}
}

func TestRateIsHeld(t *testing.T) {
	town := newTown(t)
	r := load.Run(t.Context(), load.Config{Target: town.url, Users: 4, Guests: 4, Rate: 100, For: 500 * time.Millisecond})
	if r.Requests < 20 || r.Requests > 60 || r.Failed() != 0 {
		t.Errorf("%v", r)
	}
}

func TestEndingCutsNothingOff(t *testing.T) {
	town := newTown(t)
	town.open.Store(10)
	town.service.Plant(orders.Faults{Latency: 50 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	r := load.Run(ctx, load.Config{Target: town.url, Users: 9})
	if r.Failed() != 0 || r.Requests == 0 {
		t.Errorf("%v\n%v", r, r.Examples)
	}
}

func TestAShopThatIsGoneFailsEverybody(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	r := load.Run(t.Context(), load.Config{Target: server.URL, Guests: 2, Requests: 10})
	if r.Failures[load.Transport] != r.Requests || r.Requests < 10 {
		t.Errorf("%v", r)
	}
}

func TestEqualSeedsGiveEqualWishes(t *testing.T) {
	wishes := func() map[string]load.Route {
		r := load.Run(t.Context(), load.Config{Target: newTown(t).url, Users: 1, Requests: 200, Seed: 11})
		for name, route := range r.Routes {
			route.Latency = load.Latency{}
			r.Routes[name] = route
		}
		return r.Routes
	}
	if a, b := wishes(), wishes(); !reflect.DeepEqual(a, b) {
		t.Errorf("%v\n%v", a, b)
	}
}

func TestConfigsThatMakeNoSense(t *testing.T) {
	for _, c := range []load.Config{{}, {Target: "shop:80"}, {Target: "ftp://shop"}, {Target: "http://shop", Rate: -1}, {Target: "http://shop", Mix: load.Mix{List: 2, Show: -1}}} {
		if r := load.Run(t.Context(), c); r.Err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}
