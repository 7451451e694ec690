package app

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// write puts what has changed of this gateway's findings into Redis.
func (s *sharedFindings) write(ctx context.Context) error {
	head := findingsHead{At: s.now().UnixMilli(), Run: s.process, Parts: make(map[string]uint64)}
	var fields []any
	next := make(map[string]uint64)
	var err error
	s.shadow.Each(func(w *shadow.Watch) {
		id, version := w.Migration(), w.Version()
		next[id], head.Parts[id] = version, version
		if have, ok := s.written[id]; ok && have == version || err != nil {
			return
		}
		var text []byte
		if text, err = findingsText(w); err == nil {
			fields = append(fields, id, text)
		}
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	pipe := s.client.Pipeline()
	if len(fields) > 0 {
		pipe.HSet(ctx, s.key("findings:"+s.name), fields...)
	}
	pipe.PExpire(ctx, s.key("findings:"+s.name), findingsDropped)
	there := pipe.HLen(ctx, s.key("findings:"+s.name))
	pipe.HSet(ctx, s.key("findings"), s.name, text)
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	s.written = next
	if there.Val() < int64(len(next)) { // Redis has lost some: all of them again
		s.written = make(map[string]uint64)
	}
	return nil
}

// findingsText is what a gateway has found of a migration, bounded: without
// some examples, or all of them, if it must be.
func findingsText(w *shadow.Watch) ([]byte, error) {
	var found *compare.Findings
	w.View(func(study *compare.Study) {
		study.Explain()
		found = study.Findings.Clone()
	})
	text, err := json.Marshal(found)
	for _, less := range []func(){found.Thin, found.Bare} {
		if err != nil || len(text) <= mostFindings {
			break
		}
		less()
		text, err = json.Marshal(found)
	}
	return text, err
}

// read fetches what others have found that is new, and removes what is too old.
func (s *sharedFindings) read(ctx context.Context) error {
	heads, err := s.client.HGetAll(ctx, s.key("findings")).Result()
	if err != nil {
		return err
	}
	s.mu.Lock()
	before := maps.Clone(s.others)
	s.mu.Unlock()
	next, size := make(map[string]*foundElsewhere), 0
	for _, name := range slices.Sorted(maps.Keys(heads)) {
		var head findingsHead
		if name == s.name || json.Unmarshal([]byte(heads[name]), &head) != nil {
			continue
		}
		if s.now().Sub(time.UnixMilli(head.At)) > findingsDropped {
			s.client.HDel(ctx, s.key("findings"), name)
			continue
		}
		o, err := s.fetch(ctx, name, head, before[name])
		if err != nil {
			return err
		}
		if size += o.size; size > mostOfOthers {
			break
		}
		next[name] = o
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.others = next
	return nil
}

// fetch returns what another gateway has found, given what was known of that.
func (s *sharedFindings) fetch(ctx context.Context, name string, head findingsHead, before *foundElsewhere) (*foundElsewhere, error) {
	if before != nil && before.head.Run == head.Run && maps.Equal(before.head.Parts, head.Parts) {
		return before, nil
	}
	parts, err := s.client.HGetAll(ctx, s.key("findings:"+name)).Result()
	if err != nil {
		return nil, err
	}
	o := &foundElsewhere{head: head, found: make(map[string]*compare.Findings)}
	for migration, text := range parts {
		f := new(compare.Findings)
		if len(text) > 2*mostFindings || json.Unmarshal([]byte(text), f) != nil {
			continue // of a version that this one does not know
		}
		s.mu.Lock()
		for mark, at := range s.erased {
			if head.At <= at {
				f.EraseKey(mark)
			}
		}
		s.mu.Unlock()
		o.found[migration], o.size = f, o.size+len(text)
	}
	return o, nil
}

// together returns a study whose findings are those of all gateways, and what
// people have said of them. It is called within the lock of the watch.
func (s *sharedFindings) together(migration string, own *compare.Study) *compare.Study {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := own.Findings.Clone()
	for _, name := range slices.Sorted(maps.Keys(s.others)) {
		if f := s.others[name].found[migration]; f != nil {
			all.Join(f)
		}
	}
	for id := range all.Each {
		if t, ok := s.triage[triageField(migration, id)]; ok {
			all.Triage(id, t)
		}
	}
	study := *own
	study.Findings = all
	return &study
}

// change lets f say something of the findings of all gateways, and has it hold
// on all of them.
func (s *sharedFindings) change(migration string, w *shadow.Watch, f func(*compare.Study) error) error {
	return w.Change(func(own *compare.Study) error {
		study := s.together(migration, own)
		before := study.Findings.Triaged()
		if err := f(study); err != nil {
			return err
		}
		now := s.now()
		for id, t := range study.Findings.Triaged() {
			if t == before[id] {
				continue
			}
			t.At = now
			own.Findings.Triage(id, t)
			s.mu.Lock()
			s.triage[triageField(migration, id)], s.unsaid[triageField(migration, id)] = t, t
			s.mu.Unlock()
		}
		return nil
	})
}

// scrub writes anew what gateways have found that have ended, and so will not
// do it themselves, without what was erased.
func (s *sharedFindings) scrub(ctx context.Context) error {
	pipe := s.client.Pipeline()
	if err := s.rewritten(func(key, migration string, text []byte) { pipe.HSet(ctx, key, migration, text) }); err != nil || pipe.Len() == 0 {
		return err
	}
	_, err := pipe.Exec(ctx)
	return err
}

func (s *sharedFindings) rewritten(put func(key, migration string, text []byte)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, o := range s.others {
		if s.now().Sub(time.UnixMilli(o.head.At)) < 3*findingsEvery {
			continue
		}
		for migration, f := range o.found {
			text, err := json.Marshal(f)
			if err != nil {
				return err
			}
			put(s.key("findings:"+name), migration, text)
		}
	}
	return nil
}

// eraseKey drops the examples of a targeting key that this gateway has, and
// has the others drop theirs; it returns how many are known here.
func (s *sharedFindings) eraseKey(key string) (n int) {
	at := s.now().UnixMilli()
	s.shadow.Each(func(w *shadow.Watch) {
		mark := w.Mark(key)
		n += w.EraseMark(mark) + s.forget(mark)
		s.mu.Lock()
		s.erased[mark], s.undone[mark] = at, at
		s.mu.Unlock()
	})
	return n
}
