// Package orders is the service extracted from the shop's monolith: it answers
// /api/orders as the monolith does, byte for byte, on the same store.
//
// For demonstrations it can be made to fail while it runs:
//
//	service := orders.New(store)
//	service.Plant(orders.Faults{Errors: 0.1})  // one answer in ten is a 500
//	service.Plant(orders.Faults{})             // well again
package orders

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// Name is what the service calls itself in X-Served-By.
const Name = "orders"

// A Service is the orders service, an http.Handler.
type Service struct {
	store *shop.Store
	mux   *chi.Mux

	mu      sync.Mutex // guards what follows
	faults  Faults
	planted chan struct{} // closed when other faults are planted
	rng     *rand.Rand
}

// New returns a service on the store, without faults.
func New(store *shop.Store) *Service {
	s := &Service{
		store:   store,
		mux:     chi.NewMux(),
		planted: make(chan struct{}),
		rng:     rand.New(rand.NewPCG(1, 1)),
	}
	r := s.mux
	r.Use(shop.Signed(Name), s.faulty, middleware.GetHead)
	r.NotFound(shop.Missing)
	r.MethodNotAllowed(shop.NotAllowed(r))
	r.Get("/healthz", shop.Healthy)
	r.Get("/api/orders", s.list)
	r.Post("/api/orders", s.create)
	r.Get("/api/orders/{id}", s.show)
	r.Patch("/api/orders/{id}", s.update)
	r.Get("/api/orders/{id}/events", s.events)
	r.Get("/api/orders/{id}/invoice", s.invoice)
	return s
}

// ServeHTTP answers a request, with the faults planted.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// usualPace is the time between two events of a stream.
const usualPace = time.Second
