package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
)

// A Kind says in one word how an exchange failed. It is a metric label.
type Kind string

// The kinds of failure.
const (
	KindConnect        Kind = "connect"         // no connection: refused, unreachable, TLS
	KindConnectTimeout Kind = "connect_timeout" // no connection within Timeouts.Connect
	KindUnavailable    Kind = "unavailable"     // no endpoint may be asked, or no connection is free
	KindReset          Kind = "reset"           // the connection broke before the answer's header was whole
	KindTimeout        Kind = "timeout"         // silence for longer than a timeout allows
	KindMalformed      Kind = "malformed"       // the answer is not HTTP
	KindBody           Kind = "body"            // the answer's body broke off
	KindClient         Kind = "client"          // the client went away
	KindRequest        Kind = "request"         // the client's body could not be read
)

// An Error is a failed exchange.
type Error struct {
	Kind     Kind
	Endpoint string // host:port or socket; empty: none was chosen
	Sent     bool   // part of the request may have reached the endpoint
	Attempts int
	Err      error
}

// Error says what was done and what was wrong.
func (e *Error) Error() string {
	if e.Endpoint == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("upstream %s: %v", e.Endpoint, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrClientBody wraps what a client's body failed with.
type ErrClientBody struct{ Err error }

// Error returns the text of the cause.
func (e *ErrClientBody) Error() string { return "read request body: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ErrClientBody) Unwrap() error { return e.Err }

// A brokenError is an error of an exchange, and why its context had ended by
// then. Later the context proves nothing: to stop reading a body makes net/http
// believe that the client has gone.
type brokenError struct {
	err   error
	ended error // nil: it had not
}

func (e *brokenError) Error() string { return e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// endOf returns why a context has ended, nil if it has not.
func endOf(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// kindOf names a failure of an exchange on a connection, of which fallback is
// the kind if the error says no more.
func kindOf(ctx context.Context, err error, fallback Kind) Kind {
	ended := endOf(ctx)
	var broken *brokenError
	if errors.As(err, &broken) {
		ended = broken.ended
	}
	var body *ErrClientBody
	switch {
	case errors.As(err, &body):
		return KindRequest
	case errors.Is(ended, context.DeadlineExceeded):
		return KindTimeout
	case ended != nil:
		return KindClient
	case isTimeout(err):
		return KindTimeout
	}
	return fallback
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}

// isBroken reports whether err says that the connection broke, not that what
// came over it was wrong.
func isBroken(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, errNothing) || errors.As(err, &op)
}
