package flags

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	secretSize = 32       // bytes of a new secret
	maxSecret  = 64 << 10 // bytes read of a file
)

// LoadSecret reads the secret that signs cookies from a file, or makes the
// file, with 32 random bytes and for its owner only. It refuses a file that
// others may read. Of several processes that start at once all get the same.
func LoadSecret(path string) ([]byte, error) {
	secret, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := makeSecret(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("making the secret %s: %w", path, err)
	}
	return readSecret(path) // ours, or that of a process that was faster
}

// SaveSecret puts a secret that others have into the place of the one in the
// file, if they differ, so that [LoadSecret] returns it from now on.
func SaveSecret(path string, secret []byte) error {
	if len(secret) < minSecret {
		return fmt.Errorf("a secret of %d bytes is too short; at least %d are needed", len(secret), minSecret)
	}
	if ours, err := readSecret(path); err == nil && bytes.Equal(ours, secret) {
		return nil
	}
	if err := writeSecret(path, secret, os.Rename); err != nil {
		return fmt.Errorf("keeping the secret %s: %w", path, err)
	}
	return nil
}

func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the secret: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the secret: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("reading the secret: everybody may read or change %s; run chmod 600 %s", path, path)
	}
	secret, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return nil, fmt.Errorf("reading the secret: %w", err)
	}
	if len(secret) < minSecret {
		return nil, fmt.Errorf("reading the secret: %s holds %d bytes, at least %d are needed; delete it to have a new one made, which changes the side of anonymous clients", path, len(secret), minSecret)
	}
	return secret, nil
}

// makeSecret makes the file with a new secret, unless there is one.
func makeSecret(path string) error {
	secret := make([]byte, secretSize)
	rand.Read(secret)
	return writeSecret(path, secret, os.Link)
}

// writeSecret writes the whole file under another name and puts it into place,
// so that nobody ever reads half a secret.
func writeSecret(path string, secret []byte, put func(from, to string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".ficus-secret-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err = f.Write(secret); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = put(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
