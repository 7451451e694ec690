package client

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"syscall"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// An Error is a problem that a gateway reports, with what a person at a
// command line can do about it.
type Error struct {
	Problem *dashboard.Problem
	hint    string
}

// Error says what was wrong and what to do.
func (e *Error) Error() string {
	if e.hint == "" {
		return e.Problem.Detail
	}
	return e.Problem.Detail + ": " + e.hint
}

// Unwrap returns the problem.
func (e *Error) Unwrap() error { return e.Problem }

// Is reports whether err is a problem of type t.
func Is(err error, t dashboard.ProblemType) bool {
	var p *dashboard.Problem
	return errors.As(err, &p) && p.Type == t
}

func hint(p *dashboard.Problem) string {
	switch p.Type {
	case dashboard.MovedOn:
		return fmt.Sprintf("look at `ficus status %s` and try again", p.Migration)
	case dashboard.Unauthorized:
		return "run the command where ficus.token lies, name the file with --token-file, or set FICUS_TOKEN"
	case dashboard.NoMigration:
		return "`ficus status` lists them"
	case dashboard.NoToken:
		return "`ficus token list` lists them"
	case dashboard.NoFinding:
		return "`ficus findings` lists them"
	}
	return ""
}

// ErrUnreachable is the error of a call that no gateway answered.
var ErrUnreachable = errors.New("no gateway answers")

// An unreachable says in a person's words why no gateway answered.
type unreachable struct{ error }

func (u unreachable) Is(target error) bool { return target == ErrUnreachable }
func (u unreachable) Unwrap() error        { return u.error }

// unreachable says in a person's words that no gateway answered.
func (c *Client) unreachable(err error) error {
	var asked *url.Error
	if errors.As(err, &asked) {
		if asked.Timeout() {
			return unreachable{fmt.Errorf("the gateway at %s did not answer in time: %w", c.address, asked.Err)}
		}
		err = asked.Err
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return unreachable{fmt.Errorf("no gateway listens at %s; start one with `ficus run`, or say with --admin where it is: %w", c.address, err)}
	case errors.Is(err, fs.ErrPermission):
		return unreachable{fmt.Errorf("%s may not be opened by this user; run the command as the user of the gateway: %w", c.address, err)}
	}
	return unreachable{fmt.Errorf("asking the gateway at %s: %w", c.address, err)}
}
