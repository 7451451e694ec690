package evidencetest

var rung = visits{grpc: true, call: rings}

// badCalls are gRPC services whose calls fail, with status 200.
var badCalls = []fault{
	{name: "gRPC 13 in the header", live: 25, settings: follows, visits: rung, service: grpc("header", "13"), verdict: rolledBack, need: rate(1, 0)},
	{name: "gRPC 13 in the trailer", live: 25, settings: follows, visits: rung, service: grpc("trailer", "13"), verdict: rolledBack, need: rate(1, 0), quick: true},
	{name: "gRPC 14 in trailers alone", live: 50, settings: follows, visits: rung, service: grpc("trailers only", "14"), verdict: rolledBack, need: rate(1, 0)},
	{name: "gRPC 16 in trailers alone", live: 25, settings: follows, visits: rung, service: grpc("trailers only", "16"), verdict: rolledBack, need: rate(1, 0)},
	{name: "gRPC 5 in the trailer", live: 95, settings: follows, visits: rung, service: grpc("trailer", "5"), verdict: rolledBack, need: rate(1, 0)},
	{name: "gRPC without a status", live: 25, settings: follows, visits: rung, service: grpc("none", ""), verdict: rolledBack, need: rate(1, 0)},
}
