package orders

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// Faults are the bugs planted in the service. The zero value is a service that
// is well. Shares are from 0 to 1.
type Faults struct {
	Errors     float64       `json:"errors"`      // share of requests answered by a 500
	OnlyWrites bool          `json:"only_writes"` // Errors hit only requests that change something
	Latency    time.Duration `json:"latency"`     // added to every answer
	Jitter     time.Duration `json:"jitter"`      // added up to this, at random
	Hang       float64       `json:"hang"`        // share of requests not answered until the client goes, or other faults come
	WrongPrice float64       `json:"wrong_price"` // share of orders shown with a wrong total; what is stored stays right
	Seed       uint64        `json:"seed"`        // equal seeds give equal draws
}

// Plant replaces the faults. Requests that hang go on.
func (s *Service) Plant(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
	s.rng = rand.New(rand.NewPCG(f.Seed, 1))
	close(s.planted)
	s.planted = make(chan struct{})
}

// Faults returns the faults planted.
func (s *Service) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// faulty lets requests through unless the faults say otherwise. Health checks
// are always answered: the worst faults pass them.
func (s *Service) faulty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" || !s.misbehave(w, r) {
			next.ServeHTTP(w, r)
		}
	})
}

// misbehave does to a request what the faults say, and reports whether it is
// over then.
func (s *Service) misbehave(w http.ResponseWriter, r *http.Request) (over bool) {
	s.mu.Lock()
	f, planted := s.faults, s.planted
	fails, hangs := s.rng.Float64() < f.Errors, s.rng.Float64() < f.Hang
	if f.OnlyWrites && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		fails = false
	}
	delay := f.Latency
	if f.Jitter > 0 {
		delay += time.Duration(s.rng.Int64N(int64(f.Jitter)))
	}
	s.mu.Unlock()

	if hangs {
		// Only once its body has been read does a server notice that a client goes.
		body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		r.Body = io.NopCloser(bytes.NewReader(body))
		select {
		case <-r.Context().Done():
			return true
		case <-planted:
		}
	}
	if delay > 0 {
		select {
		case <-r.Context().Done():
			return true
		case <-time.After(delay):
		}
	}
	if fails {
		shop.WriteError(w, errors.New("planted"))
	}
	return fails
}

// document returns an order as the API shows it, unless its price is to be
// wrong: then the total counts one of each item.
func (s *Service) document(o shop.Order) shop.OrderDocument {
	d := o.Document()
	s.spoil(&d)
	return d
}

func (s *Service) spoil(d *shop.OrderDocument) {
	number, err := strconv.ParseUint(d.ID, 10, 64)
	// The same orders are wrong each time: a multiplicative hash spreads their numbers.
	if err != nil || float64(number*0x9e3779b97f4a7c15>>11)/(1<<53) >= s.Faults().WrongPrice {
		return
	}
	d.Total = 1 // a cent of rounding, for orders of single items
	for _, item := range d.Items {
		d.Total += item.Price
	}
}

// Control is a handler by which a person plants faults in a running service:
// GET shows them, PUT replaces them, as JSON with durations in nanoseconds.
// It is not part of the service's own paths.
func (s *Service) Control() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			var f Faults
			if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&f); err != nil {
				http.Error(w, "faults: "+err.Error(), http.StatusBadRequest)
				return
			}
			s.Plant(f)
		}
		shop.WriteJSON(w, http.StatusOK, "application/json", s.Faults())
	})
}
