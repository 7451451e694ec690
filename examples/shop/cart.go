package shop

import "slices"

// A Line is a number of one product, in a cart or an order to be placed.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// AddToCart puts products into the cart of a session.
func (s *Store) AddToCart(token string, line Line) error {
	return s.update(func(d *data) error {
		session, ok := d.Sessions[token]
		if !ok {
			return errorf(403, "the session has ended")
		}
		cart := slices.Clone(session.Cart)
		i := slices.IndexFunc(cart, func(l Line) bool { return l.SKU == line.SKU })
		if i < 0 {
			cart = append(cart, line)
		} else {
			cart[i].Quantity += line.Quantity
		}
		if _, err := d.price(cart); err != nil {
			return err
		}
		session.Cart = cart
		d.Sessions[token] = session
		return nil
	})
}

// Checkout places what is in the cart of a session as an order, and empties
// the cart. Of two at once, one finds it empty: a conflict [Error].
func (s *Store) Checkout(token string, owner Owner, note string) (o Order, err error) {
	err = s.update(func(d *data) error {
		session := d.Sessions[token]
		if len(session.Cart) == 0 {
			return errorf(409, "the cart is empty")
		}
		items, err := d.price(session.Cart)
		if err != nil {
			return err
		}
		o = d.add(owner, items, note, Placed, s.now())
		session.Cart = nil
		d.Sessions[token] = session
		return nil
	})
	return o, err
}

// Price returns what the lines cost today.
func (s *Store) Price(lines []Line) (items []Item, err error) {
	s.view(func(d *data) { items, err = d.price(lines) })
	return items, err
}

func (d *data) price(lines []Line) ([]Item, error) {
	items := make([]Item, 0, len(lines))
	for _, line := range lines {
		p, err := d.product(line.SKU)
		if err != nil {
			return nil, errorf(422, "no product %q", line.SKU)
		}
		if line.Quantity < 1 || line.Quantity > 1000 {
			return nil, errorf(422, "%d of %s; between 1 and 1000 can be had", line.Quantity, line.SKU)
		}
		items = append(items, Item{SKU: p.SKU, Name: p.Name, Quantity: line.Quantity, Price: p.Price, Subtotal: p.Price * Money(line.Quantity)})
	}
	return items, nil
}
