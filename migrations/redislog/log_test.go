package redislog

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/ficus-gateway/ficus/migrations/logtest"
)

func TestConformance(t *testing.T) {
	s := newServer(t)
	var places atomic.Int32
	logtest.Run(t, func(t *testing.T) logtest.Open {
		url := fmt.Sprintf("%s?installation=place%d", s.url(), places.Add(1))
		return func(t *testing.T) (logtest.Log, error) {
			return Open(t.Context(), url, still())
		}
	})
}
