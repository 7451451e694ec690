package outside

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

const shards = 64

// A memory holds the last good answers. What is asked for is kept as a hash,
// so that nobody's key lies about in it.
type memory struct {
	seeds  [2]maphash.Seed
	most   int // answers in one shard
	shards [shards]shard
}

// A shard is a part of a memory, so that requests don't meet at one lock.
type shard struct {
	mu      sync.Mutex // guards what follows
	answers map[question]answer
	asking  map[question]*call // that have not been answered yet
}

// A question is a flag and all that an evaluation was told, hashed twice, so
// that two of them don't meet.
type question [2]uint64

// An answer is one that was good.
type answer struct {
	value   string // empty: the caller's default
	variant string
	reason  openfeature.Reason
	version string    // of the flag; empty: not known
	asked   time.Time // when the question was
	again   bool      // it was of use, after it had been given
}

func newMemory(most int) *memory {
	m := &memory{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, most: max(most/shards, 1)}
	for i := range m.shards {
		m.shards[i].answers, m.shards[i].asking = map[question]answer{}, map[question]*call{}
	}
	return m
}

// question hashes a flag and what an evaluation is told.
func (m *memory) question(flag string, told openfeature.FlattenedContext) question {
	var h [2]maphash.Hash
	write := func(text string) {
		for i := range h {
			maphash.WriteComparable(&h[i], len(text)) // so that no two lists of texts are the same bytes
			h[i].WriteString(text)
		}
	}
	for i := range h {
		h[i].SetSeed(m.seeds[i])
	}
	write(flag)
	if key, ok := told[openfeature.TargetingKey].(string); ok && len(told) == 1 {
		write(key)
	} else {
		for _, name := range slices.Sorted(maps.Keys(told)) {
			write(name)
			switch v := told[name].(type) {
			case string:
				write(v)
			default:
				write(fmt.Sprintf("%T %v", v, v))
			}
		}
	}
	return question{h[0].Sum64(), h[1].Sum64()}
}

func (m *memory) shard(q question) *shard { return &m.shards[q[0]%shards] }

// recall returns what was answered last.
func (m *memory) recall(q question) (answer, bool) {
	s := m.shard(q)
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.answers[q]
	if ok && !a.again {
		a.again = true
		s.answers[q] = a
	}
	return a, ok
}

// keep remembers an answer, unless one to a later asking is there: answers may
// overtake one another. When there is no room another one is forgotten.
func (m *memory) keep(q question, a answer) {
	s := m.shard(q)
	s.mu.Lock()
	defer s.mu.Unlock()
	last, known := s.answers[q]
	if known && last.asked.After(a.asked) {
		return
	}
	if !known && len(s.answers) >= m.most {
		s.forget()
	}
	a.again = last.again
	s.answers[q] = a
}

// forget makes room: of a few answers, taken by chance, one that nobody has asked
// for twice goes, so that keys which come only once don't drive out people.
func (s *shard) forget() {
	const few = 16
	var victim question
	looked := 0
	for q, a := range s.answers { // in an order by chance
		if looked++; looked == 1 || !a.again {
			victim = q
		}
		if !a.again || looked == few {
			break
		}
	}
	delete(s.answers, victim)
}

// len returns the number of answers.
func (m *memory) len() (n int) {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		n += len(s.answers)
		s.mu.Unlock()
	}
	return n
}
