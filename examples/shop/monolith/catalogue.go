package monolith

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// The catalogue is the same for everybody, so that shared caches may keep it.

func (a *App) home(w http.ResponseWriter, r *http.Request) {
	if a.fresh(w, r, "home") {
		return
	}
	a.render(w, http.StatusOK, "catalogue.html", page{Title: "The Fig Tree", Products: a.store.Products("")[:6]})
}

func (a *App) catalogue(w http.ResponseWriter, r *http.Request) {
	category := r.URL.Query().Get("category")
	products := a.store.Products(category)
	if len(products) == 0 {
		a.problem(w, &shop.Error{Status: http.StatusNotFound, Text: "no such category"})
		return
	}
	if a.fresh(w, r, "catalogue", category) {
		return
	}
	a.render(w, http.StatusOK, "catalogue.html", page{Title: "Catalogue", Category: category, Products: products})
}

func (a *App) product(w http.ResponseWriter, r *http.Request) {
	p, err := a.store.Product(chi.URLParam(r, "sku"))
	if err != nil {
		a.problem(w, err)
		return
	}
	if a.fresh(w, r, "product", p.SKU) {
		return
	}
	a.render(w, http.StatusOK, "product.html", page{Title: p.Name, Product: p})
}

func (a *App) productList(w http.ResponseWriter, r *http.Request) {
	category := r.URL.Query().Get("category")
	if a.fresh(w, r, "products", category) {
		return
	}
	shop.WriteJSON(w, http.StatusOK, "application/json", struct {
		Products []shop.Product `json:"products"`
	}{a.store.Products(category)})
}

func (a *App) productDocument(w http.ResponseWriter, r *http.Request) {
	p, err := a.store.Product(chi.URLParam(r, "sku"))
	if err != nil {
		shop.WriteError(w, err)
		return
	}
	if a.fresh(w, r, "api", p.SKU) {
		return
	}
	shop.WriteJSON(w, http.StatusOK, "application/json", p)
}

// fresh sets the validators of an answer made of the catalogue, and answers
// the request if the client has it already.
func (a *App) fresh(w http.ResponseWriter, r *http.Request, of ...string) bool {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q%s", of, a.edition))
	tag := fmt.Sprintf(`"%x"`, sum[:8])
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "public, max-age=60")
	if r.Header.Get("If-None-Match") != tag {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

func (a *App) stylesheet(w http.ResponseWriter, r *http.Request) {
	css, err := files.ReadFile("pages/shop.css")
	if err != nil {
		a.problem(w, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	http.ServeContent(w, r, "shop.css", time.Time{}, bytes.NewReader(css))
}
