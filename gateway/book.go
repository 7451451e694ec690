package gateway

import (
	"sync"
	"sync/atomic"
	"time"
)

// A book is what this gateway keeps of one migration, across reloads.
type book struct {
	tally   tally
	ledger  ledger
	trip    trip
	salt    uint64 // of the hashes of client networks
	sampled sampled

	recoveries recoveries

	reports reports // what the application counts by side

	wrote   atomic.Pointer[wrote] // nil: the data was never synced
	current atomic.Bool           // synced data is known not to lag behind too much
}

// writes returns where the book keeps who has just written where.
func (b *book) writes() *wrote {
	if b.wrote.Load() == nil {
		b.wrote.CompareAndSwap(nil, new(wrote))
	}
	return b.wrote.Load()
}

// books are all of them.
type books struct {
	mu   sync.Mutex // guards byID, at compile time and when somebody asks; never for a request
	byID map[string]*book

	outcomes outcomes // ids of what applications have told

	name   string        // of this gateway, in evidence
	salt   uint64        // of the hashes of client networks
	alarms chan struct{} // holds one: something bad happened on a service
}

func (bs *books) init(name string, salt uint64) {
	bs.salt = salt
	bs.name, bs.alarms, bs.byID = name, make(chan struct{}, 1), make(map[string]*book)
}

func (bs *books) of(id string) *book {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	b := bs.byID[id]
	if b == nil {
		b = new(book)
		b.tally.since, b.salt = time.Now(), bs.salt
		b.ledger.init(bs.name, bs.alarms)
		bs.byID[id] = b
	}
	return b
}
