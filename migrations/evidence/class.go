package evidence

// A Class says in one word how a side answered a request. It is what is
// compared between the sides: one class more of answers on both of them speaks
// against neither. The zero value is [ClassOK].
type Class uint8

// The classes. Of 1xx, 2xx and what is left of 3xx, such as 304, all are [ClassOK].
const (
	ClassOK       Class = iota
	ClassRedirect       // 301, 302, 303, 307, 308
	ClassDenied         // 401, 403, 407
	ClassMissing        // 404, 410
	ClassRejected       // any other 4xx
	ClassFailed         // 5xx, or a status of gRPC that is the server's fault
	ClassBroken         // no answer, one that is not HTTP, or one that broke off
	ClassTimeout        // no answer, or no more of it, within a timeout
	ClassGRPC           // a status of gRPC that is the client's fault

	classes
)

// ByClass is a number for each class.
type ByClass [classes]uint64

var classNames = [classes]string{"ok", "redirect", "denied", "missing", "rejected", "failed", "broken", "timeout", "grpc"}

// String returns the class in one word.
func (c Class) String() string {
	if c < classes {
		return classNames[c]
	}
	return "unknown"
}

// Failure reports whether the class is the server's fault: the user got an
// error of it, or no answer.
func (c Class) Failure() bool { return c == ClassFailed || c == ClassBroken || c == ClassTimeout }

// ClassOf returns the class of an HTTP status. A status below 100 is no answer.
func ClassOf(status int) Class {
	switch {
	case status >= 500:
		return ClassFailed
	case status < 100:
		return ClassBroken
	}
	switch status {
	case 301, 302, 303, 307, 308:
		return ClassRedirect
	case 401, 403, 407:
		return ClassDenied
	case 404, 410:
		return ClassMissing
	}
	if status >= 400 {
		return ClassRejected
	}
	return ClassOK
}

// CANCELLED of gRPC: the client ended the call.
const cancelled = 1

// ClassOfGRPC returns the class of a gRPC status code, by OpenTelemetry's
// conventions of which codes are errors of a server. It is false for
// CANCELLED, which says nothing of the side.
func ClassOfGRPC(code int) (Class, bool) {
	switch code {
	case 0:
		return ClassOK, true
	case cancelled:
		return ClassOK, false
	case 4: // DEADLINE_EXCEEDED
		return ClassTimeout, true
	case 2, 12, 13, 14, 15: // UNKNOWN, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS
		return ClassFailed, true
	}
	return ClassGRPC, true
}
