package routes

import (
	"fmt"
	"slices"
	"testing"
)

func TestExplainNamesWhatKeptARouteFromBeingChosen(t *testing.T) {
	tab := table(t,
		route("rest", "/*"),
		route("orders", "/orders/*"),
		route("v2", "/orders/{id}", header(is("x-version", "2"))),
		route("beta", "/orders/*", cookie(has("beta"))),
		route("digits", "/orders/*", query(like("q", "[0-9]+"))),
		route("write", "/orders/*", methods("POST", "PUT")),
		route("admin", "/orders/*", hosts("admin.shop.test", "*.admin.shop.test")),
		route("carts", "/carts/*"),
	)
	chosen, nearly := tab.Explain(request("GET", "/orders/7?q=a%20b", "X-Version: 1", "Host: shop.test:80"))
	if id(chosen) != "orders" {
		t.Fatalf("route %s", id(chosen))
	}
	var got []string
	for _, n := range nearly {
		got = append(got, n.Route.ID+": "+n.Why)
	}
	want := []string{
		`admin: the host is shop.test, not admin.shop.test or *.admin.shop.test`,
		`v2: header X-Version is "1", not "2"`,
		`write: the method is GET, not POST or PUT`,
		`digits: query parameter q is "a b", which does not match [0-9]+`,
		`beta: cookie beta is absent`,
		`rest: orders is more specific`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("near misses:\n%s", fmt.Sprintf("%q", got))
	}
}

func TestExplainOfARequestThatNoRouteTakes(t *testing.T) {
	tab := table(t, route("a", "/a", methods("POST")))
	chosen, nearly := tab.Explain(request("GET", "/a"))
	if chosen != nil || len(nearly) != 1 {
		t.Errorf("%v, %v", chosen, nearly)
	}
}
