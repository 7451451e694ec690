// Package compare says how two answers to the same request differ, and which
// of the differences are real. It is pure: no clocks, no goroutines, no I/O.
//
//	rules, err := compare.CompileRules(compare.Definition{Rules: []compare.Rule{
//		{Do: compare.Ignore, Path: "$.generatedAt"},
//		{Do: compare.Unordered, Path: "$.tags"},
//		{Do: compare.Tolerance, Path: "$.items[*].price", With: "1%"},
//		{Do: compare.Keep, Path: "$.status"},
//	}}, now)
//	result := compare.Compare(control, candidate, rules, profile)
//	for _, d := range result.Differences { … }
//
// # Equality
//
// Bodies whose bytes are the same are equal, and are not read. The others are
// unpacked, turned into UTF-8 and read once into a table: each value with its
// place and the hash of all that it holds. Hashes of equal values are equal
// however they are written (1.0 and 1, é and \u00e9, members in any order), so
// equal subtrees are skipped and elements of arrays find each other wherever
// they are. Numbers are compared by their digits, never as floats. HTML and
// XML give the same table from their tokens, forms from their fields; plain
// text is compared by lines, the rest by length and content, and event streams
// not at all. See [Rules] for what can be set aside, and [Limits] for the
// bounds that hold whatever a body contains.
//
// A [Difference] has a path template, a kind, and the classes of the two
// values; not the values, unless a rule keeps them. A keyed hash tells whether
// two hidden values are the same.
//
// # Noise
//
// A clock differs from itself. So the control is now and then asked once more,
// and [Noise] learns at which [Level] it agrees with itself at each path: the
// finest at which it does in 99 of 100 is the level the candidate is held to.
// A uuid may be another uuid, but not "".
//
// Whether a path is worse is decided by a bet. Of the pairs in which only one
// of candidate and second control differs from the first, each is a fair coin
// if the candidate is like another control, provided the order of the two was
// drawn at random. E = Π(1+λs) over these coins grows beyond 1/α with a chance
// of at most α, however often one looks. The mean over levels and stakes is
// the evidence of a path; over all paths of all endpoints the share of false
// ones is held by e-BH with weights that add up to 1. A mismatch may also be
// rechecked by asking both sides again, which makes coins of its own
// ([Recheck]), so that a fault that few requests meet is found as well.
//
// # Findings
//
// [Findings] aggregates mismatches by endpoint and set of paths, kinds and
// classes, in bounded memory. A finding is [Suspected] until one of its paths
// is proved, and then [Open]; on routes that may not be asked twice it is open
// at once, and says so. [Study] puts templates, noise, findings and latencies
// together.
package compare
