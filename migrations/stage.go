package migrations

import (
	"fmt"
	"slices"
	"strings"
)

// A Stage is the value of a migration's flag for one request. The six stages
// are those of LaunchDarkly's migration flags, so that such a flag can be
// plugged in as it is. The zero value is not a stage; a migration that has
// never moved is at [Off].
type Stage string

// The stages, least advanced first.
const (
	Off       Stage = "off"
	DualWrite Stage = "dualwrite"
	Shadow    Stage = "shadow"
	Live      Stage = "live"
	RampDown  Stage = "rampdown"
	Complete  Stage = "complete"
)

// Stages lists all stages, least advanced first. Callers must not change it.
var Stages = []Stage{Off, DualWrite, Shadow, Live, RampDown, Complete}

// Rank orders stages: 0 for [Off], 5 for [Complete], -1 for anything else.
func (s Stage) Rank() int { return slices.Index(Stages, s) }

// Valid reports whether s is one of the six stages.
func (s Stage) Valid() bool { return s.Rank() >= 0 }

// ParseStage returns the stage that text names, or an error that lists all.
func ParseStage(text string) (Stage, error) {
	if s := Stage(text); s.Valid() {
		return s, nil
	}
	return "", fmt.Errorf("no stage %q; the stages are %s", text, stageList())
}

func stageList() string {
	names := make([]string, len(Stages))
	for i, s := range Stages {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

// A Side is one of the two upstreams of a migration.
type Side string

// The sides. Legacy is the upstream that a migration moves from.
const (
	Legacy Side = "legacy"
	Modern Side = "modern"
)

// Writes says where unsafe requests go before [Complete]. The zero value
// means [WritesMonolith].
type Writes string

// What may happen to unsafe requests.
const (
	WritesMonolith Writes = "monolith" // they stay on the monolith at every stage
	WritesFollow   Writes = "follow"   // they go to the side that the stage gives
	WritesRehearse Writes = "rehearse" // one side takes the write, and the other gets a marked copy that must change nothing
	WritesDual     Writes = "dual"     // one side takes the write and answers, and then the other takes it as well
)

// Data says what a way back would cost. The zero value means undeclared:
// unsafe requests stay on the monolith.
type Data string

// What may be declared about the data of a migration.
const (
	DataShared Data = "shared" // both sides see one database
	DataSynced Data = "synced" // replicated, with a lag that can be measured
	DataMoved  Data = "moved"  // an approved point of no return
)

// Follows reports whether unsafe requests go where safe ones go: with
// [WritesFollow], and where rehearsals or double writes stand beside declared
// data.
func (p *Plan) Follows() bool {
	switch p.Writes {
	case WritesFollow:
		return true
	case WritesRehearse, WritesDual:
		return p.Data != ""
	}
	return false
}

// Place returns the side that answers a request at a stage: safe says whether
// its method is safe (RFC 9110, section 9.2.1). An unknown stage counts as
// [Off] (law 4).
func (p *Plan) Place(stage Stage, safe bool) Side {
	switch stage {
	case Complete:
		return Modern
	case Live, RampDown:
		if safe || p.Follows() {
			return Modern
		}
	}
	return Legacy
}
