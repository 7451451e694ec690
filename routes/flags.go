package routes

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// BuiltIn is the source of flags that is the event log.
const BuiltIn = migrations.BuiltIn

// Flags say who evaluates the flags of migrations.
type Flags struct {
	Source     string // [BuiltIn]; "file:PATH" or a URL of flagd definitions; "ofrep+" and a URL
	Token      string // for a URL; empty: none
	Headers    map[string]string
	Interval   time.Duration // between two looks, or for which an answer counts
	Timeout    time.Duration // for which a request waits
	Attributes []Attribute   // by name
}

// Name returns the source as it may be shown: without what lets people in.
func (f Flags) Name() string { return redacted(f.Source) }

// An Attribute is one fact of a request that the rules of an outside provider
// may ask for.
type Attribute struct {
	Name string
	From migrations.KeySource
}

// OFREP says where applications ask for the side of a key.
type OFREP struct {
	Listen  *Listener // nil: on the admin listener only
	Token   string    // empty: none is needed
	Open    bool      // none is needed, off the loopback either
	Origins []string  // whose pages may ask from a browser
}
