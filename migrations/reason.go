package migrations

import "time"

// A Reason is one thing that a migration waits for before it moves on.
type Reason struct {
	For   Wait      `json:"for"`
	Cell  string    `json:"cell,omitempty"`
	Text  string    `json:"text"`           // for people
	Until time.Time `json:"until,omitzero"` // WaitHold, WaitRetry: log time at which it ends
	Have  uint64    `json:"have,omitempty"` // WaitRequests, WaitObservations, WaitKeys
	Need  uint64    `json:"need,omitempty"`
}

// A Wait names what is waited for, in a word.
type Wait string

// What a migration may wait for.
const (
	WaitResume       Wait = "resume"       // a person resumes the ramp
	WaitShift        Wait = "shift"        // a person shifts it: its plan has no ramp
	WaitConfig       Wait = "config"       // the config gets it back, or all gateways get the same config
	WaitHold         Wait = "hold"         // the step's time
	WaitRequests     Wait = "requests"     // clean requests on the service
	WaitObservations Wait = "observations" // comparisons
	WaitApproval     Wait = "approval"     // a person approves the next step
	WaitStep         Wait = "step"         // nothing: the next step is due
	WaitTraffic      Wait = "traffic"      // any request at all
	WaitKeys         Wait = "keys"         // more people on the service
	WaitCounts       Wait = "counts"       // fresh counts of all gateways
	WaitControl      Wait = "control"      // a monolith that works: it is the control
	WaitService      Wait = "service"      // a service that works again: a blip, too many mismatches
	WaitSaturation   Wait = "saturation"   // room on the service
	WaitSameness     Wait = "sameness"     // answers that are the same as the monolith's
	WaitEndpoint     Wait = "endpoint"     // an endpoint that was not asked enough, or fails
	WaitFinding      Wait = "finding"      // a severe finding to be fixed, accepted or acknowledged
	WaitMetric       Wait = "metric"       // what the application counts
	WaitRatio        Wait = "ratio"        // people to be where the split says
	WaitBurn         Wait = "burn"         // the error budget to burn more slowly
	WaitLag          Wait = "lag"          // the data to catch up
	WaitFreeze       Wait = "freeze"       // a freeze to end
	WaitTurn         Wait = "turn"         // other migrations, or the cells before it
	WaitReturn       Wait = "return"       // a way back that is under way
	WaitRetry        Wait = "retry"        // the cool-down after a rollback
	WaitFlag         Wait = "flag"         // an outside flag provider, which decides
)
