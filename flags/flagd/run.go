package flagd

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/flags/internal/subject"
)

// Bounds of one evaluation. A definition that stays below them is never
// refused; they end what would take seconds or gigabytes, within a few
// milliseconds.
const (
	maxSteps = 200_000 // operations, rounds of loops and what they touch
	maxText  = 1 << 20 // bytes of a text that a rule puts together
)

// A run is one evaluation of a rule.
type run struct {
	data    any             // what var reads: the context, or within a loop the element
	outer   bool            // data is the context
	subject subject.Subject // what the context lacks; nil: nothing
	flag    string
	clock   func() time.Time
	now     time.Time // read once, when a rule first asks; zero: not yet
	left    int       // steps
	err     *failure  // the first; the result does not count then
}

// A failure is why a rule has no result.
type failure struct {
	code openfeature.ErrorCode
	text string
}

// runs keeps what is garbage otherwise.
var runs = sync.Pool{New: func() any { return new(run) }}

// fail ends the evaluation with its first failure.
func (r *run) fail(f *failure) any {
	if r.err == nil {
		r.err = f
	}
	r.left = 0
	return nil
}

var tooLong = &failure{openfeature.GeneralCode, fmt.Sprintf("the rule takes more than %d steps; loop over less", maxSteps)}
var tooMuch = &failure{openfeature.GeneralCode, fmt.Sprintf("the rule makes a text of more than %d bytes; join less", maxText)}

// spend takes steps, and reports whether there were enough.
func (r *run) spend(steps int) bool {
	if r.left < steps {
		r.fail(tooLong)
		return false
	}
	r.left -= steps
	return true
}

// timestamp returns the time of the evaluation.
func (r *run) timestamp() time.Time {
	if r.now.IsZero() {
		r.now = r.clock()
	}
	return r.now
}

// properties are what a rule reads as $flagd.
func (r *run) properties() map[string]any {
	return map[string]any{"flagKey": r.flag, "timestamp": float64(r.timestamp().Unix())}
}

// each evaluates a body with each element of a list as data, until f returns
// false or the steps are used up.
func (r *run) each(list []any, body expression, f func(item, result any) bool) {
	data, outer := r.data, r.outer
	r.outer = false
	for _, item := range list {
		if !r.spend(1 + body.size) {
			break
		}
		item = plain(item)
		r.data = item
		if result := body.eval(r); r.err != nil || !f(item, result) {
			break
		}
	}
	r.data, r.outer = data, outer
}

// text is JavaScript's String, but nothing for null.
func (r *run) text(v any) string {
	switch v := v.(type) {
	case []any:
		var b strings.Builder
		r.write(&b, v, 0)
		return b.String()
	case map[string]any:
		return "[object Object]"
	}
	return scalarText(v)
}

// maxTextDepth bounds how deep an array is written, so that one that contains
// itself ends.
const maxTextDepth = 32

// write appends a value, an array's elements with commas between.
func (r *run) write(b *strings.Builder, v any, depth int) {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if depth == maxTextDepth || !r.spend(1) {
				return
			}
			r.write(b, plain(item), depth+1)
		}
		return
	case map[string]any:
		b.WriteString("[object Object]")
		return
	}
	text := scalarText(v)
	if !r.spend(1 + len(text)>>6) {
		return
	}
	if b.Len()+len(text) > maxText {
		r.fail(tooMuch)
		return
	}
	b.WriteString(text)
}

// primitive writes an array or object as text, and returns anything else.
func (r *run) primitive(v any) any {
	switch v.(type) {
	case []any, map[string]any:
		return r.text(v)
	}
	return v
}

// number is JavaScript's Number.
func (r *run) number(v any) float64 { return toNumber(r.primitive(v)) }
