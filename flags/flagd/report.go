package flagd

import (
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// A Report says how one reading of the source went.
type Report struct {
	Time     time.Time       // when it began
	OK       bool            // the source is good, and answers
	Changed  []string        // flags whose answers may differ now, sorted; all at the start
	Hash     string          // of the definition that answers now; empty: none yet
	Err      error           // why not OK: [routes.Problems], or of the file system or the network
	Warnings routes.Problems // of the definition that answers now
	Kept     bool            // that is the copy of an earlier process
	Took     time.Duration   // to read, compile and swap
	Trigger  string          // "start", "watch" or "poll"
}
