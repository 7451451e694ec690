package app

import (
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var (
	// update writes the golden files anew.
	update = flag.Bool("update", false, "write the golden files anew")

	// soak runs what must hold at the full numbers.
	soak = os.Getenv("FICUS_SOAK") != ""
)

// TestMain puts the program itself into the path, as "ficus": the scripts and
// the tests that kill it run what people run.
func TestMain(m *testing.M) {
	os.Unsetenv("COLUMNS") // the help would fill them
	// Under the race detector every process would sleep for a second at its end.
	os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	testscript.Main(m, map[string]func(){"ficus": func() { Main() }, "usurper": usurp})
}

// full returns the full number for a soak, and the smaller one otherwise.
func full(soaked, otherwise int) int {
	if soak {
		return soaked
	}
	return otherwise
}
