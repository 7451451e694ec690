package notify

import "context"

// A Place keeps how far each hook has been told, and sees to it that of several
// gateways of one log mostly one tells a hook. If two do for a while, a hook
// hears of something twice, under the same id.
type Place interface {
	// Hold returns the last event of which a hook has been told, or begin for one
	// that never was. It is not held if another gateway tells this hook. It must be
	// called again within ten seconds or so.
	Hold(ctx context.Context, hook string, begin uint64) (told uint64, held bool, err error)
	// Told keeps that a hook, which is held, has been told of the events up to
	// seq.
	Told(ctx context.Context, hook string, seq uint64) error
	// Release lets another gateway tell a hook.
	Release(ctx context.Context, hook string) error
}
