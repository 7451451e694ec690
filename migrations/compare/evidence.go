package compare

// evidence is what is known about one path of one endpoint.
type evidence struct {
	Path      string         `json:"path"`
	Seen      uint32         `json:"seen"`  // probes that had the path
	Apart     [levels]uint32 `json:"apart"` // of them, those in which the control agreed with itself less than at the level
	Bets      [levels]Bet    `json:"bets"`  // by level
	Rank      int            `json:"rank"`  // when it was registered
	Test      int            `json:"test"`  // which of its tests, from 1
	Confirmed bool           `json:"confirmed,omitempty"`

	score float64 // ln of weight × E
}

// agreement is the share of probes in which the control has to agree with
// itself at a level, for the candidate to be held to it.
const agreement = 0.99

// forget is the number of probes after which old ones count half, so that a
// field that becomes a clock is learned again.
const forget = 4096

// level is the finest at which the control agrees with itself often enough.
func (e *evidence) level() Level {
	for l, n := range e.Apart {
		if float64(n) <= (1-agreement)*float64(e.Seen) {
			return Level(l)
		}
	}
	return Nothing
}

// learn counts a probe that had the path; apart is the level at which the
// control agreed with itself.
func (e *evidence) learn(apart Level) {
	e.Seen++
	for l := range e.Apart {
		if apart > Level(l) {
			e.Apart[l]++
		}
	}
	if e.Seen >= forget {
		e.Seen /= 2
		for l := range e.Apart {
			e.Apart[l] /= 2
		}
	}
}

// bet adds a coin for each level, and says whether any was thrown.
func (e *evidence) bet(signs [levels]int8) bool {
	any := false
	for l, s := range signs {
		if s != 0 {
			e.Bets[l].Add(int(s))
			any = true
		}
	}
	if any {
		e.weigh()
	}
	return any
}

// gone is ln of the E below which a test is given up and the next begins: it
// has seen so much noise that it could no longer see a fault that is new.
const gone = -7

func (e *evidence) weigh() {
	log := e.log()
	if log < gone && !e.Confirmed {
		e.restart()
		return
	}
	e.score = logWeight(e.Rank, e.Test) + log
}

// log is ln of the mean E over levels and stakes.
func (e *evidence) log() float64 {
	var logs [levels * len(stakes)]float64
	for l, b := range e.Bets {
		for s, stake := range stakes {
			logs[l*len(stakes)+s] = b.Log(stake)
		}
	}
	return logMean(logs[:])
}

// restart begins the next test, with its own share of α.
func (e *evidence) restart() {
	e.Bets = [levels]Bet{}
	e.Test++
	e.Confirmed = false
	e.score = logWeight(e.Rank, e.Test)
}

// signs says, for each level, which of the two pairs disagrees alone: above 0
// the candidate with the control, below 0 the control with itself.
func signs(candidate, control Level) (s [levels]int8) {
	for l := range s {
		if candidate > Level(l) {
			s[l]++
		}
		if control > Level(l) {
			s[l]--
		}
	}
	return s
}
