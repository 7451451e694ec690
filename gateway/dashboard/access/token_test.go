package access

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestTokenFileIsMadeOnceAndOnlyForItsOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), TokenFile)
	made := make([]Token, 8)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			var err error
			if made[i], err = LoadOrCreateToken(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, token := range made {
		if token != made[0] || token.IsZero() {
			t.Fatal("processes that start together have different tokens")
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left over: %v", left)
	}
	if n := len(made[0].Reveal()); n != len("ficus_")+43 {
		t.Errorf("%d characters", n)
	}
}

func TestTokenFilesThatAreRefused(t *testing.T) {
	good := strings.Repeat("x", shortestToken)
	for _, test := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"others can read it", good, 0o644, "run: chmod 600 "},
		{"the group can read it", good, 0o640, "mode 0640"},
		{"empty", "\n", 0o600, "the token is empty; delete the file"},
		{"short", "secret", 0o600, "openssl rand -hex 32"},
		{"two words", good + " " + good, 0o600, "white space"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), TokenFile)
			if err := os.WriteFile(path, []byte(test.text), test.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, test.mode); err != nil { // whatever the umask
				t.Fatal(err)
			}
			_, err := LoadOrCreateToken(path)
			if err == nil {
				t.Fatal("accepted")
			}
			contains(t, err.Error(), path, test.want)
			if strings.Contains(err.Error(), good) {
				t.Error("the token is shown")
			}
			if text, _ := os.ReadFile(path); string(text) != test.text {
				t.Error("the file was changed")
			}
		})
	}
	if _, err := LoadOrCreateToken(t.TempDir()); err == nil {
		t.Error("a directory was accepted")
	}
	if _, err := LoadOrCreateToken(filepath.Join(t.TempDir(), "none", TokenFile)); err == nil {
		t.Error("a directory that is not there was accepted")
	}
}

func TestFindTokenLooksWhereItSays(t *testing.T) {
	first, second, empty := t.TempDir(), t.TempDir(), t.TempDir()
	in1, err1 := LoadOrCreateToken(filepath.Join(first, TokenFile))
	in2, err2 := LoadOrCreateToken(filepath.Join(second, TokenFile))
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	env := NewToken()
	for _, test := range []struct {
		explicit, env string
		dirs          []string
		want          Token
		err           string
	}{
		{filepath.Join(second, TokenFile), env.Reveal(), []string{first}, in2, ""},
		{"", env.Reveal(), []string{first}, env, ""},
		{"", "", []string{empty, first, second}, in1, ""},
		{"", "", []string{empty}, Token{}, "name the file with --token-file, or set FICUS_TOKEN"},
		{filepath.Join(empty, "x"), env.Reveal(), []string{first}, Token{}, "no such file"},
		{"", "short", nil, Token{}, "FICUS_TOKEN: the token has fewer"},
	} {
		token, err := FindToken(test.explicit, test.env, test.dirs...)
		if token != test.want || (err == nil) != (test.err == "") {
			t.Errorf("%+v: %v", test, err)
		}
		if err != nil {
			contains(t, err.Error(), test.err)
		}
	}
}

func TestTokensAreNotPrinted(t *testing.T) {
	token := NewToken()
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %q", token, token, token, token, token)
	fmt.Fprintf(&out, "%v %+v", struct{ T Token }{token}, &struct{ T Token }{token})
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "token", token)
	fmt.Fprintf(&out, "%v %+v", Options{Shared: token}, &Options{Shared: token})
	if strings.Contains(out.String(), token.Reveal()) || strings.Contains(out.String(), token.Reveal()[6:]) {
		t.Error(out.String())
	}
}

func TestNothingButTheTokensOpens(t *testing.T) {
	shared := NewToken()
	d, err := Open(Options{Shared: shared})
	if err != nil {
		t.Fatal(err)
	}
	ann, bob := issue(t, d, Order{Name: "ann", Role: Viewer}), issue(t, d, Order{Name: "bob", Role: Operator})
	for presented, want := range map[string]Role{shared.Reveal(): Admin, ann.Reveal(): Viewer, bob.Reveal(): Operator, "": "", "ann": "", ann.Reveal() + " ": ""} {
		if who, ok := d.Bearer(presented); who.Role != want || ok != (want != "") || who.Known() != ok {
			t.Errorf("%+v, %v", who, ok)
		}
	}
	closed, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := closed.Bearer(""); ok {
		t.Error("nothing is a token")
	}
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
}

// issue makes a token.
func issue(t *testing.T, d *Door, o Order) Token {
	t.Helper()
	token, _, err := d.Issue(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return token
}
