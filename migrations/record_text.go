package migrations

import "github.com/ficus-gateway/ficus/migrations/evidence"

// Says writes a record of a test of the migration for people, as the reasons of
// decisions do: what users met, and how many of them on either side. The numbers
// of the test are in [evidence.Record.String].
func (p Plan) Says(r evidence.Record) string {
	if p.From == "" {
		p.From = "the monolith"
	}
	if p.To == "" {
		p.To = "the service"
	}
	return p.recordText(r)
}
