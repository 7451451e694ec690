package flagd

import (
	"fmt"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/flags/internal/subject"
)

// An Evaluation is the answer for one flag, of whatever type it is.
type Evaluation struct {
	Value    any    // bool, float64, string, []any or map[string]any; nil: the caller's default
	Variant  string // empty when Value is nil
	Reason   openfeature.Reason
	Code     openfeature.ErrorCode // empty if Reason is not ERROR
	Message  string                // why it is ERROR
	Metadata openfeature.FlagMetadata

	variant *variant
}

// Evaluate answers for a flag, given a context with the targeting key under
// "targetingKey". Neither it nor the value may be changed by the caller.
//
//	STATIC           the flag has no rule
//	TARGETING_MATCH  the rule named a variant
//	DEFAULT          the rule named none, so the default variant counts, or the
//	                 caller's default if there is none either
//	DISABLED         the flag is disabled; the caller's default
//	ERROR            FLAG_NOT_FOUND, PARSE_ERROR if the rule cannot work, GENERAL
//	                 if it named no variant of the flag or took too long
func (d *Definition) Evaluate(flag string, context map[string]any) Evaluation {
	return d.evaluate(flag, context, nil, time.Now)
}

func (d *Definition) evaluate(key string, context map[string]any, beyond subject.Subject, clock func() time.Time) (e Evaluation) {
	f := d.flags[key]
	if f == nil {
		return Evaluation{Reason: openfeature.ErrorReason, Code: openfeature.FlagNotFoundCode,
			Message: fmt.Sprintf("no flag %.80q is defined", key), Metadata: d.metadata}
	}
	e.Metadata = f.metadata
	if f.disabled {
		e.Reason = openfeature.DisabledReason
		return e
	}
	if f.rule.eval == nil {
		e.Reason = openfeature.StaticReason
		return e.fallBack(f)
	}
	result, err := f.run(context, beyond, clock)
	if err != nil {
		e.fail(err.code, fmt.Sprintf("flag %.80q: %s", key, err.text))
		return e
	}
	if result == nil {
		e.Reason = openfeature.DefaultReason
		return e.fallBack(f)
	}
	if composite(result) {
		e.fail(openfeature.GeneralCode, fmt.Sprintf("flag %.80q: the rule gives an array or object; it must name one of %s", key, f.names))
		return e
	}
	name := scalarText(result)
	v := f.variants[name]
	if v == nil {
		e.fail(openfeature.GeneralCode, fmt.Sprintf("flag %.80q: the rule names the variant %.40q; it has %s", key, name, f.names))
		return e
	}
	e.Reason, e.Value, e.Variant, e.variant = openfeature.TargetingMatchReason, v.value, v.name, v
	return e
}

// fallBack answers with the default variant.
func (e Evaluation) fallBack(f *flag) Evaluation {
	if f.fallback == nil {
		e.Reason = openfeature.DefaultReason
		return e
	}
	e.Value, e.Variant, e.variant = f.fallback.value, f.fallback.name, f.fallback
	return e
}

func (e *Evaluation) fail(code openfeature.ErrorCode, message string) {
	e.Reason, e.Code, e.Message = openfeature.ErrorReason, code, message
	e.Value, e.Variant, e.variant = nil, "", nil
}

// run evaluates the rule. A value in the context that panics while it is read
// is a failure like any other.
func (f *flag) run(context map[string]any, beyond subject.Subject, clock func() time.Time) (result any, err *failure) {
	r := runs.Get().(*run)
	*r = run{data: context, outer: true, subject: beyond, flag: f.key, clock: clock, left: maxSteps}
	defer func() {
		if v := recover(); v != nil {
			result, err = nil, &failure{openfeature.GeneralCode, fmt.Sprintf("the rule panicked: %v; the context may hold a value that cannot be read", v)}
			return // the run may be anything by now, and is not used again
		}
		*r = run{}
		runs.Put(r)
	}()
	result = f.rule.eval(r)
	return result, r.err
}
