// Package upstream speaks to the endpoints of an upstream: it keeps their
// connections, chooses among them by load and health, and makes one HTTP
// exchange at a time, byte for byte what the caller asks for.
//
//	up, err := upstream.New(def)
//	...
//	res, err := up.Do(ctx, &upstream.Request{Method: "GET", Target: "/a/../b%2F", Host: "shop", Header: h})
//	if err != nil { // a *upstream.Error that says how far the request got
//	}
//	defer res.Close()
//	io.Copy(w, res.Body)
//
// HTTP/1.1 is spoken by this package itself, since net/http's Transport
// rewrites the request target, hides its retries and costs two goroutines per
// connection; HTTP/2 is net/http's.
package upstream
