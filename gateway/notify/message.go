package notify

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// body returns what is sent to a hook.
func body(h *routes.Hook, n Notice) ([]byte, error) {
	var v any = n
	if h.Format == routes.HookSlack {
		v = map[string]string{"text": slackText.Replace(n.Text)}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// secret returns what signs the messages of a hook; empty: nothing does.
func secret(h *routes.Hook) ([]byte, error) {
	if h.SecretFile == "" {
		return []byte(h.Secret), nil
	}
	text, err := os.ReadFile(h.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("reading the secret: %w", err)
	}
	text = bytes.TrimSpace(text)
	if len(text) < 16 {
		return nil, errors.New("the secret in the file is too short to sign with; use at least 16 random bytes")
	}
	return text, nil
}

// sign returns the signature of a body at a time.
func sign(secret, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(sum(secret, t, body))
}

func sum(secret []byte, t string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(t + "."))
	h.Write(body)
	return h.Sum(nil)
}

// tolerance is by how much the clocks of sender and receiver may differ.
const tolerance = 5 * time.Minute

// ErrSignature is the error of a signature that does not hold.
var ErrSignature = errors.New("the signature does not hold")

// Verify checks a Ficus-Signature as a receiver should: that it was made with
// the secret, of this body, and not long ago.
func Verify(secret []byte, signature string, body []byte, now time.Time) error {
	first, second, ok := strings.Cut(signature, ",")
	t, isTime := strings.CutPrefix(first, "t=")
	v1, isSum := strings.CutPrefix(second, "v1=")
	seconds, err := strconv.ParseInt(t, 10, 64)
	given, hexErr := hex.DecodeString(v1)
	switch {
	case !ok || !isTime || !isSum || err != nil || hexErr != nil:
		return fmt.Errorf("%w: it is not of the form t=SECONDS,v1=HEX", ErrSignature)
	case !hmac.Equal(given, sum(secret, t, body)):
		return fmt.Errorf("%w: another secret, or another body", ErrSignature)
	case now.Sub(time.Unix(seconds, 0)).Abs() > tolerance:
		return fmt.Errorf("%w: it is of %s", ErrSignature, time.Unix(seconds, 0).UTC().Format(time.RFC3339))
	}
	return nil
}
