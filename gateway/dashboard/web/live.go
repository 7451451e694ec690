package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
)

// live keeps the parts of the pages that are being looked at up to date: each
// is rendered once for all who look at it, and only while somebody does.
type live struct {
	most     int
	instance string

	mu      sync.Mutex // guards what follows
	streams int        // browsers that are connected
	topics  map[string]*topic
	beat    chan struct{} // closed at the next thing that may change a page
}

// maxTopics bounds the different pages that are kept up to date at once.
const maxTopics = 64

func newLive(most int, instance string) *live {
	return &live{most: most, instance: instance, topics: map[string]*topic{}, beat: make(chan struct{})}
}

// wake makes everything that is looked at be rendered anew.
func (l *live) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.beat)
	l.beat = make(chan struct{})
}

func (l *live) next() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.beat
}

// A topic is one page, as everybody sees it who looks at it.
type topic struct {
	stop context.CancelFunc // ends its goroutine when the last one leaves

	viewers int // guarded by live.mu

	mu      sync.Mutex // guards what follows
	version int
	parts   []part
	changed chan struct{} // closed when version changes
}

// A part is an element of a page, by its id.
type part struct {
	ID      string `json:"id"`
	HTML    string `json:"html"`
	version int    // in which it changed last
}

var errCrowded = errors.New("as many browsers are connected as are kept up to date at once")

// join begins to look at a topic; leave must be called.
func (l *live) join(key string, render func(ctx context.Context) ([]part, error)) (t *topic, leave func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t = l.topics[key]
	if l.streams >= l.most || t == nil && len(l.topics) >= maxTopics {
		return nil, nil, errCrowded
	}
	if t == nil {
		ctx, cancel := context.WithCancel(context.Background())
		t = &topic{stop: cancel, changed: make(chan struct{})}
		l.topics[key] = t
		go t.keep(ctx, l, render)
	}
	t.viewers++
	l.streams++
	var once sync.Once
	return t, func() { once.Do(func() { l.leave(key, t) }) }, nil
}

func (l *live) leave(key string, t *topic) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams--
	if t.viewers--; t.viewers == 0 {
		t.stop()
		delete(l.topics, key)
	}
}

// keep renders a topic whenever something may have changed.
func (t *topic) keep(ctx context.Context, l *live, render func(ctx context.Context) ([]part, error)) {
	for {
		beat := l.next()
		if parts, err := render(ctx); err == nil {
			t.set(parts)
		}
		select {
		case <-beat:
		case <-ctx.Done():
			return
		}
	}
}

func (t *topic) set(parts []part) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fresh := false
	for i := range parts {
		parts[i].version = t.version + 1
		for _, before := range t.parts {
			if before.ID == parts[i].ID && before.HTML == parts[i].HTML {
				parts[i].version = before.version
			}
		}
		fresh = fresh || parts[i].version > t.version
	}
	t.parts = parts
	if fresh {
		t.version++
		close(t.changed)
		t.changed = make(chan struct{})
	}
}

// after returns the parts that changed after a version, the present version,
// and what is closed when there is another. Whoever is slow gets the newest
// only: nothing queues up.
func (t *topic) after(version int) (parts []part, now int, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.parts {
		if p.version > version {
			parts = append(parts, p)
		}
	}
	return parts, t.version, t.changed
}

// parts renders parts of a page.
func (s *site) parts(name string, main any, ids ...string) ([]part, error) {
	out := make([]part, 0, len(ids))
	for _, id := range ids {
		var b bytes.Buffer
		if err := s.look.pages[name].ExecuteTemplate(&b, id, main); err != nil {
			s.Logger.Error("a part of a page could not be made", "page", name, "part", id, "error", err)
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		out = append(out, part{ID: id, HTML: b.String()})
	}
	return out, nil
}
