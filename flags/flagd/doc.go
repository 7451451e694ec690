// Package flagd answers OpenFeature evaluations from definitions in flagd's
// format, in a file or behind a URL. Definitions are compiled into closures when
// they are read, so an evaluation parses nothing and allocates nothing that
// the OpenFeature SDK does not.
//
//	p, err := flagd.Open(ctx, "file:flags.json", flagd.Options{Cache: "state/flags.json"})
//	if err != nil { ... }
//	defer p.Close()
//
//	a, err := flags.New(flags.Options{Provider: p})
//
// A source is followed: a file through its directory, a URL by asking with its
// ETag. What is bad changes nothing and is reported, see [Open] and [Report].
// Where the targeting key alone decides, [Provider.Split] tells the shares.
//
// # Format
//
//	{
//	  "flags": {
//	    "orders": {
//	      "state": "ENABLED",
//	      "variants": {"off": "off", "shadow": "shadow", "live": "live"},
//	      "defaultVariant": "off",
//	      "targeting": {
//	        "if": [
//	          {"$ref": "staff"}, "live",
//	          {"fractional": [["live", 5], ["shadow", 95]]}
//	        ]
//	      }
//	    }
//	  },
//	  "$evaluators": {"staff": {"ends_with": [{"var": "email"}, "@example.com"]}}
//	}
//
// Of a flag, targeting and metadata may be left out, and so may defaultVariant,
// which then is the caller's default. Metadata of the set, beside flags, is
// that of each flag that does not say otherwise.
//
// # Rules
//
// A rule is JSON-logic, by its reference implementation, whose conversions are
// those of JavaScript:
//
//	var missing missing_some if ?: and or ! !! == != === !== < <= > >=
//	+ - * / % max min map filter reduce all some none merge in cat substr log
//
// and what flagd adds:
//
//	fractional                [by, [variant, weight], ...]: version 2, where the bucket
//	                          is hash*sum>>32; MurmurHash3 (x86, 32 bits, seed 0) of by,
//	                          or of the flag key followed by the targeting key
//	sem_ver                   [version, operator, version]: = != < <= > >= ^ ~
//	starts_with ends_with     [text, part]
//	lower upper               text, of ASCII letters only
//	$ref                      name of one of $evaluators
//
// An operation of flagd's own with arguments that it cannot work on is null,
// which is not true in an if, and as the result of the rule means the default
// variant. Max and min also take an array, and var's default also stands in
// for null, as with flagd. Rules read the evaluation context, the targeting
// key as targetingKey, and $flagd.flagKey and $flagd.timestamp, in seconds; in
// the loops (map, filter, reduce, all, some, none) they read the element only.
//
// The result names the variant: a string, boolean or number. For reasons and
// error codes see [Definition.Evaluate].
//
// # Limits
//
// A definition has at most 8 MiB unless [Options] say otherwise, 200 levels, and 50,000
// operations per flag, references followed. An evaluation takes at most 200,000
// steps, a few milliseconds. Not in here: YAML, flagd's gRPC sync, the
// operation rollout, and fractional version 1, which flagd has left behind.
package flagd
