package app

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// A tape is what a command has written so far.
type tape struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *tape) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *tape) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

var (
	demoAsk    = regexp.MustCompile(`cd (\S+) && export FICUS_ADMIN=(\S+)`)
	demoBack   = regexp.MustCompile(`(?s)▼ ROLLED BACK +event (\d+): .*?E is (\S+) again`)
	demoRolled = regexp.MustCompile(`▼ ROLLED BACK`)
)

// The first command that newcomers run: three bugs, each taken back by the
// guard alone, and no customer sees an error.
func TestTheDemoTakesEveryBugBack(t *testing.T) {
	var out, errs tape
	done := make(chan int, 1)
	go func() {
		done <- Run(t.Context(), WithArgs("demo", "--for", "10s", "--rate", "150", "--exit-code", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"), WithOutput(&out, &errs))
	}()
	asked := false
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		select {
		case code := <-done:
			text := out.String()
			if code != 0 || len(demoRolled.FindAllString(text, -1)) < 3 {
				t.Errorf("exit code %d\n%s%s", code, text, errs.String())
			}
			if !asked {
				t.Error("nothing was rolled back in time to be asked why")
			}
			for line := range strings.Lines(text) {
				if strings.ContainsRune(line, 0x1b) {
					t.Errorf("colours where there is no terminal: %q", line)
				}
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 120 && !strings.Contains(line, "ficus-demo-") {
					t.Errorf("%d columns: %s", n, line)
				}
			}
			return
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("the demo does not end\n%s%s", out.String(), errs.String())
		}
		back, at := demoBack.FindStringSubmatch(out.String()), demoAsk.FindStringSubmatch(out.String())
		if back == nil || at == nil || asked {
			continue
		}
		asked = true
		var why, trouble bytes.Buffer
		code := Run(t.Context(), WithArgs("history", "--explain", back[1], "--admin", at[2], "--token-file", filepath.Join(at[1], "ficus.token")), WithOutput(&why, &trouble))
		if code != 0 || !strings.Contains(why.String(), "rolledback") {
			t.Errorf("history --explain %s: exit code %d\n%s%s", back[1], code, why.String(), trouble.String())
		}
	}
}
