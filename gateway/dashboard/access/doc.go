// Package access knows who may come in by the admin listener, and as what.
//
//	door, err := access.Open(access.Options{Shared: token})
//	...
//	who, ok := door.Bearer(presented) // a program, by a token
//	who, ok := door.Session(id)       // a browser, by a cookie
//	if !who.Role.Covers(access.Operator) { ... }
//
// There are three roles of people. A viewer reads, and may take traffic back to the
// monolith; an operator changes the migrations that nobody owns and those of
// the groups that they are in; an admin changes all, and says who else comes in. A fourth, the
// reporter, is for applications: it posts outcomes and does nothing else.
//
// Whatever lets somebody in is a random number of 256 bits, of which only the
// SHA-256 is kept, in memory and on disk alike: what the files hold opens
// nothing. A slow hash would protect a password that people think up; for a
// random number it only offers a way to keep the gateway busy.
package access
