package load

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// check notes an answer that came, and what is wrong with it if right is not
// true. It reports whether it is right.
func (c *customer) check(a answer, right bool, format string, args ...any) bool {
	switch {
	case a.err != nil:
		c.load.fail(c.name, a, Transport, a.err.Error())
	case a.status >= 500:
		c.load.fail(c.name, a, ServerError, fmt.Sprintf("status %d", a.status))
	case a.status >= 400:
		c.load.fail(c.name, a, Refused, fmt.Sprintf("status %d", a.status))
	case !right:
		c.load.fail(c.name, a, WrongBody, fmt.Sprintf(format, args...))
	default:
		return true
	}
	return false
}

// checkList says what is wrong with a list of orders.
func (c *customer) checkList(list shop.OrderList) error {
	if n := len(list.Embedded.Orders); list.Page != 1 || n != min(list.Total, 10) {
		return fmt.Errorf("page %d of a list of %d has %d orders", list.Page, list.Total, n)
	}
	for _, d := range list.Embedded.Orders {
		if err := sums(d); err != nil {
			return err
		}
	}
	return nil
}

// checkOrder notes an answer that is to show an order, a new one if id is empty.
func (c *customer) checkOrder(a answer, id string) (d shop.OrderDocument, ok bool) {
	err := json.Unmarshal(a.body, &d)
	switch {
	case err != nil:
	case id == "" && (a.status != http.StatusCreated || a.header.Get("Location") != shop.OrderPath(d.ID)):
		err = fmt.Errorf("order %s was created with status %d and Location %q", d.ID, a.status, a.header.Get("Location"))
	case id != "" && d.ID != id:
		err = fmt.Errorf("asked for order %s, got %s", id, d.ID)
	default:
		err = sums(d)
	}
	if before, known := c.totals[d.ID]; err == nil && known && before != d.Total {
		err = fmt.Errorf("order %s was %s before, and is %s", d.ID, before, d.Total)
	}
	return d, c.check(a, err == nil, "%v", err)
}

// sums checks an order's arithmetic.
func sums(d shop.OrderDocument) error {
	var total shop.Money
	for _, item := range d.Items {
		if item.Subtotal != item.Price*shop.Money(item.Quantity) {
			return fmt.Errorf("order %s: %d x %s is not %s", d.ID, item.Quantity, item.Price, item.Subtotal)
		}
		total += item.Subtotal
	}
	if total != d.Total || len(d.Items) == 0 {
		return fmt.Errorf("order %s: the items are %s, the total is %s", d.ID, total, d.Total)
	}
	return nil
}
