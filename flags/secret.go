package flags

import (
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

// makeSecret writes the whole file under another name and links it into
// place, so that nobody ever reads half a secret and none is replaced.
func makeSecret(path string) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".ficus-secret-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	secret := make([]byte, secretSize)
	rand.Read(secret)
	if _, err = f.Write(secret); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = os.Link(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
