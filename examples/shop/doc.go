// Package shop is a small shop to migrate: what its monolith and its extracted
// orders service have in common. Package monolith is the application that owns
// every path, package orders answers /api/orders in its place, and package
// load is their customers.
//
// Both applications work on one [Store], so that a customer may change sides
// in the middle of an order and lose nothing:
//
//	store, err := shop.Open(shop.Options{Seed: 7})
//	legacy := monolith.New(store)   // http.Handler
//	modern := orders.New(store)     // http.Handler
//
// The same seed gives the same products, customers and past orders. What is
// created later is numbered in order; only session tokens are random.
package shop

// ServedBy is the header by which each application names itself.
const ServedBy = "X-Served-By"

// The cookies of the shop.
const (
	SessionCookie = "sid"   // token of the session; not for scripts
	UserCookie    = "uid"   // id of the customer logged in: a targeting key
	GuestCookie   = "guest" // whose orders these are, without an account
)
