package redistally

import (
	"encoding/json"
	"errors"
	"time"
)

// format is the version of what is written. A gateway reads what others of
// that version have written, with members that it does not know.
const format = 2

// A head is what a gateway says of itself and of its parts.
type head struct {
	Format int               `json:"format"`
	Run    string            `json:"run"`            // of the process: after a restart versions begin anew
	At     int64             `json:"at"`             // when, in Unix milliseconds by the log's clock
	Left   bool              `json:"left,omitempty"` // it has ended
	Most   int               `json:"most"`           // greatest number of gateways that it has known at a time
	Parts  map[string]uint64 `json:"parts"`          // versions, by name
}

var errFormat = errors.New("written by a gateway of another version, whose counts this one does not know")

func readHead(text string) (h head, err error) {
	if err = json.Unmarshal([]byte(text), &h); err == nil && h.Format != format {
		err = errFormat
	}
	return h, err
}

// alive reports whether the gateway is there.
func (h head) alive(now time.Time) bool {
	return !h.Left && now.Sub(time.UnixMilli(h.At)) < Gone
}
