package evidencetest

import (
	"net/http"
	"time"
)

// measured is enough to know the p99 of a monolith by.
const measured = 1400

// badLatencies are services that answer well, and too late.
var badLatencies = []fault{
	{name: "a slow header", live: 25, warm: measured, both: late(2 * time.Millisecond), service: late(150 * time.Millisecond), verdict: rolledBack, need: rate(1, 0.03), quick: true},
	{name: "a slow body", live: 25, warm: measured, both: late(2 * time.Millisecond), service: lateBody(150 * time.Millisecond), verdict: rolledBack, need: rate(1, 0.03)},
	{name: "a body that trickles", live: 25, warm: measured, both: late(2 * time.Millisecond), service: trickled(20, 10*time.Millisecond), verdict: rolledBack, need: rate(1, 0.03)},
	{name: "three times slower", live: 50, warm: measured, both: late(10 * time.Millisecond), service: late(20 * time.Millisecond), verdict: rolledBack, need: rate(1, 0.2)},
	{name: "three times slower, and below the p99", live: 50, warm: measured, both: slowTail, service: late(10 * time.Millisecond), verdict: rolledBack, need: rate(1, 0.5)},
	{name: "the p99 alone", live: 25, warm: measured, both: late(2 * time.Millisecond), service: sometimes("service", 0.1, late(200*time.Millisecond)), verdict: rolledBack, need: rate(0.1, 0.02)},
	{name: "slower with every request", live: 25, warm: measured, both: late(2 * time.Millisecond), service: slower(time.Millisecond, 300*time.Millisecond), verdict: rolledBack,
		need: within(2*50*100/25, rate(1, 0.03))},
}

// slowTail takes 5 ms, and one time in thirty 100 ms.
func slowTail(good http.Handler) http.Handler {
	return sometimes("tail", 1.0/30, late(95*time.Millisecond))(late(5 * time.Millisecond)(good))
}
