package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// The waits between two attempts double from the first to the last.
const (
	firstWait = time.Second
	lastWait  = 5 * time.Minute
)

// leastTime is for how long is tried in any case, also what has grown old
// while nobody could tell it.
const leastTime = time.Minute

// deliver sends a notice until the hook takes it, it has to be given up, or ctx
// ends, whose error it then returns.
func (t *Teller) deliver(ctx context.Context, h *routes.Hook, n Notice) error {
	text, err := body(h, n)
	if err != nil {
		return err
	}
	end := n.Time.Add(h.GiveUp)
	if least := t.now().Add(min(leastTime, h.GiveUp)); end.Before(least) {
		end = least
	}
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		asked, err := t.attempt(ctx, h, n, text)
		if err == nil {
			t.count(h.Name, delivered)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause := min(max(wait/2+rand.N(wait/2+1), asked), lastWait)
		if t.now().Add(pause).After(end) || errors.Is(err, errGone) {
			t.count(h.Name, givenUp)
			t.logger.Error("a hook was not told", "hook", h.Name, "notice", n.ID, "event", n.Event, "migration", n.Migration, "error", err)
			return nil
		}
		t.count(h.Name, failed)
		t.logger.Warn("a hook does not take what it is told", "hook", h.Name, "notice", n.ID, "error", err, "retry_in", pause.Round(time.Millisecond))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// errGone is the error of a hook that says that there is none any more.
var errGone = errors.New("410 Gone")

// attempt sends a notice once. After an error it returns how long the hook asks
// to be left alone.
func (t *Teller) attempt(ctx context.Context, h *routes.Hook, n Notice, text []byte) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(text))
	if err != nil {
		return 0, errors.New("the URL of the hook is none") // which may be a secret
	}
	key, err := secret(h)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", t.agent)
	req.Header.Set("Ficus-Event", n.Event)
	req.Header.Set("Ficus-Notice", n.ID)
	if len(key) > 0 {
		req.Header.Set("Ficus-Signature", sign(key, text, t.now()))
	}
	res, err := t.client.Do(req)
	if err != nil {
		var asked *url.Error
		if errors.As(err, &asked) {
			err = asked.Err // the URL may be a secret
		}
		return 0, err
	}
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection can be used again
	_ = res.Body.Close()
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return 0, nil
	case res.StatusCode == http.StatusGone:
		return 0, errGone
	}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
		wait = time.Duration(min(seconds, int(lastWait/time.Second))) * time.Second
	}
	return wait, fmt.Errorf("it answers %s", res.Status)
}
