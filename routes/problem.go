package routes

import (
	"fmt"
	"strings"
)

// A Problem is one thing wrong with a config.
type Problem struct {
	At   Position
	Path string // where in the config: "migrations.orders.to"
	Text string // what is wrong
	Hint string // what to do; may be empty
}

// Error writes the problem as "file:line:col: path: text; hint".
func (p Problem) Error() string {
	var b strings.Builder
	if p.At.File != "" {
		b.WriteString(p.At.File)
		if p.At.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.At.Line, p.At.Col)
		}
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Text)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Problems are all that is wrong with a config, in the order of the files.
type Problems []Problem

// Error writes one problem per line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}
