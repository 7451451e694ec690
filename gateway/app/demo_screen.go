package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop/load"
	"github.com/ficus-gateway/ficus/examples/shop/monolith"
	"github.com/ficus-gateway/ficus/examples/shop/orders"
	"github.com/ficus-gateway/ficus/migrations"
)

const (
	wide   = 110 // columns of the demo's lines at most, if what they tell can be broken
	narrow = 79  // and at least
)

// A screen is where the demo tells its story: lines that stay, and, on a
// terminal, one below them that says how things stand now.
type screen struct {
	out      io.Writer
	width    int  // columns of a line that can be broken
	terminal bool // the last line may be written over
	coloured bool
	began    time.Time

	mu  sync.Mutex // guards the writing
	now string     // the line below
}

func newScreen(out io.Writer) *screen {
	s := &screen{out: out, began: time.Now(), width: wide}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		s.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
		if s.terminal {
			s.width = min(max(columnsOf(f)-1, narrow), wide)
		}
	}
	s.coloured = s.terminal && os.Getenv("NO_COLOR") == ""
	return s
}

func (s *screen) paint(code, text string) string {
	if !s.coloured {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s *screen) bold(text string) string  { return s.paint("1", text) }
func (s *screen) green(text string) string { return s.paint("32", text) }
func (s *screen) red(text string) string   { return s.paint("1;31", text) }
func (s *screen) amber(text string) string { return s.paint("33", text) }
func (s *screen) plain(text string) string { return text }
func (s *screen) faint(text string) string { return s.paint("2", text) }

// line writes a line that stays.
func (s *screen) line(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf(format, args...) + "\n"
	if s.terminal && s.now != "" {
		text = "\r\x1b[K" + text + s.now
	}
	_, _ = io.WriteString(s.out, text)
}

const (
	column = 23         // of what says in a word what has happened
	second = 9 + column // where the next one begins
	third  = 9          // where what belongs to it begins
)

// happened writes what has happened, with its time.
func (s *screen) happened(at time.Time, colour func(string) string, what, format string, args ...any) {
	lines := broken(fmt.Sprintf(format, args...), s.width-second)
	s.line("%6.1fs  %s%s", at.Sub(s.began).Seconds(), colour(fmt.Sprintf("%-*s", column, what)), lines[0])
	for _, text := range lines[1:] {
		s.line("%*s%s", second, "", text)
	}
}

// more writes lines that belong to the one before.
func (s *screen) more(format string, args ...any) {
	for _, text := range broken(fmt.Sprintf(format, args...), s.width-third) {
		s.line("%*s%s", third, "", text)
	}
}

// broken breaks a text into lines of so many bytes at most.
func broken(text string, most int) (lines []string) {
	for len(text) > most {
		cut := strings.LastIndexByte(text[:most], ' ')
		if cut <= 0 {
			break
		}
		lines, text = append(lines, text[:cut]), text[cut+1:]
	}
	return append(lines, text)
}

// below replaces the line below.
func (s *screen) below(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = text
	_, _ = io.WriteString(s.out, "\r\x1b[K"+text)
}

// clear takes the line below away.
func (s *screen) clear() {
	if s.terminal {
		s.below("")
	}
}

// watch says how things stand: four times a second on a terminal, every two
// seconds elsewhere.
func (s *screen) watch(ctx context.Context, stage *demoStage, customers *load.Load) {
	every := 2 * time.Second
	if s.terminal {
		every = 250 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var before sides
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		r := customers.Snapshot()
		now := sidesOf(r)
		s.stands(now.legacy-before.legacy, now.modern-before.modern, stage.standing().Split, r.Requests, errorsOf(r), stage.waits())
		before = now
	}
}

// stands says how things stand.
func (s *screen) stands(legacy, modern int, split migrations.Split, requests, errors int, waits string) {
	const left, plain = 9, 8 + 1 + barCells + 7 // of the time, and of the bar with its words
	rest := fmt.Sprintf("  %-19s %6d requests, ", split, requests)
	trouble := fmt.Sprintf("%d errors", errors)
	if room := s.width - left - plain - len(rest) - len(trouble) - 2; waits != "" && room > 20 {
		waits = "; " + shortened(waits, room)
	} else {
		waits = ""
	}
	colour := s.green
	if errors > 0 {
		colour = s.red
	}
	text := s.bar(legacy, modern) + rest + colour(trouble) + s.faint(waits)
	if s.terminal {
		s.below(text)
	} else {
		s.line("%6.1fs  %s", time.Since(s.began).Seconds(), text)
	}
}

// shortened cuts a text to so many bytes at most, at a space.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	if cut := strings.LastIndexByte(text[:most-2], ' '); cut > 0 {
		text = text[:cut]
	}
	return text + " …"
}

// sides counts who answered the requests of the migration.
type sides struct{ legacy, modern int }

func sidesOf(r *load.Report) (s sides) {
	for name, route := range r.Routes {
		if strings.Contains(name, "/api/orders") {
			s.legacy += route.Sides[monolith.Name]
			s.modern += route.Sides[orders.Name]
		}
	}
	return s
}

// errorsOf counts the answers that were none, or said that something broke.
func errorsOf(r *load.Report) int {
	return r.Failures[load.ServerError] + r.Failures[load.Transport] + r.Failures[load.Refused]
}

const barCells = 16

// bar draws how the orders since the last one were shared out.
func (s *screen) bar(legacy, modern int) string {
	filled := 0
	if sum := legacy + modern; sum > 0 {
		filled = (modern*barCells + sum/2) / sum
	}
	return "monolith " + s.faint(strings.Repeat("░", barCells-filled)) + s.green(strings.Repeat("█", filled)) + " orders"
}
