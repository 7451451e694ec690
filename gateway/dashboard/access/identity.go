package access

import (
	"fmt"
	"slices"
)

// A Role says what somebody may do. The zero value may do nothing.
type Role string

// The roles of people; each may do what those before it may. A reporter is a
// program that only says how things went: it reads nothing, and moves nothing by itself.
const (
	Viewer   Role = "viewer"   // reads, and rolls back
	Operator Role = "operator" // moves the migrations of their groups, and those without an owner
	Admin    Role = "admin"    // moves all, and says who else comes in
	Reporter Role = "reporter" // posts outcomes, and nothing else
)

// Roles lists the roles, of people the least first.
var Roles = []Role{Viewer, Operator, Admin, Reporter}

// ParseRole returns the role of that name.
func ParseRole(text string) (Role, error) {
	if r := Role(text); slices.Contains(Roles, r) {
		return r, nil
	}
	return "", fmt.Errorf("no role %q; there are viewer, operator, admin and reporter", text)
}

// Covers reports whether r may do what need may.
func (r Role) Covers(need Role) bool {
	switch {
	case need == Reporter:
		return r == Reporter || r == Admin // what people see must not be what they say
	case r == Reporter:
		return need == ""
	}
	return slices.Index(Roles, r) >= slices.Index(Roles, need)
}

// A Way is how we know who somebody is.
type Way string

// The ways in.
const (
	ByAddress Way = "address" // nobody said; they come from where reads are free
	ByToken   Way = "token"   // a token, with every request
	BySession Way = "session" // a browser that has signed in with a token
	BySignOn  Way = "sign-on" // a browser that has signed in with the identity provider
)

// An Identity is who sends a request. The zero value is nobody, who may do nothing.
type Identity struct {
	Actor  string   // their name in the log; never empty for somebody who is known
	Role   Role     // what they may do
	Groups []string // what owners of migrations are matched with
	Via    Way      // how we know
	Shared bool     // the credential is one that several people share, so that the name is their own word
}

// Known reports whether somebody has shown who they are.
func (id Identity) Known() bool { return id.Via != "" && id.Via != ByAddress }

// May reports whether somebody may change what owner owns; an empty owner is nobody.
func (id Identity) May(owner string) bool {
	if !id.Known() || !id.Role.Covers(Operator) {
		return false
	}
	return id.Role == Admin || owner == "" || slices.Contains(id.Groups, owner)
}
