package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// What the gateways of an installation share of their findings, in Redis:
//
//	findings           hash: by gateway, when it wrote and the versions of its parts
//	findings:NAME      hash: by migration, what that gateway has found; expires
//	findings:triage    hash: by migration and finding, what somebody has said of it
//	findings:accepted  hash: by migration and rule, what somebody has said of the rule
//	findings:erased    hash: by mark of a targeting key, when its examples were erased
//
// Values in all of this are masked already, and keys are marks.
const (
	findingsEvery   = 10 * time.Second
	triageEvery     = time.Second
	mostFindings    = 2 << 20  // bytes of one migration of one gateway
	mostOfOthers    = 32 << 20 // bytes of all that is read
	triageKeptFor   = 90 * 24 * time.Hour
	findingsDropped = retention // what a gateway has found is kept so long without it
)

// sharedFindings exchanges findings with the other gateways. Its methods may
// be called from anywhere.
type sharedFindings struct {
	client  redis.UniversalClient
	key     func(thing string) string
	name    string // of this gateway
	process string // its mark, since versions begin anew with it
	shadow  *shadow.Shadow
	now     func() time.Time // the log's clock
	logger  *slog.Logger

	turn    sync.Mutex        // held by an exchange; guards what follows
	written map[string]uint64 // versions of this gateway's parts that Redis has, by migration
	told    seldom

	mu                 sync.Mutex // guards what follows; taken within the lock of a watch, never around it
	others             map[string]*foundElsewhere
	triage             map[string]compare.Triage // by migration and finding, as [triageField] writes it
	unsaid             map[string]compare.Triage // of them, those that Redis has not got yet
	erased             map[compare.Mark]int64    // when, Unix milliseconds
	undone             map[compare.Mark]int64    // of them, those that Redis has not got yet
	rules, unsaidRules map[string]string         // likewise what was said of rules, by [ruleField]
}

// A foundElsewhere is what another gateway has found.
type foundElsewhere struct {
	head  findingsHead
	found map[string]*compare.Findings // by migration
	size  int                          // bytes that it was read from
}

// A findingsHead says what a gateway has written.
type findingsHead struct {
	At    int64             `json:"at"`    // Unix milliseconds
	Run   string            `json:"run"`   // of the process
	Parts map[string]uint64 `json:"parts"` // versions, by migration
}

func triageField(migration, id string) string { return migration + "\x1f" + id }

// shareFindings begins the exchange. It does nothing where the log is a file.
func (p *Process) shareFindings() {
	if p.shared == nil {
		return
	}
	p.shared.findings = &sharedFindings{
		client: p.shared.client, key: p.shared.key, name: p.shared.name, process: rand.Text(), shadow: p.shadow, now: p.now, logger: p.log,
		written: make(map[string]uint64), others: make(map[string]*foundElsewhere),
		triage: make(map[string]compare.Triage), unsaid: make(map[string]compare.Triage),
		erased: make(map[compare.Mark]int64), undone: make(map[compare.Mark]int64),
		rules: make(map[string]string), unsaidRules: make(map[string]string),
	}
}

// run exchanges until ctx ends.
func (s *sharedFindings) run(ctx context.Context) {
	tick := time.NewTicker(triageEvery)
	defer tick.Stop()
	for last := (time.Time{}); ; {
		whole := time.Since(last) >= findingsEvery
		if whole {
			last = time.Now()
		}
		if err := s.exchange(ctx, whole); err != nil && ctx.Err() == nil && s.told.should(err) {
			s.logger.Warn("findings are not shared at the moment", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// exchange tells and asks what people have said, and with whole also what was
// found.
func (s *sharedFindings) exchange(ctx context.Context, whole bool) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := s.say(ctx); err != nil {
		return err
	}
	if err := s.hear(ctx); err != nil {
		return err
	}
	if err := s.exchangeRules(ctx); err != nil || !whole {
		return err
	}
	if err := s.write(ctx); err != nil {
		return err
	}
	return s.read(ctx)
}

// say tells what was said and erased here.
func (s *sharedFindings) say(ctx context.Context) error {
	s.mu.Lock()
	unsaid, undone := maps.Clone(s.unsaid), maps.Clone(s.undone)
	s.mu.Unlock()
	if len(unsaid)+len(undone) == 0 {
		return nil
	}
	pipe := s.client.Pipeline()
	for field, t := range unsaid {
		text, err := json.Marshal(t)
		if err != nil {
			return err
		}
		pipe.HSet(ctx, s.key("findings:triage"), field, text)
		pipe.PExpire(ctx, s.key("findings:triage"), triageKeptFor)
	}
	for mark, at := range undone {
		pipe.HSet(ctx, s.key("findings:erased"), fmt.Sprintf("%016x", uint64(mark)), at)
		pipe.PExpire(ctx, s.key("findings:erased"), retention)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	if len(undone) > 0 {
		if err := s.scrub(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.unsaid, func(field string, t compare.Triage) bool { return unsaid[field] == t })
	maps.DeleteFunc(s.undone, func(mark compare.Mark, at int64) bool { return undone[mark] == at })
	return nil
}

// hear takes up what was said and erased elsewhere.
func (s *sharedFindings) hear(ctx context.Context) error {
	pipe := s.client.Pipeline()
	said, erased := pipe.HGetAll(ctx, s.key("findings:triage")), pipe.HGetAll(ctx, s.key("findings:erased"))
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	var news, old []string
	now := s.now()
	s.mu.Lock()
	for field, text := range said.Val() {
		var t compare.Triage
		if json.Unmarshal([]byte(text), &t) != nil || s.triage[field] == t {
			continue
		}
		if now.Sub(t.At) > triageKeptFor {
			old = append(old, field)
			continue
		}
		if _, ours := s.unsaid[field]; !ours {
			s.triage[field] = t
			news = append(news, field)
		}
	}
	var marks []compare.Mark
	for name, text := range erased.Val() {
		mark, err := strconv.ParseUint(name, 16, 64)
		at, err2 := strconv.ParseInt(text, 10, 64)
		if err == nil && err2 == nil && s.erased[compare.Mark(mark)] < at {
			s.erased[compare.Mark(mark)] = at
			marks = append(marks, compare.Mark(mark))
		}
	}
	s.mu.Unlock()
	if len(old) > 0 {
		if err := s.client.HDel(ctx, s.key("findings:triage"), old...).Err(); err != nil {
			return err
		}
	}
	for _, field := range news {
		migration, id, _ := strings.Cut(field, "\x1f")
		if w := s.shadow.Find(migration); w != nil {
			_ = w.Change(func(study *compare.Study) error {
				study.Triage(id, s.saidOf(field))
				return nil
			})
		}
	}
	for _, mark := range marks {
		s.shadow.Each(func(w *shadow.Watch) { w.EraseMark(mark) })
		s.forget(mark)
	}
	return nil
}

func (s *sharedFindings) saidOf(field string) compare.Triage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.triage[field]
}

// forget erases examples of a key from what others have found, and returns how
// many there were.
func (s *sharedFindings) forget(mark compare.Mark) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.others {
		for _, f := range o.found {
			n += f.EraseKey(mark)
		}
	}
	return n
}
