package compare

import (
	"fmt"
	"slices"
	"testing"
)

func TestRequestsForOneKindOfThingAreOneEndpoint(t *testing.T) {
	p := NewTemplates(0)
	for path, want := range map[string]string{
		"/":           "GET /",
		"/orders":     "GET /orders",
		"/orders/123": "GET /orders/{id}",
		"/orders/9f8e7d6c-1111-2222-3333-444455556666": "GET /orders/{id}",
		"/orders/123/lines/4":                          "GET /orders/{id}/lines/{id}",
		"/users/ada@example.com":                       "GET /users/{id}",
		"/files/2026-01-01.pdf":                        "GET /files/{id}.pdf",
		"/bikes/city-4711":                             "GET /bikes/{id}",
		"/api/v2/orders":                               "GET /api/v2/orders",
		"/orders/":                                     "GET /orders/",
	} {
		if got, _ := p.Endpoint("GET", path); got != want {
			t.Errorf("%s is %s, not %s", path, got, want)
		}
	}
}

func TestAPlaceThatHoldsAnythingIsLearned(t *testing.T) {
	p := NewTemplates(0)
	p.Endpoint("GET", "/users/me/cart")
	var absorbed []string
	word := func(i int) string { return string([]byte{'a' + byte(i%26), 'a' + byte(i/26)}) + "name" }
	for i := range 100 {
		_, gone := p.Endpoint("GET", "/users/"+word(i)+"/cart")
		absorbed = append(absorbed, gone...)
	}
	if got, _ := p.Endpoint("GET", "/users/somebody/cart"); got != "GET /users/{any}/cart" {
		t.Error(got)
	}
	if !slices.Contains(absorbed, "GET /users/me/cart") {
		t.Errorf("absorbed only %v", absorbed)
	}
}

func TestEndpointsAreBounded(t *testing.T) {
	p := NewTemplates(100)
	seen := map[string]bool{}
	for i := range 10_000 {
		e, _ := p.Endpoint("GET", fmt.Sprintf("/%c%c%c/%c/x", 'a'+i%26, 'a'+i/26%26, 'a'+i/676, 'a'+i%7))
		seen[e] = true
	}
	if len(seen) > 101 || !seen[Other] {
		t.Errorf("%d endpoints", len(seen))
	}
}
