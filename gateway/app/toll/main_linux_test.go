package toll

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ficus-gateway/ficus/gateway/app"
)

// TestMain puts the programs into the path.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ficus": func() { app.Main() }, "toll-load": loadMain, "toll-application": applicationMain})
}

// bench skips what is a measurement and not a test.
func bench(t *testing.T) {
	t.Helper()
	if os.Getenv("FICUS_BENCH") == "" {
		t.Skip("a measurement, which wants a quiet machine: run make bench")
	}
}
