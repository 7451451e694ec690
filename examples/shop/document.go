package shop

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// HAL is the content type of the documents with links.
const HAL = "application/hal+json"

// A Link leads to another document.
type Link struct {
	Href string `json:"href"`
}

// An OrderDocument is an order as the API shows it.
type OrderDocument struct {
	Links    map[string]Link `json:"_links"`
	ID       string          `json:"id"`
	Status   Status          `json:"status"`
	Items    []Item          `json:"items"`
	Total    Money           `json:"total"`
	Currency string          `json:"currency"`
	Note     string          `json:"note"`
	Placed   time.Time       `json:"placed"`
	Updated  time.Time       `json:"updated"`
}

// Document returns the order as the API shows it.
func (o Order) Document() OrderDocument {
	self := OrderPath(o.ID)
	links := map[string]Link{
		"self":    {self},
		"events":  {self + "/events"},
		"invoice": {self + "/invoice"},
	}
	return OrderDocument{links, o.ID, o.Status, o.Items, o.Total(), "EUR", o.Note, o.Placed, o.Updated}
}

// OrderPath returns where the API shows an order.
func OrderPath(id string) string { return "/api/orders/" + url.PathEscape(id) }

// An OrderList is a page of orders as the API shows it.
type OrderList struct {
	Links    map[string]Link `json:"_links"`
	Embedded struct {
		Orders []OrderDocument `json:"orders"`
	} `json:"_embedded"`
	Page        int       `json:"page"`
	Total       int       `json:"total"`
	GeneratedAt time.Time `json:"generatedAt"` // different with every answer
}

// ParseFilter reads the query of a list.
func ParseFilter(q url.Values) (Filter, error) {
	f := Filter{Status: Status(q.Get("status")), Page: 1, Size: 10}
	for _, number := range []struct {
		name string
		into *int
	}{{"page", &f.Page}, {"size", &f.Size}} {
		if text := q.Get(number.name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > 100 {
				return f, errorf(400, "%s=%s; it must be between 1 and 100", number.name, text)
			}
			*number.into = n
		}
	}
	return f, nil
}

// List returns a page of an owner's orders as the API shows it.
func (s *Store) List(owner Owner, f Filter) OrderList {
	orders, total := s.Orders(owner, f)
	list := OrderList{Page: f.Page, Total: total, GeneratedAt: s.now().UTC()}
	list.Links = map[string]Link{"self": {f.path(f.Page)}}
	if f.Page*f.Size < total {
		list.Links["next"] = Link{f.path(f.Page + 1)}
	}
	if f.Page > 1 {
		list.Links["prev"] = Link{f.path(f.Page - 1)}
	}
	list.Embedded.Orders = make([]OrderDocument, len(orders)) // [] rather than null
	for i, o := range orders {
		list.Embedded.Orders[i] = o.Document()
	}
	return list
}

func (f Filter) path(page int) string {
	q := url.Values{"page": {strconv.Itoa(page)}, "size": {strconv.Itoa(f.Size)}}
	if f.Status != "" {
		q.Set("status", string(f.Status))
	}
	return "/api/orders?" + q.Encode()
}

// Invoice returns the order's invoice as plain text.
func (o Order) Invoice() string {
	var b strings.Builder
	fmt.Fprintf(&b, "INVOICE %s                                  %s\n\n", o.ID, o.Placed.Format(time.DateOnly))
	for _, item := range o.Items {
		fmt.Fprintf(&b, "%4d x %-32s %10s %10s\n", item.Quantity, item.Name, item.Price, item.Subtotal)
	}
	fmt.Fprintf(&b, "\n%-49s EUR %6s\n", "TOTAL", o.Total())
	return b.String()
}
