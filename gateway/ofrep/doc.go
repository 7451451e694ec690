// Package ofrep answers applications that ask where somebody is, by the
// OpenFeature Remote Evaluation Protocol (OFREP, version 0.3.0), so that a
// monolith, a service and a browser get the same side for a targeting key as
// the edge gives it. Any OFREP provider of an OpenFeature SDK can be pointed at
// it.
//
//	POST /ofrep/v1/evaluate/flags/orders
//	{"context": {"targetingKey": "42"}}
//
//	{"key": "orders", "value": "live", "variant": "live", "reason": "SPLIT",
//	 "metadata": {"migration": "orders", "side": "modern", "writes": "legacy"}}
//
// POST /ofrep/v1/evaluate/flags evaluates all flags, with an ETag. Of the
// context, targetingKey is the key; header, cookie and query are objects in
// which the conditions of cells and cohorts look; and everything else is an
// attribute for the rules of an outside provider.
package ofrep
