package redistally

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/redis/go-redis/v9"
)

// An outgoing is what this gateway has said, as far as it knows.
type outgoing struct {
	parts map[string]*said
	heard bool // Redis has all of that
}

// A said is a part that was said.
type said struct {
	version uint64
	mark    mark
	text    []byte // of a part without a mark
}

// publish says what this gateway has counted, and returns what all say of
// themselves. What Redis may not have got is said again, whole.
func (t *Tally) publish(ctx context.Context, now time.Time, leaving bool) (map[string]string, error) {
	tally, tallies := t.Key("tally:"+t.Name), t.Key("tallies")
	fields, gone, err := t.changes()
	if err != nil {
		return nil, err
	}
	h := head{Format: format, Run: t.run, At: now.UnixMilli(), Left: leaving, Most: t.mostKnown(), Parts: make(map[string]uint64, len(t.out.parts))}
	for name, s := range t.out.parts {
		h.Parts[name] = s.version
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	t.out.heard = false
	pipe := t.Client.Pipeline()
	if !t.began { // what an ended process of this name had is void
		pipe.Del(ctx, tally)
	}
	if len(fields) > 0 {
		pipe.HSet(ctx, tally, fields...)
	}
	if len(gone) > 0 {
		pipe.HDel(ctx, tally, gone...)
	}
	pipe.PExpire(ctx, tally, keepFor)
	there := pipe.HLen(ctx, tally)
	pipe.HSet(ctx, tallies, t.Name, text)
	pipe.PExpire(ctx, tallies, keepFor)
	all := pipe.HGetAll(ctx, tallies)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	t.began = true
	t.out.heard = there.Val() == int64(len(t.out.parts)) // or it was emptied, and gets all of them again
	return all.Val(), nil
}

// changes returns the parts to be written and the names of those that are no
// more.
func (t *Tally) changes() (fields []any, gone []string, err error) {
	before := t.out.parts
	t.out.parts = make(map[string]*said, len(before))
	for id, counts := range t.Own() {
		for _, p := range split(id, counts) {
			last := before[p.name]
			if last != nil && t.out.heard && last.text == nil && last.mark == p.mark {
				t.out.parts[p.name] = last
				continue
			}
			text, err := p.text()
			if err != nil {
				t.out.parts = before
				return nil, nil, err
			}
			if last != nil && t.out.heard && last.text != nil && bytes.Equal(last.text, text) {
				t.out.parts[p.name] = last
				continue
			}
			next := &said{version: 1, mark: p.mark}
			if last != nil {
				next.version = last.version + 1
			}
			if p.mark == (mark{}) {
				next.text = text
			}
			t.out.parts[p.name] = next
			fields = append(fields, p.name, text)
		}
	}
	for name := range before {
		if t.out.parts[name] == nil {
			gone = append(gone, name)
		}
	}
	return fields, gone, nil
}

// read fetches what the others have that is new.
func (t *Tally) read(ctx context.Context, heads map[string]string) error {
	for name := range t.in {
		if _, ok := heads[name]; !ok {
			delete(t.in, name)
		}
	}
	pipe := t.Client.Pipeline()
	asked := make(map[string]*redis.SliceCmd)
	wanted := make(map[string][]string)
	for name, text := range heads {
		if name == t.Name || len(t.in) >= mostOthers && t.in[name] == nil {
			continue
		}
		g := t.in[name]
		if g == nil {
			g = &incoming{have: make(map[string]uint64)}
			t.in[name] = g
		}
		h, err := readHead(text)
		if err != nil {
			t.strange(name, g, err)
			continue
		}
		if h.Run != g.head.Run {
			clear(g.have)
			g.parts = parcel{}
		}
		g.head = h
		for part := range g.have {
			if _, ok := h.Parts[part]; !ok {
				g.parts.drop(part)
				delete(g.have, part)
			}
		}
		for part, version := range h.Parts {
			if g.have[part] != version {
				wanted[name] = append(wanted[name], part)
			}
		}
		if len(wanted[name]) > 0 {
			asked[name] = pipe.HMGet(ctx, t.Key("tally:"+name), wanted[name]...)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	for name, cmd := range asked {
		t.take(name, wanted[name], cmd.Val())
	}
	return nil
}

// take reads the parts of another gateway. They may be newer than its head
// says, which does no harm: they are read again then.
func (t *Tally) take(name string, parts []string, values []any) {
	g := t.in[name]
	for i, part := range parts {
		text, ok := values[i].(string)
		if !ok { // gone meanwhile
			continue
		}
		if len(text) > mostBytes {
			t.strange(name, g, errLarge)
			continue
		}
		if err := g.parts.take(part, []byte(text)); err != nil {
			t.strange(name, g, err)
			continue
		}
		g.have[part] = g.head.Parts[part]
	}
}

// strange says once that a gateway cannot be read.
func (t *Tally) strange(name string, g *incoming, err error) {
	if !g.strange {
		g.strange = true
		t.Logger.Error("the counts of another gateway cannot be read, and are left out", "gateway", name, "error", err)
	}
}

// prune removes what no test needs any more.
func (t *Tally) prune(ctx context.Context, now time.Time) {
	own := t.Own()
	for name, g := range t.in {
		if g.head.alive(now) || g.strange {
			continue
		}
		if now.Sub(time.UnixMilli(g.head.At)) < keepFor && (now.Sub(time.UnixMilli(g.head.At)) < Gone || needed(&g.parts, own)) {
			continue
		}
		pipe := t.Client.Pipeline()
		pipe.HDel(ctx, t.Key("tallies"), name)
		pipe.Del(ctx, t.Key("tally:"+name))
		if _, err := pipe.Exec(ctx); err == nil {
			delete(t.in, name)
		}
	}
}
