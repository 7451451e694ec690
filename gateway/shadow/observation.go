package shadow

import (
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// An Input is what the gateway knows of a request when it may be observed.
type Input struct {
	Method  string
	Path    string // as it is matched
	Pattern string // of the route
	Header  http.Header
	Safe    bool
	Stage   migrations.Stage
	Control migrations.Side // that answers the user
	KeyHash uint64          // of the targeting key; 0: keyless
	Key     string          // the targeting key itself, to find its examples by; never kept in clear
	Network uint32          // hash of the client's network; 0: not known
	Repeat  bool            // the route may be asked again
	Ask     Send            // asks the candidate
	Again   Send            // asks the control
}

// compared reports whether requests at a stage are compared.
func compared(s migrations.Stage) bool { return s == migrations.Shadow || s == migrations.Live }

// neverCompared reports whether a request is of a kind whose answer is no
// answer to compare: upgrades, parts, conditions and streams.
func neverCompared(method string, h http.Header) bool {
	if method == http.MethodConnect || method == http.MethodTrace {
		return true
	}
	for _, name := range [...]string{"Upgrade", "Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		if _, ok := h[name]; ok {
			return true
		}
	}
	if accept := h["Accept"]; len(accept) > 0 && strings.Contains(accept[0], "text/event-stream") {
		return true
	}
	ct := h["Content-Type"]
	return len(ct) > 0 && strings.HasPrefix(ct[0], "application/grpc")
}

// An Observation is one request that is being compared. Until End it belongs
// to the user's path, which only copies into it and must not use it any more
// after it; a nil Observation ignores everything. Observations are used again:
// one of their own for every request would be the most of its garbage, and
// what collects it is paid for by the users.
type Observation struct {
	watch      *Watch
	input      Input
	question   Question
	asked      header // of the question
	head       header // of the control's answer
	request    Buffer // the request's body
	hasBody    bool
	bodyEnd    bool  // it was read to its end
	bodyLength int64 // as its header says; -1: unknown
	control    Answer
	headers    int64 // bytes of the budget that the headers take
	answered   bool
	length     int64     // of the control's answer as its header says; -1: unknown
	began      time.Time // when the control's answer began, for streams
	start      time.Time // when the control was asked
	told       func(Verdict)
	like       compare.Request // what the request is like
	endpoint   string          // of the control, that answered
	verdict    Reason          // why it will be dropped; empty: it will not

	// For the worker that settles it.
	candidate Answer // of the other side
	again     Answer // of the control, asked once more
	spoilt    bool   // what was asked may still be looked at by a question that was given up
}

// A header is a copy of one that is used again.
type header struct {
	fields http.Header
	values []string // of all fields
}

// copy takes over the fields of a header, values and all.
func (h *header) copy(from http.Header) http.Header {
	if h.fields == nil {
		h.fields = make(http.Header, 16)
	}
	clear(h.fields)
	for name, values := range from {
		h.values = append(h.values, values...)
		h.fields[name] = h.values[len(h.values)-len(values) : len(h.values) : len(h.values)]
	}
	return h.fields
}

// tooManyFields is how many fields a header may have had to be used again.
const tooManyFields = 64

// forget empties the header.
func (h *header) forget() {
	if len(h.fields) > tooManyFields || len(h.values) > tooManyFields {
		*h = header{}
		return
	}
	clear(h.fields)
	clear(h.values)
	h.values = h.values[:0]
}

var observations = sync.Pool{New: func() any { return new(Observation) }}

// streamAfter is how long an answer without a length may take before it is
// taken for a stream.
const streamAfter = 10 * time.Second

// Copies reports whether the observation wants to know what it is told: one
// that will be dropped does not.
func (o *Observation) Copies() bool { return o != nil && o.verdict == "" }

// Asked tells what the control is asked. Its header is copied.
func (o *Observation) Asked(q Question, at time.Time) {
	if o == nil {
		return
	}
	q.Header = o.asked.copy(q.Header)
	q.Rehearse, q.Real = o.question.Rehearse, o.question.Real // Begin has decided that
	o.question, o.start = q, at
}

// Like tells what the request is like.
func (o *Observation) Like(r compare.Request) {
	if o.Copies() {
		o.like = r
	}
}

// From tells which endpoint of the control answers.
func (o *Observation) From(endpoint string) {
	if o.Copies() {
		o.endpoint = endpoint
	}
}

// Body returns a reader that copies the request's body as the control
// consumes it.
func (o *Observation) Body(r io.Reader, length int64) io.Reader {
	if !o.Copies() || r == nil {
		return r
	}
	o.hasBody, o.bodyLength = true, length
	o.request.Init(o.watch.shadow.budget, length)
	if length > Cap {
		o.verdict = BodyTooLarge
		return r
	}
	return &bodyCopy{r, o}
}

