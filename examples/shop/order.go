package shop

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// A Status is how far an order has come.
type Status string

// The statuses, in order; an order may be cancelled before it is shipped.
const (
	Placed    Status = "placed"
	Paid      Status = "paid"
	Packed    Status = "packed"
	Shipped   Status = "shipped"
	Delivered Status = "delivered"
	Cancelled Status = "cancelled"
)

var progress = []Status{Placed, Paid, Packed, Shipped, Delivered}

// Ahead returns the statuses that an order at s has before it, s included.
func (s Status) Ahead() []Status {
	if i := slices.Index(progress, s); i >= 0 {
		return progress[i:]
	}
	return []Status{s}
}

// An Order is what a customer has bought.
type Order struct {
	ID      string    `json:"id"`
	Owner   Owner     `json:"owner"`
	Status  Status    `json:"status"`
	Items   []Item    `json:"items"`
	Note    string    `json:"note,omitempty"`
	Version int       `json:"version"` // from 1, one more with each change
	Placed  time.Time `json:"placed"`
	Updated time.Time `json:"updated"`
}

// An Item is a line of an order, at the price it was bought for.
type Item struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Quantity int    `json:"quantity"`
	Price    Money  `json:"price"`
	Subtotal Money  `json:"subtotal"`
}

// Total returns what the order costs.
func (o Order) Total() (sum Money) {
	for _, item := range o.Items {
		sum += item.Subtotal
	}
	return sum
}

// ETag returns the entity tag of the order's current version.
func (o Order) ETag() string { return fmt.Sprintf(`"%s-%d"`, o.ID, o.Version) }

// A Filter picks some of an owner's orders. The zero value is the first page
// of all.
type Filter struct {
	Status Status
	Page   int // from 1
	Size   int // orders per page; 0: 10
}

// Orders returns one page of an owner's orders, newest first, and how many
// there are on all pages.
func (s *Store) Orders(owner Owner, f Filter) (page []Order, total int) {
	s.view(func(d *data) {
		mine := d.byOwner[owner]
		size, number := f.Size, max(f.Page, 1)
		if size == 0 {
			size = 10
		}
		for _, i := range slices.Backward(mine) {
			if o := d.Orders[i]; f.Status == "" || o.Status == f.Status {
				if total/size == number-1 {
					page = append(page, o)
				}
				total++
			}
		}
	})
	return page, total
}

// Order returns one order. That of somebody else is as good as none: a
// not-found [Error].
func (s *Store) Order(owner Owner, id string) (o Order, err error) {
	s.view(func(d *data) { o, err = d.order(owner, id) })
	return o, err
}

func (d *data) order(owner Owner, id string) (Order, error) {
	if i, err := strconv.Atoi(id); err == nil && owner != "" {
		if i -= firstOrder; i >= 0 && i < len(d.Orders) && d.Orders[i].Owner == owner && d.Orders[i].ID == id {
			return d.Orders[i], nil
		}
	}
	return Order{}, errorf(404, "no order %q", id)
}

// A Draft is an order to be placed.
type Draft struct {
	Items []Line `json:"items"`
	Note  string `json:"note"`
}

// Place places an order at today's prices. A key that the owner has used
// before returns the order it gave then, so that a request sent twice buys once.
func (s *Store) Place(owner Owner, draft Draft, key string) (o Order, err error) {
	err = s.update(func(d *data) error {
		if id, ok := d.Keys[string(owner)+" "+key]; ok && key != "" {
			o, err = d.order(owner, id)
			return err
		}
		if len(draft.Items) == 0 {
			return errorf(422, "an order needs items")
		}
		items, err := d.price(draft.Items)
		if err != nil {
			return err
		}
		o = d.add(owner, items, draft.Note, Placed, s.now())
		if key != "" {
			d.Keys[string(owner)+" "+key] = o.ID
		}
		return nil
	})
	return o, err
}

// firstOrder is the number of the first order; the others follow.
const firstOrder = 1001

func (d *data) add(owner Owner, items []Item, note string, status Status, at time.Time) Order {
	at = at.UTC().Truncate(time.Second)
	o := Order{ID: strconv.Itoa(firstOrder + len(d.Orders)), Owner: owner, Status: status, Items: items, Note: note, Version: 1, Placed: at, Updated: at}
	d.byOwner[owner] = append(d.byOwner[owner], len(d.Orders))
	d.Orders = append(d.Orders, o)
	return o
}

// A Change is what a customer may change of an order; nil leaves a thing as it is.
type Change struct {
	Status *Status `json:"status"`
	Note   *string `json:"note"`
}

// Change changes an order. Unless tag is empty or *, the order must still be
// at the version that has this entity tag.
func (s *Store) Change(owner Owner, id, tag string, c Change) (o Order, err error) {
	err = s.update(func(d *data) error {
		if o, err = d.order(owner, id); err != nil {
			return err
		}
		if tag != "" && tag != "*" && tag != o.ETag() {
			return errorf(412, "order %s has changed; its tag is now %s", id, o.ETag())
		}
		if c.Status != nil {
			switch {
			case *c.Status != Cancelled:
				return errorf(422, "customers may only set the status %q", Cancelled)
			case o.Status != Placed && o.Status != Paid && o.Status != Packed:
				return errorf(409, "order %s is %s already", id, o.Status)
			}
			o.Status = Cancelled
		}
		if c.Note != nil {
			o.Note = *c.Note
		}
		o.Version++
		o.Updated = s.now().UTC().Truncate(time.Second)
		i, _ := strconv.Atoi(id)
		d.Orders[i-firstOrder] = o
		return nil
	})
	return o, err
}

// Sold returns how many of each product are in orders that were not cancelled.
func (s *Store) Sold() map[string]int {
	sold := make(map[string]int)
	s.view(func(d *data) {
		for _, o := range d.Orders {
			if o.Status == Cancelled {
				continue
			}
			for _, item := range o.Items {
				sold[item.SKU] += item.Quantity
			}
		}
	})
	return sold
}
