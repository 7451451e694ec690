package flags

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/migrations"
)

// An Input is what one request gives to the decision. It is only read.
type Input struct {
	Plan       *migrations.Plan
	State      *migrations.Migration // of the pinned snapshot; nil: the log does not know the migration
	Request    *http.Request
	Client     netip.Addr             // of the client, after trusted proxies; zero: unknown
	ClientText string                 // Client as it writes itself, if the caller has that; empty: it is made where it is needed
	Trusted    bool                   // the peer is a trusted proxy: what it says about the client counts
	Secure     bool                   // the client spoke TLS
	Key        []migrations.KeySource // the route's own key list; nil: the plan's
	Safe       bool                   // the method is safe

	// Of a question of somebody who is not the client, such as an application:
	Given *string        // the targeting key, which is not looked for; empty: keyless. Nil: it is
	Facts map[string]any // attributes, in place of those of the request; nil: those
}

// An Assignment is what was decided for one request.
type Assignment struct {
	Stage    migrations.Stage     // always one of the six
	Variant  string               // OpenFeature's; the name of the stage with the built-in provider
	Reason   string               // OpenFeature's: SPLIT, STATIC, TARGETING_MATCH, DEFAULT, DISABLED or ERROR
	Outside  string               // name of the outside provider that was asked; empty: the log decides
	Said     migrations.Stage     // what it answered, before that was held to what the log allows; empty: nothing
	Err      string               // why the evaluation failed, code first; empty if it did not
	Flag     string               // key of the flag
	Key      string               // targeting key, never to be logged; empty: keyless
	KeyHash  uint64               // salted hash of the key, for traces and evidence; 0: keyless
	Source   migrations.KeySource // where the key was found; zero: keyless
	Verified bool                 // the key comes from a trusted proxy, a signature or the connection (law 11)
	Bucket   int                  // 0 to [migrations.Buckets]-1; -1: keyless
	Cohort   string               // name of the cohort that decided; empty: none
	Placed   bool                 // the hash of the key decided, by shares that the state knows: the request may be in the test

	session bool // the key is that of the browser's session
	resign  bool // the anonymous cookie should be signed anew
}

// Assign decides the stage of one request. It never fails: when the provider
// or a hook fails, panics or answers nonsense, the reason is ERROR and the
// stage is that of the side that is known to work (law 4).
func (a *Assigner) Assign(ctx context.Context, in *Input) (asg Assignment) {
	asg.Bucket = keyless
	defer func() {
		if r := recover(); r != nil {
			asg.fail(in.State, fmt.Sprintf("%s: the evaluation panicked: %v", openfeature.GeneralCode, r))
		}
	}()
	plan := in.Plan
	asg.Flag, asg.Outside = flagOf(plan), a.source
	key := a.find(in)
	if key.text != "" {
		asg.Key, asg.Source, asg.Verified, asg.resign = key.text, key.source, key.verified, key.resign
		asg.session = key.session
		asg.KeyHash = a.hash(key.text)
		asg.Bucket = bucket(asg.Flag, key.text)
	}

	p := &pin{Context: ctx, plan: plan, state: in.State, flag: asg.Flag, facts: facts{bucket: asg.Bucket}, assigner: a, in: in, assignment: asg}
	if in.Trusted && len(plan.Cohorts) > 0 {
		p.facts.cohort, p.facts.trusted = cohort(plan, in.Request), true
	}
	var eval openfeature.EvaluationContext // empty for a provider of ours, which asks for what it needs: attributes cost more than the decision
	if a.outside && !a.asks {
		eval = openfeature.NewEvaluationContext(asg.Key, p.told())
	}
	details, err := a.client.StringValueDetails(p, asg.Flag, string(known(in.State)), eval)
	if err != nil {
		asg.fail(in.State, trouble(details.EvaluationDetails, err))
		return asg
	}
	stage := migrations.Stage(details.Value)
	if !stage.Valid() {
		asg.fail(in.State, fmt.Sprintf("%s: the provider answered %.40q, which is not a stage", openfeature.ParseErrorCode, details.Value))
		return asg
	}
	asg.Stage, asg.Variant, asg.Reason = stage, details.Variant, string(details.Reason)
	switch {
	case a.outside:
		asg.Said, asg.Stage = stage, confine(stage, plan, in.State, asg.Key)
		asg.Placed = asg.Key != "" && in.State != nil && in.State.Outside != nil && !in.State.Unknown && asg.Stage == stage
	case details.Reason == openfeature.TargetingMatchReason:
		asg.Cohort = p.facts.cohort.Name
	default:
		asg.Placed = asg.Key != "" && in.State != nil
	}
	return asg
}

// fail makes an assignment that of a failed evaluation.
func (asg *Assignment) fail(state *migrations.Migration, why string) {
	asg.Stage = known(state)
	asg.Variant, asg.Reason, asg.Cohort = "", string(openfeature.ErrorReason), ""
	asg.Err = why
}

// trouble writes the error of an evaluation, code first.
func trouble(d openfeature.EvaluationDetails, err error) string {
	switch {
	case d.ErrorCode == "":
		return fmt.Sprintf("%s: %v", openfeature.GeneralCode, err)
	case d.ErrorMessage == "":
		return string(d.ErrorCode)
	}
	return string(d.ErrorCode) + ": " + d.ErrorMessage
}

// Salt returns a number that only who knows the secret can tell, for hashes of
// something else than keys. It is the same on every gateway with that secret.
func (a *Assigner) Salt(of string) uint64 { return a.hash("salt of " + of) }

// hash returns a hash of a targeting key that tells nothing to whom the secret
// is unknown, never 0.
func (a *Assigner) hash(key string) uint64 {
	var space [saltSize + maxKey]byte
	text := append(append(space[:0], a.salt[:]...), key...)
	sum := sha256.Sum256(text)
	return max(binary.LittleEndian.Uint64(sum[:]), 1)
}
