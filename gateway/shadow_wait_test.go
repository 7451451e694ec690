package gateway

import (
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// No request waits for anything that is the shadow's: with its only worker
// stuck, its queue full and what it knows locked, users are answered, and of
// what would be dropped nothing is copied.
func TestNoUserWaitsForTheShadow(t *testing.T) {
	legacy := httptest.NewServer(order(""))
	defer legacy.Close()
	modern := httptest.NewServer(wild["hangs"])
	defer modern.Close()
	defer modern.CloseClientConnections()
	const users, waiting = 200, 2
	url, s := comparing(t, legacy.URL, modern.URL, migrations.Shadow, shadow.Options{PerUpstream: 1, Waiting: waiting}, "compare: {timeout: 50ms}")
	locked, unlock, unlocked := make(chan bool), make(chan bool), make(chan bool)
	go func() {
		defer close(unlocked)
		s.Find("orders").View(func(*compare.Study) {
			close(locked)
			<-unlock
		})
	}()
	<-locked
	for i := range users {
		request(t, "GET", url+"/api/orders/"+strconv.Itoa(i), nil)
	}
	// One that the worker has, those that wait, and one that is under way.
	if peak, most := s.Budget().Peak(), int64((1+waiting+1)*8<<10); peak > most {
		t.Errorf("copies took %d bytes, more than %d", peak, most)
	}
	close(unlock)
	<-unlocked
	if c := settled(t, s); c.Sampled != users || c.Dropped[shadow.Busy] != users-1-waiting || c.Outcomes[compare.TimedOut] != 1+waiting {
		t.Errorf("counts are %+v, want %d timeouts and the rest dropped", c, 1+waiting)
	}
}
