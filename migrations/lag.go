package migrations

import (
	"fmt"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Behind says by how much replicated data is behind, if that is more than the
// plan bears or not known; it is empty if all is well, and for data that is not
// replicated. While it is not empty, steps forward, fallbacks and automatic
// rollbacks stop: the monolith would lack what the service has written.
func (p Plan) Behind(lag evidence.Lag) string {
	switch {
	case p.Data != DataSynced || p.Synced == nil:
		return ""
	case !lag.Known:
		return "it is not known how far the data lags behind"
	case lag.Behind > p.Synced.MaxLag:
		return fmt.Sprintf("the data lags behind by %s, more than %s", lag.Behind, p.Synced.MaxLag)
	}
	return ""
}
