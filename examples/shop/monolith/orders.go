package monolith

import (
	"net/http"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// The module that was extracted. Package orders answers the same.

func (a *App) listOrders(w http.ResponseWriter, r *http.Request) {
	filter, err := shop.ParseFilter(r.URL.Query())
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	w.Header().Set("Cache-Control", "private, no-store")
	shop.WriteJSON(w, http.StatusOK, shop.HAL, a.store.List(a.store.Owner(r), filter))
}

func (a *App) createOrder(w http.ResponseWriter, r *http.Request) {
	var draft shop.Draft
	if err := shop.ReadJSON(w, r, &draft); err != nil {
		shop.WriteError(w, err)
		return
	}
	order, err := a.store.Place(a.store.Adopt(w, r), draft, r.Header.Get("Idempotency-Key"))
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	w.Header().Set("Location", shop.OrderPath(order.ID))
	answer(w, http.StatusCreated, "private, no-store", order)
}

func (a *App) showOrder(w http.ResponseWriter, r *http.Request) {
	order, err := a.order(r)
	switch {
	case err != nil:
		shop.WriteError(w, err)
	case r.Header.Get("If-None-Match") == order.ETag():
		w.Header().Set("Cache-Control", "private, no-cache")
		w.Header().Set("ETag", order.ETag())
		w.WriteHeader(http.StatusNotModified)
	default:
		answer(w, http.StatusOK, "private, no-cache", order)
	}
}

func (a *App) updateOrder(w http.ResponseWriter, r *http.Request) {
	var change shop.Change
	if err := shop.ReadJSON(w, r, &change); err != nil {
		shop.WriteError(w, err)
		return
	}
	order, err := a.store.Change(a.store.Owner(r), shop.OrderID(r), r.Header.Get("If-Match"), change)
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	answer(w, http.StatusOK, "private, no-store", order)
}

func answer(w http.ResponseWriter, status int, caching string, order shop.Order) {
	w.Header().Set("Cache-Control", caching)
	w.Header().Set("ETag", order.ETag())
	shop.WriteJSON(w, status, shop.HAL, order.Document())
}

// order returns the order that a request names, if it is the client's own.
func (a *App) order(r *http.Request) (shop.Order, error) {
	return a.store.Order(a.store.Owner(r), shop.OrderID(r))
}

func (a *App) orderPages(w http.ResponseWriter, r *http.Request) {
	session, _ := a.current(r)
	p := a.personal("Your orders", session)
	p.Orders, p.Count = a.store.Orders(a.store.Owner(r), shop.Filter{Size: 50})
	a.render(w, http.StatusOK, "orders.html", p)
}

func (a *App) orderPage(w http.ResponseWriter, r *http.Request) {
	order, err := a.order(r)
	if err != nil {
		a.problem(w, err)
		return
	}
	session, _ := a.current(r)
	p := a.personal("Order "+order.ID, session)
	p.Order, p.Items, p.Total = order, order.Items, order.Total()
	a.render(w, http.StatusOK, "order.html", p)
}
