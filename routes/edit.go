package routes

import "net/http"

// Apply edits a header: first Remove, then Set, then Add. Values are taken as
// they are; nothing in them is replaced. The nil HeaderEdit changes nothing.
func (e *HeaderEdit) Apply(h http.Header) {
	if e == nil {
		return
	}
	for _, name := range e.Remove {
		h.Del(name)
	}
	for _, f := range e.Set {
		h.Set(f.Name, f.Value)
	}
	for _, f := range e.Add {
		h.Add(f.Name, f.Value)
	}
}
