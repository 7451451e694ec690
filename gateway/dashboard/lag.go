package dashboard

import (
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A Lag is by how much the data of the monolith and the service lag apart.
type Lag struct {
	Known   bool   `json:"known"`
	Behind  string `json:"behind,omitempty"`  // as in 1.2s
	Limit   string `json:"limit"`             // what can be borne
	Trouble string `json:"trouble,omitempty"` // why no step forward, fallback and automatic rollback happen; absent: they do
}

// lagOf shows the lag of a migration whose data is synced; nil for others.
func lagOf(p migrations.Plan, l evidence.Lag) *Lag {
	if p.Data != migrations.DataSynced || p.Synced == nil {
		return nil
	}
	out := &Lag{Known: l.Known, Limit: p.Synced.MaxLag.String(), Trouble: p.Behind(l)}
	if l.Known {
		out.Behind = l.Behind.String()
	}
	return out
}
