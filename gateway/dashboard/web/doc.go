// Package web makes the pages of the admin listener for people with a browser:
// where every migration stands, what comparing has found, what the routes are
// and what has happened, and the forms to change it.
//
//	pages, err := web.New(web.Options{State: follower.State, ...})
//	go pages.Run(ctx)                       // keeps five minutes of counts, and those who watch up to date
//	handler, err := dashboard.New(dashboard.Deps{Pages: pages.Serve, ...})
//
// The pages are a client of the admin API, in the same process: whatever they
// show they ask of it and whatever they change they change by it, as the person
// who sent the request. So they can do nothing that the command can't, what
// somebody may do is decided in one place, and each change is an event with an
// actor. What they know besides is the counts over time.
//
// All of it is made on the server. Forms work without the script, which is
// there to bring parts of a page up to date while it is open: each part is
// rendered once for all who look at it, and sent to them as server-sent events.
package web
