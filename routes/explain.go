package routes

import (
	"fmt"

	"github.com/ficus-gateway/ficus/migrations"
)

// WritesExplained tells a person what happens to unsafe requests (all but
// GET, HEAD, OPTIONS and TRACE) under a plan, and what a rollback costs.
func WritesExplained(p migrations.Plan) string {
	return unsafeExplained(p) + " " + rollbackExplained(p)
}

func unsafeExplained(p migrations.Plan) string {
	switch {
	case p.Writes == migrations.WritesRehearse:
		return whereWritesGo(p) + " A copy marked Ficus-Shadow goes to the other side, for comparison only, where it has acknowledged that it rehearses."
	case p.Writes == migrations.WritesDual:
		return whereWritesGo(p) + " Those with an Idempotency-Key are sent to the other side as well, once the first has answered and the other has acknowledged it; what it misses is counted, not repeated."
	case p.Writes == migrations.WritesFollow:
		return fmt.Sprintf("Unsafe requests go where safe ones go: to %s for those who are at live or beyond, to %s for the others.", p.To, p.From)
	case p.Data == "":
		return fmt.Sprintf("Unsafe requests stay on %s until complete, since nothing is declared about the data (data: shared, synced or moved).", p.From)
	}
	return fmt.Sprintf("Unsafe requests stay on %s until complete; writes: follow would let them go where the stage says.", p.From)
}

// whereWritesGo says which side answers them.
func whereWritesGo(p migrations.Plan) string {
	if p.Follows() {
		p.Writes = migrations.WritesFollow
	} else {
		p.Writes = migrations.WritesMonolith
	}
	return unsafeExplained(p)
}

func rollbackExplained(p migrations.Plan) string {
	never := !p.Follows()
	switch p.Data {
	case migrations.DataShared:
		return "A rollback loses nothing: both sides see one database."
	case migrations.DataSynced:
		lag := ""
		if p.Synced != nil {
			lag = fmt.Sprintf(", up to %s of writes", p.Synced.MaxLag)
		}
		if never {
			return fmt.Sprintf("A rollback before complete loses nothing, since %s has taken every write; after it, what has not yet been replicated%s, is missing there.", p.From, lag)
		}
		return fmt.Sprintf("A rollback may miss what has not yet been replicated to %s%s.", p.From, lag)
	case migrations.DataMoved:
		return fmt.Sprintf("A rollback loses what %s has written, so while anybody is on it a rollback needs --accept-data-loss.", p.To)
	}
	return fmt.Sprintf("A rollback before complete loses nothing, since %s has taken every write; after it, what %s has written is missing there.", p.From, p.To)
}

// comparisonExplained tells a person what is asked twice.
func comparisonExplained(c migrations.Compare) string {
	if c.Sample <= 0 {
		return "Nothing is compared (compare: {sample: 0%})."
	}
	return fmt.Sprintf("At shadow and live, %g%% of the safe requests are asked of the other side as well, to compare; compare: {sample: 0%%} ends that.", 100*c.Sample)
}
