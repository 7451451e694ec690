// Package client asks the admin listener of a gateway: it is what the command
// line speaks through.
//
//	c, err := client.New("unix:/run/ficus.sock", token, "alice")
//	m, err := c.Migration(ctx, "orders")
//	_, err = c.Shift(ctx, "orders", shares, "first users", m.Seq)
//
// Its errors are words for a person, with what to do next; [errors.As] gets
// the [dashboard.Problem] behind one.
package client
