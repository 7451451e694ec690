package shop

import (
	"sync"
	"time"
)

// A Store is all that the shop knows: the database that both applications
// share. It is safe for concurrent use.
type Store struct {
	now  func() time.Time
	file *file // nil: in memory only

	mu   sync.RWMutex // guards data, and the reading of the file into it
	data *data
}

// Options say how a store begins. The zero value is a good one.
type Options struct {
	Seed      uint64           // equal seeds give equal shops
	Customers int              // with an account; 0: 100
	File      string           // JSON file to keep the shop in, which several processes may share; empty: memory
	Now       func() time.Time // nil: time.Now
}

// data is the content of a store. What it holds is replaced, never changed in
// place, so that values handed out stay as they are.
type data struct {
	Products []Product          `json:"products"`
	Users    []User             `json:"users"`
	Orders   []Order            `json:"orders"` // by number, from firstOrder
	Keys     map[string]string  `json:"keys"`   // idempotency key of an owner to order id
	Sessions map[string]Session `json:"sessions"`

	byOwner map[Owner][]int // indexes of Orders, ascending
}

// Open returns a store. One kept in a file is seeded only if there is no file yet.
func Open(o Options) (*Store, error) {
	s := &Store{now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	if o.Customers == 0 {
		o.Customers = 100
	}
	if o.File == "" {
		s.data = seeded(o)
		return s, nil
	}
	s.file = &file{path: o.File}
	unlock, err := s.file.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if s.data, err = s.file.read(); s.data == nil && err == nil {
		s.data = seeded(o)
		err = s.file.write(s.data)
	}
	return s, err
}

// Now returns the time in the shop.
func (s *Store) Now() time.Time { return s.now() }

// view calls read with the data of now; it must not change any.
func (s *Store) view(read func(*data)) {
	if s.file != nil {
		s.refresh()
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	read(s.data)
}

// refresh reads the file if another process has written it. Should that fail,
// the data stay as they were; the next update reports it.
func (s *Store) refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, err := s.file.read(); err == nil && d != nil {
		s.data = d
	}
}

// update calls change with the data of now. Change either returns an error
// before it has changed anything, or nil; then the data are kept before update returns.
func (s *Store) update(change func(*data) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return change(s.data)
	}
	unlock, err := s.file.lock()
	if err != nil {
		return err
	}
	defer unlock()
	d, err := s.file.read()
	if err != nil {
		return err
	}
	if d != nil {
		s.data = d
	}
	if err := change(s.data); err != nil {
		return err
	}
	return s.file.write(s.data)
}

// index fills what the file does not hold.
func (d *data) index() {
	d.byOwner = make(map[Owner][]int)
	for i, o := range d.Orders {
		d.byOwner[o.Owner] = append(d.byOwner[o.Owner], i)
	}
	if d.Keys == nil {
		d.Keys = make(map[string]string)
	}
	if d.Sessions == nil {
		d.Sessions = make(map[string]Session)
	}
}
