package filelog

import (
	"path/filepath"
	"testing"

	"github.com/ficus-gateway/ficus/migrations/logtest"
)

func TestConformance(t *testing.T) {
	logtest.Run(t, func(t *testing.T) logtest.Open {
		path := filepath.Join(t.TempDir(), "ficus.events")
		return func(t *testing.T) (logtest.Log, error) {
			return Open(path, Options{})
		}
	})
}
