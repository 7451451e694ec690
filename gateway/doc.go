// Package gateway is the data plane: an HTTP handler that stands in front of a
// monolith, sends each request to the side that its route and its migration's
// flag give, and is otherwise invisible.
//
//	gw, err := gateway.New(gateway.Options{Table: table, Assigner: assigner})
//	...
//	server := gw.Server()
//	go server.Serve(listener)
//
// A request pins one immutable [Snapshot] of config and state and keeps it
// (law 3). A reload installs a new table with [Gateway.Install], an event of
// the log a new state with [Gateway.Apply]; neither touches requests under way.
package gateway
