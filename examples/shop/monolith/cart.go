package monolith

import (
	"net/http"
	"strconv"

	"github.com/ficus-gateway/ficus/examples/shop"
)

func (a *App) cart(w http.ResponseWriter, r *http.Request) {
	session, err := a.session(w, r)
	if err != nil {
		a.problem(w, err)
		return
	}
	items, err := a.store.Price(session.Cart)
	if err != nil {
		a.problem(w, err)
		return
	}
	p := a.personal("Your cart", session)
	p.Items, p.Total = items, shop.Order{Items: items}.Total()
	a.render(w, http.StatusOK, "cart.html", p)
}

func (a *App) addToCart(w http.ResponseWriter, r *http.Request) {
	session, err := a.posted(w, r)
	if err != nil {
		a.problem(w, err)
		return
	}
	quantity, err := strconv.Atoi(r.PostFormValue("quantity"))
	if err != nil {
		quantity = 1
	}
	if err := a.store.AddToCart(session.Token, shop.Line{SKU: r.PostFormValue("sku"), Quantity: quantity}); err != nil {
		a.problem(w, err)
		return
	}
	http.Redirect(w, r, "/cart", http.StatusSeeOther)
}

func (a *App) checkout(w http.ResponseWriter, r *http.Request) {
	session, err := a.posted(w, r)
	if err != nil {
		a.problem(w, err)
		return
	}
	order, err := a.store.Checkout(session.Token, a.store.Adopt(w, r), r.PostFormValue("note"))
	if err != nil {
		a.problem(w, err)
		return
	}
	http.Redirect(w, r, "/orders/"+order.ID, http.StatusSeeOther)
}
