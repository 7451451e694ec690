package app

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A service that fails only those who have a cookie is rolled back, and the
// event says whom it broke, without a value that they sent.
func TestARollbackNamesTheRequestsThatItIsFor(t *testing.T) {
	c := gather(t, 8, 5000, 10*time.Millisecond, "{stage: live, share: 50%, hold: 1h}, {stage: complete}", "", ", fallback: {off: true}")
	c.at(1)
	eventually(t, "users are on the service", func() bool { return c.service.taken.Load() > 200 })
	c.service.breaks(func(r *http.Request) string {
		if _, err := r.Cookie("beta"); err == nil {
			return "broken"
		}
		return ""
	})
	stop := make(chan struct{})
	for range 4 {
		c.gone.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
				}
				req, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/orders/%d", c.url, rand.IntN(5000)), nil)
				req.Header.Set("X-User", fmt.Sprintf("tester %d", rand.IntN(5000)))
				req.Header.Set("Cookie", "beta=topsecret")
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	}
	e := c.until(migrations.RolledBack)
	close(stop)
	judged(t, e)
	if v := e.Evidence; !strings.HasPrefix(v.Where, "only requests with the cookie beta: ") || !strings.Contains(v.Where, " got status 500; 0 of ") {
		t.Errorf("where: %q", v.Where)
	}
	if n := len(e.Evidence.Offenders); n < 10 || n > migrations.OffenderLimit {
		t.Errorf("%d offenders", n)
	}
	for _, o := range e.Evidence.Offenders {
		if o.Method != "GET" || o.Endpoint != "/orders/{id}" || o.Status != 500 || o.Upstream != c.service.address || o.Route == "" || len(o.TraceID) != 32 {
			t.Errorf("%+v", o)
		}
	}
	var out, errs bytes.Buffer
	if code := Run(t.Context(), WithArgs("history", "--explain", fmt.Sprint(e.Seq), "--admin", c.admin), WithOutput(&out, &errs)); code != exitOK {
		t.Errorf("exit code %d: %s", code, &errs)
	}
	for _, want := range []string{"where      only requests with the cookie beta: ", "  GET /orders/{id}   500     /orders/*  ", e.Evidence.Offenders[0].TraceID} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "topsecret") || strings.Contains(out.String(), "tester ") {
		t.Errorf("it tells what users sent:\n%s", &out)
	}
}
