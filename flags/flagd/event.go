package flagd

import (
	"slices"

	"github.com/open-feature/go-sdk/openfeature"
)

// EventChannel returns the channel of the provider's events:
//
//	PROVIDER_CONFIGURATION_CHANGED  another definition answers; FlagChanges
//	                                names the flags, and the event's metadata
//	                                has its "hash" and its "source"
//	PROVIDER_STALE                  the source cannot be read, or what it has is
//	                                no definition; the last good one answers
//	PROVIDER_READY                  the source is good again
func (p *Provider) EventChannel() <-chan openfeature.Event { return p.events }

// tell sends an event. When nobody has read the last 16, the oldest goes, and
// the next change names its flags too.
func (p *Provider) tell(kind openfeature.EventType, details openfeature.ProviderEventDetails) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.events) == cap(p.events) {
		select {
		case unread := <-p.events:
			p.unsaid = append(p.unsaid, unread.FlagChanges...)
		default:
		}
	}
	if kind == openfeature.ProviderConfigChange && len(p.unsaid) > 0 {
		details.FlagChanges = append(slices.Clone(details.FlagChanges), p.unsaid...)
		slices.Sort(details.FlagChanges)
		details.FlagChanges, p.unsaid = slices.Compact(details.FlagChanges), nil
	}
	p.events <- openfeature.Event{ProviderName: ProviderName, EventType: kind, ProviderEventDetails: details} // has room: only readers have been at it since
}
