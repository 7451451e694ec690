// Package evidence weighs an extracted service against the monolith on the
// same traffic, by integer counts alone: is the service worse, and how sure is
// that? It is pure: no clocks, no goroutines, no I/O.
//
// A gateway keeps a [Cell] of [Counts] for each migration (or each cell of
// it), and counts into it what happens to the people, at most once for each:
//
//	cell := evidence.NewCell(seq, 5000)                            // seq began an epoch with 5 % on the service
//	key := evidence.KeyOf("user 42")
//	cell.Saw(key, seq, evidence.Modern)                            // a request, placed by the hash of its key
//	cell.Count(evidence.Errors, key, seq, evidence.Modern)         // it went wrong
//
//	all := evidence.Merge(mine, theirs)                            // what the gateways know together
//	several := all.Several(now)                                    // clients of several networks are known
//	records := all.Cells[""].Judge("", guards, budget, several)    // one for each metric
//	if r, ok := evidence.Strongest(records); ok && r.Trips() { … } // r goes into the event, and r.Recompute() == r.E forever
//
// # The test
//
// Within an epoch a known share w of the people is on the service. If the
// service is no worse, a bad event, given that it happened, falls on the
// service with probability w, whatever the base rate, the traffic or the hour.
// For a candidate odds ratio θ let q = wθ/(wθ+1−w). With n_c bad events on the
// service and n_l on the monolith in epoch e,
//
//	E_θ = Π_e (q_e/w_e)^n_c · ((1−q_e)/(1−w_e))^n_l
//	E   = mean of E_θ over θ in {2, 4, 8, 16, 32, 64, 128, ∞}
//
// is a nonnegative supermartingale that begins at 1. A metric trips when
// E ≥ K/α_k, with K metrics and α_k = 6α/(π²k²) for the k-th test of the
// migration; by Ville's inequality and since Σ 1/k² = π²/6, the chance of ever
// tripping on a service that is no worse is at most α. See [E] and [Budget].
//
// The same product serves more questions: [ByRate] holds first comparisons
// against an allowed rate of mismatches (w = m₀), [ByPair] holds two answers to
// the same request, of which one failed, against a fair coin (w = 1/2, θ = 19:
// E = Π(1+λs) with λ = 0.9), [ByTrial] looks at keys by their first answers, good
// ones as well as bad ones, [Cell.RatioCheck] holds keys seen against the split
// (θ on both sides of 1), and [Cell.Reverse] exchanges the sides: is the monolith
// the worse one?
//
// What makes it valid is how events are counted: one per key, metric and test
// ([Keys]); none without a key, none that a cohort placed; in the epoch of the
// snapshot that the request was pinned to; on the side that was tried first.
//
// # Parts
//
// A bad event is not only an error: answers have a [Class], and a class that
// the service gives more often than the monolith is a metric ([Classes]). What E
// a metric has is the mean of the E of several counts, its [Part]s, by weights
// that are fixed before the test: keys by their first bad event, keys by their
// first answer (where a class is common, every key meets it once on either side,
// and the first kind says nothing), and each [Endpoint]. The mean of e-values is
// an e-value whatever the dependence between them, so that one key may count in
// several parts. What the weights leave of 1 counts as no evidence.
//
// # Trials
//
// At a great share a bad event on the service says little, since nearly all
// should be there. That the keys of the monolith are answered well says more. So
// [ByTrial] multiplies E_θ by the same product over the keys that were answered
// well, with candidates φ ≤ 1 in place of θ ([Fewer]): if the service is no worse,
// a good first answer falls on it with a chance of w at least. E is the mean over
// all θ and φ. Each [Endpoint] is a part, and there is none for all keys together
// ([Endpoint.Answer]).
//
// # Client networks
//
// Who chooses keys chooses sides. So what the clients of one [Network] do is
// bounded, if several are known ([Crowding]):
//
//   - A set of keys takes a network's keys by a rule that looks at the past only
//     ([Keys.Vote]).
//   - E is a mixture: half is the evidence of all networks, half the mean of the
//     evidence without each of the first eight to vote ([Record].Mixed), so that
//     one of these hides little by making the monolith fail.
//   - A trip must also stand without each network that adds much
//     ([Record].Networks, and Least for the least E). Least is at most E, so that
//     this costs nothing of α.
//   - Counts that have no keys, such as burn rates, go by groups of networks
//     ([ByGroup]).
//
// # Blips
//
// [Blips] keep failures of a service aside that may only be restarting and that
// fallback healed. They count at once if a user sees one or it takes too long,
// and are dropped if not, but for a single one. The monolith's failures count throughout, so that E is
// at most what it would have been.
//
// # Beside the test
//
// [Below] says how many comparisons show that few enough differ. [Streaks]
// tell an outage from a restart, [Burns] whether a side, or both, use up
// the error budget of the whole route, [Cell.Few] whether there are people
// enough to see anything, [CleanSample] how many good requests a step
// forward needs, [Window] and [Tolerance] what slow means, [Outlook] what a
// guard will be able to see before a step begins, [FalseAlarms] what all
// guards together risk.
//
// # Numbers of an application
//
// What an application counts by side is known of intervals, not of people:
// [Intervals], and [IntervalRecord] for what they amount to. It is a test by
// betting, of the same budget, that holds whatever heaps events come in.
//
// # Several gateways
//
// Each publishes its [Counts] whole, as JSON; everyone merges the latest of
// each. Numbers add up and sets unite. While the merged counts are stale
// ([IsStale]) a gateway judges its own, from a reserved tenth of α
// ([Budget].Own).
//
// # Sources
//
//   - J. Ville, Étude critique de la notion de collectif, 1939.
//   - M. Lindon and A. Malek, Anytime-Valid Inference for Multinomial Count
//     Data, NeurIPS 2022, arXiv:2011.03567: conditional tests of counts, the
//     sample-ratio check.
//   - A. Ramdas, P. Grünwald, V. Vovk and G. Shafer, Game-Theoretic Statistics
//     and Safe Anytime-Valid Inference, Statistical Science 2023,
//     arXiv:2210.01948: e-processes, averaging them, testing by betting.
//   - V. Vovk and R. Wang, E-values: Calibration, combination and applications,
//     Annals of Statistics 2021, arXiv:1912.06116: the mean of e-values.
//   - I. Waudby-Smith and A. Ramdas, Estimating means of bounded random
//     variables by betting, JRSS-B 2024, arXiv:2010.09686: intervals.
//   - C. Masson, J. Rim and H. Lee, DDSketch, VLDB 2019, arXiv:1908.10693.
//   - Google, The Site Reliability Workbook, 2018, chapter 5: burn rates.
//   - J. Hanley and A. Lippman-Hand, If Nothing Goes Wrong, Is Everything All
//     Right?, JAMA 1983: clean samples.
//   - C. Clopper and E. Pearson, The Use of Confidence or Fiducial Limits
//     Illustrated in the Case of the Binomial, Biometrika 1934: [Below].
package evidence
