package monolith

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"

	"github.com/ficus-gateway/ficus/examples/shop"
)

//go:embed pages
var files embed.FS

var pages = template.Must(template.ParseFS(files, "pages/*.html"))

// A page is what its template is given.
type page struct {
	Title    string
	User     string // name of the customer logged in
	CSRF     string // of the session; empty without one
	Problem  string
	Category string
	Products []shop.Product
	Product  shop.Product
	Items    []shop.Item
	Total    shop.Money
	Orders   []shop.Order
	Order    shop.Order
	Count    int
}

// render answers with a page, which nobody but the client may keep unless the
// header says otherwise already.
func (a *App) render(w http.ResponseWriter, status int, name string, p page) {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, name, p); err != nil {
		http.Error(w, "something went wrong", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "private, no-store")
	}
	w.WriteHeader(status)
	w.Write(body.Bytes())
}

func (a *App) problem(w http.ResponseWriter, err error) {
	e := shop.AsError(err)
	a.render(w, e.Status, "problem.html", page{Title: http.StatusText(e.Status), Problem: e.Text})
}

func (a *App) missing(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		shop.Missing(w, r)
		return
	}
	a.problem(w, &shop.Error{Status: http.StatusNotFound, Text: "nothing is here"})
}
