package orders

import (
	"net/http"

	"github.com/ficus-gateway/ficus/examples/shop"
)

func (s *Service) list(w http.ResponseWriter, r *http.Request) {
	filter, err := shop.ParseFilter(r.URL.Query())
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	list := s.store.List(s.store.Owner(r), filter)
	for i := range list.Embedded.Orders {
		s.spoil(&list.Embedded.Orders[i])
	}
	private(w, "no-store")
	shop.WriteJSON(w, http.StatusOK, shop.HAL, list)
}

func (s *Service) show(w http.ResponseWriter, r *http.Request) {
	order, err := s.order(r)
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	private(w, "no-cache")
	w.Header().Set("ETag", order.ETag())
	if r.Header.Get("If-None-Match") == order.ETag() {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	shop.WriteJSON(w, http.StatusOK, shop.HAL, s.document(order))
}

func (s *Service) create(w http.ResponseWriter, r *http.Request) {
	var draft shop.Draft
	if err := shop.ReadJSON(w, r, &draft); err != nil {
		shop.WriteError(w, err)
		return
	}
	order, err := s.store.Place(s.store.Adopt(w, r), draft, r.Header.Get("Idempotency-Key"))
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	private(w, "no-store")
	w.Header().Set("Location", shop.OrderPath(order.ID))
	w.Header().Set("ETag", order.ETag())
	shop.WriteJSON(w, http.StatusCreated, shop.HAL, s.document(order))
}

func (s *Service) update(w http.ResponseWriter, r *http.Request) {
	var change shop.Change
	if err := shop.ReadJSON(w, r, &change); err != nil {
		shop.WriteError(w, err)
		return
	}
	order, err := s.store.Change(s.store.Owner(r), shop.OrderID(r), r.Header.Get("If-Match"), change)
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	private(w, "no-store")
	w.Header().Set("ETag", order.ETag())
	shop.WriteJSON(w, http.StatusOK, shop.HAL, s.document(order))
}

// order returns the order that a request names, if it is the client's own.
func (s *Service) order(r *http.Request) (shop.Order, error) {
	return s.store.Order(s.store.Owner(r), shop.OrderID(r))
}

func private(w http.ResponseWriter, more string) {
	w.Header().Set("Cache-Control", "private, "+more)
}
