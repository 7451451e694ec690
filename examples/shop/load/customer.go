package load

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// A customer is one browser. Only its own goroutine uses it.
type customer struct {
	load    *Load
	client  *http.Client
	name    string
	account int // number of the seeded customer; 0: a guest
	rng     *rand.Rand

	inside   bool                  // logged in, or needs not
	products []string              // SKUs seen
	ids      []string              // of own orders
	totals   map[string]shop.Money // of own orders, as first shown; they do not change
	tags     map[string]string     // entity tags by path
}

func newRand(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

func (c *customer) run(ctx context.Context) {
	c.inside = c.account == 0
	for c.load.pacer.wait(ctx) && !c.load.enough() {
		if !c.inside {
			c.login(ctx)
			continue
		}
		mix := c.load.config.Mix
		n := c.rng.IntN(mix.Browse + mix.List + mix.Show + mix.Create + mix.Cart)
		switch {
		case n < mix.Browse:
			c.browse(ctx)
		case n < mix.Browse+mix.List:
			c.list(ctx)
		case n < mix.Browse+mix.List+mix.Show:
			c.show(ctx)
		case n < mix.Browse+mix.List+mix.Show+mix.Create:
			c.create(ctx)
		default:
			c.page(ctx, "/cart", "/cart", "Your cart")
		}
	}
}

var formToken = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func (c *customer) login(ctx context.Context) {
	a := c.ask(ctx, exchange{route: "/login", path: "/login"})
	token := formToken.FindSubmatch(a.body)
	if !c.check(a, a.status == 200 && token != nil, "the login page has no form") {
		return
	}
	form := url.Values{"csrf": {string(token[1])}, "email": {shop.Email(c.account)}, "password": {shop.Password}}
	if !c.load.pacer.wait(ctx) {
		return
	}
	a = c.ask(ctx, exchange{route: "/login", method: "POST", path: "/login", body: form.Encode(), kind: "application/x-www-form-urlencoded"})
	c.inside = c.check(a, a.status == 303, "login answered %d", a.status)
}

// browse looks at something in the catalogue, as a browser that keeps what it
// has seen.
func (c *customer) browse(ctx context.Context) {
	switch c.rng.IntN(4) {
	case 0:
		c.page(ctx, "/", "/", "The Fig Tree")
	case 1:
		category := []string{"kitchen", "living", "garden"}[c.rng.IntN(3)]
		c.page(ctx, "/catalogue", "/catalogue?category="+category, "Catalogue")
	case 2:
		if len(c.products) > 0 {
			sku := c.products[c.rng.IntN(len(c.products))]
			c.page(ctx, "/products/{sku}", "/products/"+sku, sku)
			return
		}
		fallthrough
	default:
		c.learn(ctx)
	}
}

// page loads an HTML page, which must have the text and be whole.
func (c *customer) page(ctx context.Context, route, path, text string) {
	a := c.ask(ctx, exchange{route: route, path: path, tag: c.tags[path]})
	body := string(a.body)
	whole := strings.Contains(body, text) && strings.Contains(body, "</html>")
	if c.check(a, a.unchanged() || a.status == 200 && whole, "%s is not the page", path) && a.status == 200 {
		c.tags[path] = a.header.Get("ETag")
	}
}

// learn loads the list of products.
func (c *customer) learn(ctx context.Context) {
	a := c.ask(ctx, exchange{route: "/api/products", path: "/api/products"})
	var list struct{ Products []shop.Product }
	err := json.Unmarshal(a.body, &list)
	if c.check(a, err == nil && len(list.Products) > 0, "the catalogue has no products") && len(c.products) == 0 {
		for _, p := range list.Products {
			c.products = append(c.products, p.SKU)
		}
	}
}

func (c *customer) list(ctx context.Context) {
	a := c.ask(ctx, exchange{route: "/api/orders", path: "/api/orders"})
	var list shop.OrderList
	err := json.Unmarshal(a.body, &list)
	if err == nil {
		err = c.checkList(list)
	}
	if !c.check(a, err == nil, "%v", err) {
		return
	}
	for _, d := range list.Embedded.Orders {
		c.own(d)
	}
}

// own remembers an order that was shown right.
func (c *customer) own(d shop.OrderDocument) {
	if _, known := c.totals[d.ID]; !known {
		c.ids = append(c.ids, d.ID)
		c.totals[d.ID] = d.Total
	}
}

func (c *customer) show(ctx context.Context) {
	if len(c.ids) == 0 {
		c.list(ctx)
		return
	}
	id := c.ids[c.rng.IntN(len(c.ids))]
	path := shop.OrderPath(id)
	tag := ""
	if c.rng.IntN(4) == 0 {
		tag = c.tags[path]
	}
	a := c.ask(ctx, exchange{route: "/api/orders/{id}", path: path, tag: tag})
	if a.unchanged() {
		c.check(a, true, "")
		return
	}
	if _, ok := c.checkOrder(a, id); ok {
		c.tags[path] = a.header.Get("ETag")
	}
}

func (c *customer) create(ctx context.Context) {
	if len(c.products) == 0 {
		c.learn(ctx)
		return
	}
	line := shop.Line{SKU: c.products[c.rng.IntN(len(c.products))], Quantity: 1 + c.rng.IntN(3)}
	draft, err := json.Marshal(shop.Draft{Items: []shop.Line{line}, Note: "from " + c.name})
	if err != nil {
		panic(err) // it is made of text and numbers
	}
	a := c.ask(ctx, exchange{
		route: "POST /api/orders", method: "POST", path: "/api/orders",
		body: string(draft), kind: "application/json", key: fmt.Sprintf("%016x", c.rng.Uint64()),
	})
	d, ok := c.checkOrder(a, "")
	if ok && (len(d.Items) != 1 || d.Items[0].SKU != line.SKU || d.Items[0].Quantity != line.Quantity) {
		c.load.fail(c.name, a, WrongBody, fmt.Sprintf("ordered %d of %s, got order %s of %v", line.Quantity, line.SKU, d.ID, d.Items))
		return
	}
	if ok {
		c.own(d)
	}
}
