package redislog

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// A secret says where a password is. It is read whenever it is needed and
// kept nowhere.
type secret struct {
	env, file string
}

// read returns the password, "" if there is none. Its errors do not contain it.
func (s secret) read() (string, error) {
	switch {
	case s.env != "" && s.file != "":
		return "", errors.New("the password is either in an environment variable or in a file, not in both")
	case s.env != "":
		password, ok := os.LookupEnv(s.env)
		if !ok {
			return "", fmt.Errorf("the environment variable %s, which is to have the password of Redis, is not set", s.env)
		}
		return password, nil
	case s.file != "":
		text, err := os.ReadFile(s.file)
		if err != nil {
			return "", fmt.Errorf("the password of Redis: %w", err)
		}
		return strings.TrimRight(string(text), "\r\n"), nil
	}
	return "", nil
}

// hide takes the password out of a text.
func (s secret) hide(text string) string {
	if password, err := s.read(); err == nil && password != "" {
		return strings.ReplaceAll(text, password, "[password]")
	}
	return text
}
