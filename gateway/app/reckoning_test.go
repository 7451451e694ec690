package app

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// What a guard has decided is computed again on the command line, from the
// event alone; and status says before it what speaks against the service.
func TestARollbackIsExplainedOnTheCommandLine(t *testing.T) {
	c := gather(t, 8, 5000, 10*time.Millisecond, "{stage: live, share: 30%, hold: 1h}, {stage: complete}", ", guard: {latency: {quantile: p99, worse_by: 20%}}", ", fallback: {off: true}")
	c.at(1)
	ask := func(code int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := Run(t.Context(), WithArgs(append(args, "--admin", c.admin)...), WithOutput(&out, &errs)); got != code || errs.Len() > 0 {
			t.Errorf("%v: exit code %d, %s", args, got, &errs)
		}
		return out.String()
	}
	eventually(t, "people are on the service", func() bool { return c.service.taken.Load() > 20 })
	if said := ask(exitOK, "status", "orders"); !strings.Contains(said, "test      number 1") || !strings.Contains(said, "guard     nothing counted: errors, timeouts") {
		t.Errorf("status says\n%s", said)
	}
	c.service.breaks(func(*http.Request) string { return "broken" })
	e := c.until(migrations.RolledBack)
	c.stop()
	c.gone.Wait()
	r := judged(t, e)
	said := ask(exitOK, "history", "--explain", fmt.Sprint(e.Seq))
	for _, want := range []string{
		fmt.Sprintf("event %d: orders rolledback (test), by ficus", e.Seq),
		"metric     errors, held against the share of people on the service",
		fmt.Sprintf("w = 0.3, n_c = %d on the service", bad(r)),
		fmt.Sprintf("threshold  %s", exact(r.Threshold)),
		fmt.Sprintf("E          %s recorded", exact(r.E)),
		fmt.Sprintf("E          %s recomputed, the same to the bit", exact(r.E)),
		"K = 15", "by these counts alone it comes out the same, to the bit",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it lacks %q:\n%s", want, said)
		}
	}
	if said := ask(exitOK, "history", "--explain", fmt.Sprint(e.Seq), "--json"); !strings.Contains(said, `"same": true`) {
		t.Errorf("for programs:\n%s", said)
	}
	if said := ask(exitOK, "status", "orders"); !strings.Contains(said, "rolled back (test)") || !strings.Contains(said, "resume    would go on before the first step") {
		t.Errorf("status says\n%s", said)
	}
}
