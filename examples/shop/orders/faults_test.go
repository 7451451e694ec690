package orders_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop"
	"github.com/ficus-gateway/ficus/examples/shop/orders"
)

func serve(t *testing.T) (*orders.Service, string) {
	t.Helper()
	store, err := shop.Open(shop.Options{Customers: 1})
	if err != nil {
		t.Fatal(err)
	}
	service := orders.New(store)
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	t.Cleanup(func() { service.Plant(orders.Faults{}) }) // before it is closed, lest one hangs
	return service, server.URL
}

func status(t *testing.T, url string) int {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

func TestErrorsComeAtTheirRateAndByTheSeed(t *testing.T) {
	service, url := serve(t)
	draw := func() (pattern string) {
		service.Plant(orders.Faults{Errors: 0.3, Seed: 9})
		for range 200 {
			pattern += string(rune('0' + status(t, url+"/api/orders")/100))
		}
		return pattern
	}
	first := draw()
	if n := strings.Count(first, "5"); n < 40 || n > 80 {
		t.Errorf("%d of 200 failed", n)
	}
	if draw() != first {
		t.Error("the same seed drew otherwise")
	}
	if status(t, url+"/healthz") != 200 {
		t.Error("the health check failed")
	}
	service.Plant(orders.Faults{})
	if status(t, url+"/api/orders") != 200 {
		t.Error("still ill")
	}
}

func TestLatencyIsAdded(t *testing.T) {
	service, url := serve(t)
	service.Plant(orders.Faults{Latency: 60 * time.Millisecond, Jitter: time.Millisecond})
	start := time.Now()
	status(t, url+"/api/orders")
	if took := time.Since(start); took < 60*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

func TestHangingEndsWithTheClientOrTheFault(t *testing.T) {
	service, url := serve(t)
	service.Plant(orders.Faults{Hang: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", url+"/api/orders", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(r); err == nil {
		res.Body.Close()
		t.Fatal("it answered")
	}
	var done sync.WaitGroup
	done.Go(func() {
		if code := status(t, url+"/api/orders"); code != 200 {
			t.Errorf("answered %d", code)
		}
	})
	time.Sleep(10 * time.Millisecond)
	service.Plant(orders.Faults{})
	done.Wait()
}

func TestWrongPriceIsShownButNotStored(t *testing.T) {
	store, err := shop.Open(shop.Options{Customers: 1})
	if err != nil {
		t.Fatal(err)
	}
	session, err := store.Login(shop.Session{}, shop.Email(1), shop.Password)
	if err != nil {
		t.Fatal(err)
	}
	service := orders.New(store)
	totals := func() (shown, right []shop.Money) {
		r := httptest.NewRequest("GET", "/api/orders", nil)
		r.AddCookie(&http.Cookie{Name: shop.SessionCookie, Value: session.Token})
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		var list shop.OrderList
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		for _, d := range list.Embedded.Orders {
			o, err := store.Order("user:u1", d.ID)
			if err != nil {
				t.Fatal(err)
			}
			shown, right = append(shown, d.Total), append(right, o.Total())
		}
		return shown, right
	}
	for _, share := range []float64{0, 1} {
		service.Plant(orders.Faults{WrongPrice: share})
		shown, right := totals()
		for i := range shown {
			if (shown[i] != right[i]) != (share == 1) {
				t.Errorf("share %v: %v shown, %v right", share, shown[i], right[i])
			}
		}
	}
}

func TestControlPlantsWhileTheServiceWorks(t *testing.T) {
	service, url := serve(t)
	control := httptest.NewServer(service.Control())
	defer control.Close()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 25 {
				status(t, url+"/api/orders")
				service.Plant(orders.Faults{Errors: 0.5, Jitter: time.Microsecond})
			}
		})
	}
	all.Wait()
	put := func(body string) int {
		r, err := http.NewRequest("PUT", control.URL, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	if put(`{"errors":0.25,"wrong_price":0.5}`) != 200 || service.Faults().Errors != 0.25 || service.Faults().WrongPrice != 0.5 {
		t.Errorf("faults are %+v", service.Faults())
	}
	if put(`{`) != 400 || service.Faults().Errors != 0.25 {
		t.Errorf("faults are %+v", service.Faults())
	}
}