// A bodyCopy is read by the goroutine that sends the request, which has ended
// before the observation goes on.
type bodyCopy struct {
	r io.Reader
	o *Observation
}

func (b *bodyCopy) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.o.request.Write(p[:n])
	if err == io.EOF {
		b.o.bodyEnd = true
	}
	return n, err
}

// Answered tells that the control's answer begins. Its header is copied; length
// is -1 if it is unknown.
func (o *Observation) Answered(status int, h http.Header, length int64, now time.Time) {
	if !o.Copies() {
		return
	}
	o.answered, o.length, o.began = true, length, now
	o.control.Status = status
	switch {
	case status < 200, status == http.StatusPartialContent, status == http.StatusNotModified:
		o.verdict = NotComparable
	case isStream(h):
		o.verdict = Stream
	}
	if o.verdict == "" {
		o.control.Header = o.head.copy(h)
		o.control.Body.Init(o.watch.shadow.budget, length)
	}
}

// isStream reports whether a header announces an answer without an end.
func isStream(h http.Header) bool {
	ct := h["Content-Type"]
	if len(ct) == 0 {
		return false
	}
	kind, _, _ := mime.ParseMediaType(ct[0])
	return kind == "text/event-stream" || kind == "multipart/x-mixed-replace" || strings.HasPrefix(kind, "application/grpc")
}

// Write copies a part of the control's answer, which has been sent already.
func (o *Observation) Write(p []byte) {
	if !o.Copies() {
		return
	}
	o.control.Body.Write(p)
	if o.length < 0 && o.control.Body.length > Cap && time.Since(o.began) > streamAfter {
		o.drop(Stream)
	}
}

func (o *Observation) drop(r Reason) {
	o.verdict = r
	o.control.Body.Free()
}

// End gives the observation to the shadow: err is why the user got no whole
// answer, nil if the user did. It never waits.
func (o *Observation) End(err error, clientGone bool, now time.Time) {
	if o == nil {
		return
	}
	o.control.Took = now.Sub(o.start)
	switch {
	case o.verdict != "":
	case clientGone:
		o.verdict = ClientGone
	case err != nil || !o.answered:
		o.verdict = ControlFailed
	case o.hasBody && !o.bodyEnd && o.request.Len() != o.bodyLength:
		o.verdict = BodyBroken
	case o.hasBody && !o.request.Whole():
		o.verdict = BodyTooLarge
		if o.request.Lost() {
			o.verdict = NoBudget
		}
	case o.control.Body.Lost(), !o.reserveHeaders():
		o.verdict = NoBudget
	}
	if o.verdict != "" {
		o.discard(o.verdict)
		return
	}
	if o.hasBody {
		o.question.Body = o.request.Bytes()
	}
	o.watch.shadow.enqueue(o)
}

// SetAside says that the control's answer is not one to compare with.
func (o *Observation) SetAside() {
	if o != nil {
		o.verdict = NotComparable
	}
}

// FellBack ends the observation of a request that the service failed and that
// was asked of the monolith instead: a failure, without asking again. Both says
// that the monolith failed as well.
func (o *Observation) FellBack(both bool) {
	if o == nil {
		return
	}
	o.decide(Verdict{Outcome: compare.Failed, FellBack: true, ControlBad: true, CandidateBad: both})
	o.free()
}

// discard counts the observation as dropped and gives its memory back.
func (o *Observation) discard(r Reason) {
	o.dropped(r)
	o.free()
}

// reserveHeaders takes the memory of the two headers, which wait as well, out
// of the budget.
func (o *Observation) reserveHeaders() bool {
	n := int64(0)
	for _, h := range [...]http.Header{o.question.Header, o.control.Header} {
		for name, values := range h {
			for _, v := range values {
				n += int64(len(name) + len(v) + 32) // and the places where they are pointed to
			}
		}
	}
	if !o.watch.shadow.budget.reserve(n) {
		return false
	}
	o.headers = n
	return true
}

// free gives everything back; nobody may use the observation any more.
func (o *Observation) free() {
	o.watch.shadow.budget.release(o.headers)
	for _, b := range [...]*Buffer{&o.request, &o.control.Body, &o.candidate.Body, &o.again.Body} {
		b.Free()
	}
	asked, head := o.asked, o.head
	if o.spoilt {
		asked = header{}
	}
	asked.forget()
	head.forget()
	*o = Observation{asked: asked, head: head}
	observations.Put(o)
}
