package outside

import "time"

// Options bound what a provider may cost. The zero value is good for a provider
// that answers from memory.
type Options struct {
	// Timeout bounds how long an evaluation waits; 0: 50 ms.
	Timeout time.Duration

	// Patience bounds how long a late answer is waited for in the background, to
	// be remembered; 0: 2 s. A provider that does not heed its context may take
	// longer, and keeps one of AtOnce meanwhile.
	Patience time.Duration

	// Fresh is how long an answer counts without asking again; 0: each evaluation
	// asks.
	Fresh time.Duration

	// AtOnce bounds the evaluations that are with the provider; 0: 64.
	AtOnce int

	// Remember bounds the answers that are remembered; 0: 100,000, of about 150
	// bytes each.
	Remember int

	// Valid says whether a value makes sense; nil: all do.
	Valid func(flag, value string) bool

	// Changed is called when the provider says that flags have changed: those named,
	// or any if none is. It is called by one goroutine at a time, and must not take
	// long. Version is what the provider says of the change; empty: nothing.
	Changed func(flags []string, version string)

	// Back is called when the provider has been initialised, and when it answers
	// again after a time in which it did not. It must not take long.
	Back func()

	// Now is the clock; nil: [time.Now].
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 50 * time.Millisecond
	}
	if o.Patience < o.Timeout {
		o.Patience = max(2*time.Second, o.Timeout)
	}
	if o.AtOnce <= 0 {
		o.AtOnce = 64
	}
	if o.Remember <= 0 {
		o.Remember = 100_000
	}
	if o.Valid == nil {
		o.Valid = func(string, string) bool { return true }
	}
	if o.Changed == nil {
		o.Changed = func([]string, string) {}
	}
	if o.Back == nil {
		o.Back = func() {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
