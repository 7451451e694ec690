package gateway

import "github.com/ficus-gateway/ficus/migrations"

// explainOutside says what an outside flag provider answered, and what became
// of it.
func (d *Decision) explainOutside(say func(string, ...any), state *migrations.Migration) {
	whom := "its key, from " + d.Key
	if d.Key == "" {
		whom = "people without a targeting key"
	}
	say("%s decides: its flag %q says %s to %s (%s)", d.Source, d.Flag, d.Said, whom, d.Reason)
	switch {
	case d.Said == d.Stage:
	case state == nil:
		say("the log does not know the migration, so it is %s all the same", d.Stage)
	case state.Completed():
		say("the migration is complete for everybody, and stays so until it is rolled back")
	case state.RolledBack:
		say("the migration was rolled back, so it is at most %s until it is resumed", d.Stage)
	case d.Key == "":
		say("without a targeting key the monolith answers, so it is %s", d.Stage)
	}
}
