// Package monolith is the shop as one application: catalogue, cart, accounts
// and orders, as pages and as an API.
//
//	http.ListenAndServe("127.0.0.1:3000", monolith.New(store))
package monolith

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// Name is what the monolith calls itself in X-Served-By.
const Name = "monolith"

// An App is the monolith, an http.Handler.
type App struct {
	store   *shop.Store
	mux     *chi.Mux
	edition []byte // of the catalogue, which does not change
}

// New returns the monolith on a store.
func New(store *shop.Store) *App {
	a := &App{store: store, mux: chi.NewMux(), edition: fmt.Append(nil, store.Products(""))}
	r := a.mux
	r.Use(shop.Signed(Name), middleware.GetHead)
	r.NotFound(a.missing)
	r.MethodNotAllowed(shop.NotAllowed(r))

	r.Get("/", a.home)
	r.Get("/catalogue", a.catalogue)
	r.Get("/products/{sku}", a.product)
	r.Get("/api/products", a.productList)
	r.Get("/api/products/{sku}", a.productDocument)
	r.Get("/assets/shop.css", a.stylesheet)

	r.Get("/cart", a.cart)
	r.Post("/cart", a.addToCart)
	r.Post("/checkout", a.checkout)

	r.Get("/login", a.loginForm)
	r.Post("/login", a.login)
	r.Post("/logout", a.logout)
	r.Get("/account", a.account)

	r.Get("/orders", a.orderPages)
	r.Get("/orders/{id}", a.orderPage)
	r.Get("/api/orders", a.listOrders)
	r.Post("/api/orders", a.createOrder)
	r.Get("/api/orders/{id}", a.showOrder)
	r.Patch("/api/orders/{id}", a.updateOrder)
	r.Get("/api/orders/{id}/events", a.orderEvents)
	r.Get("/api/orders/{id}/invoice", a.invoice)

	r.Get("/reports/sales.csv", a.salesReport)
	r.Get("/healthz", shop.Healthy)
	return a
}

// ServeHTTP answers a request.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }
