package access

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// TokenFile is the name of the file that holds the token, beside the state.
const TokenFile = "ficus.token"

// shortestToken is the least number of characters of a token: 128 bits in hex.
const shortestToken = 32

// A Token lets its bearer write. Printing and logging one shows nothing of it.
// The zero value is no token.
type Token struct{ secret string }

// NewToken returns a token of 256 random bits.
func NewToken() Token {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // never fails
	return Token{"ficus_" + base64.RawURLEncoding.EncodeToString(bits[:])}
}

// ParseToken returns the token that text holds, without the white space around it.
func ParseToken(text string) (Token, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return Token{}, errors.New("the token is empty")
	case len(text) < shortestToken:
		return Token{}, fmt.Errorf("the token has fewer than %d characters; `openssl rand -hex 32` makes a good one", shortestToken)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return Token{}, errors.New("the token holds white space or characters that are not ASCII")
	}
	return Token{text}, nil
}

// Reveal returns the token itself, to be sent as a bearer.
func (t Token) Reveal() string { return t.secret }

// IsZero reports whether t is no token.
func (t Token) IsZero() bool { return t.secret == "" }

// String hides the token.
func (t Token) String() string { return "(token)" }

// GoString hides the token.
func (t Token) GoString() string { return "access.Token{}" }

// LogValue hides the token.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// LoadOrCreateToken reads the token file at path, or makes one that only its
// owner can read. It refuses a file that others can read.
func LoadOrCreateToken(path string) (Token, error) {
	t, err := loadToken(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return t, err
	}
	t = NewToken()
	if err := createToken(path, t); errors.Is(err, fs.ErrExist) {
		return loadToken(path) // another process was faster
	} else if err != nil {
		return Token{}, fmt.Errorf("making the token file: %w", err)
	}
	return t, nil
}

// FindToken returns the token that a command should present: that of the file
// explicit if it is given, else env, else that of the first directory with a
// token file.
func FindToken(explicit, env string, dirs ...string) (Token, error) {
	if explicit != "" {
		return loadToken(explicit)
	}
	if env != "" {
		t, err := ParseToken(env)
		if err != nil {
			return Token{}, fmt.Errorf("FICUS_TOKEN: %w", err)
		}
		return t, nil
	}
	for _, dir := range dirs {
		t, err := loadToken(filepath.Join(dir, TokenFile))
		if !errors.Is(err, fs.ErrNotExist) {
			return t, err
		}
	}
	return Token{}, fmt.Errorf("no token: there is no %s in %s; name the file with --token-file, or set FICUS_TOKEN", TokenFile, strings.Join(dirs, ", "))
}

func loadToken(path string) (Token, error) {
	f, err := os.Open(path)
	if err != nil {
		return Token{}, fmt.Errorf("reading the token file: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat() // of the file that is open, so that nobody can swap it in between
	if err != nil {
		return Token{}, fmt.Errorf("reading the token file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Token{}, fmt.Errorf("%s: the token file is not a regular file", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Token{}, fmt.Errorf("%s: others can read the token (mode %04o); run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return Token{}, fmt.Errorf("reading the token file: %w", err)
	}
	t, err := ParseToken(string(text))
	if err != nil {
		return Token{}, fmt.Errorf("%s: %w; delete the file, and the gateway makes a new one when it starts", path, err)
	}
	return t, nil
}

// createToken writes t to a new file, which appears at path complete or not at
// all. If we crash before the link, a file with another name is left over.
func createToken(path string, t Token) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(t.secret + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), path) // fails if there is one, unlike a rename
}
