package gateway

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// grpcAnswer answers with a gRPC status in the trailer, announced or late, or
// in the header.
func grpcAnswer(kind, status string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h := w.Header()
		h["Content-Type"] = []string{"application/grpc+proto"}
		if kind == "web" {
			h["Content-Type"] = []string{"application/grpc-web"}
		}
		switch kind {
		case "header":
			h.Set("Grpc-Status", status)
			return
		case "announced":
			h.Set("Trailer", "Grpc-Status")
		}
		_, _ = io.WriteString(w, "\x00\x00\x00\x00\x02ok")
		w.(http.Flusher).Flush()
		switch kind {
		case "announced":
			h.Set("Grpc-Status", status)
		case "late":
			h.Set(http.TrailerPrefix+"Grpc-Status", status)
		}
	}
}

func TestClassOfAnAnswer(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
	}
	const well = served | broke
	for name, c := range map[string]struct {
		service http.HandlerFunc
		method  string // default: GET
		class   evidence.Class
		facts   facts // on the service, without fallback
		open    bool  // the last byte is not known
	}{
		"well":             {facts: well},
		"HEAD":             {service: status(200), method: "HEAD", facts: well},
		"HEAD of an error": {service: status(500), method: "HEAD", class: evidence.ClassFailed, facts: served | failed | harmed},
		"204":              {service: status(204), facts: well},
		"304":              {service: status(304), facts: well},
		"302":              {service: status(302), class: evidence.ClassRedirect, facts: well},
		"401":              {service: status(401), class: evidence.ClassDenied, facts: well},
		"404":              {service: status(404), class: evidence.ClassMissing, facts: well},
		"422":              {service: status(422), class: evidence.ClassRejected, facts: well},
		"500":              {service: status(500), class: evidence.ClassFailed, facts: served | failed | harmed},
		"early hints": {service: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(103)
			_, _ = io.WriteString(w, "well")
		}, facts: well},
		"no answer": {service: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, class: evidence.ClassBroken, facts: served | failed | harmed, open: true},
		"a body shorter than its length": {service: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, class: evidence.ClassBroken, facts: served | failed | harmed, open: true},
		"a body that is cut": {service: func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, class: evidence.ClassBroken, facts: served | failed | harmed, open: true},
		"a body at the bound":    {service: func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, evidenceBody)) }, facts: well},
		"a body above the bound": {service: func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, evidenceBody+1)) }, facts: well, open: true},

		"gRPC well":                       {service: grpcAnswer("announced", "0"), method: "POST", facts: well},
		"gRPC well, a late trailer":       {service: grpcAnswer("late", "0"), method: "POST", facts: well},
		"gRPC INTERNAL in the header":     {service: grpcAnswer("header", "13"), method: "POST", class: evidence.ClassFailed, facts: served | failed | harmed},
		"gRPC UNAVAILABLE in the trailer": {service: grpcAnswer("announced", "14"), method: "POST", class: evidence.ClassFailed, facts: served | failed | harmed},
		"gRPC DATA_LOSS in a late one":    {service: grpcAnswer("late", "15"), method: "POST", class: evidence.ClassFailed, facts: served | failed | harmed},
		"gRPC DEADLINE_EXCEEDED":          {service: grpcAnswer("late", "4"), method: "POST", class: evidence.ClassTimeout, facts: served | timedOut | harmed},
		"gRPC NOT_FOUND in the header":    {service: grpcAnswer("header", "5"), method: "POST", class: evidence.ClassGRPC, facts: well},
		"gRPC NOT_FOUND in the trailer":   {service: grpcAnswer("announced", "5"), method: "POST", class: evidence.ClassGRPC, facts: well},
		"gRPC CANCELLED":                  {service: grpcAnswer("late", "1"), method: "POST"},
		"gRPC CANCELLED in the header":    {service: grpcAnswer("header", "1"), method: "POST"},
		"gRPC without a status":           {service: grpcAnswer("", ""), method: "POST", class: evidence.ClassFailed, facts: served | failed | harmed},
		"gRPC with a status of words":     {service: grpcAnswer("late", "OK"), method: "POST", class: evidence.ClassFailed, facts: served | failed | harmed},
		"gRPC-Web":                        {service: grpcAnswer("web", ""), method: "POST", facts: well},
		"a grpc-status of JSON": {service: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Grpc-Status", "13")
		}, facts: well},
	} {
		for _, protocol := range []string{"http1", "http2"} {
			t.Run(name+" over "+protocol, func(t *testing.T) {
				if c.method == "" {
					c.method = "GET"
				}
				tr := try(t, setup{protocol: protocol, route: ", fallback: {off: true}", service: c.service})
				tr.do(c.method, nil)
				v := tr.wait()
				if v.class != c.class || v.facts != c.facts {
					t.Errorf("class %v, facts %v, want %v, %v", v.class, v.facts.names(), c.class, c.facts.names())
				}
				if bad := c.facts&harmed != 0; bad != (v.failed == 1) {
					t.Errorf("%d are tallied as failed", v.failed)
				}
				if known := v.whole > 0; known == c.open || known && (v.whole < v.took || v.took == 0) || v.whole > v.total {
					t.Errorf("first byte after %v, last after %v, of %v", v.took, v.whole, v.total)
				}
			})
		}
	}
}

func TestClassOfWhatIsNoHTTP(t *testing.T) {
	for name, answer := range map[string]string{
		"malformed":        "SSH-2.0-OpenSSH\r\n",
		"closed":           "",
		"half a head":      "HTTP/1.1 200 OK\r\nContent-",
		"chunks that lie":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
		"a cut last chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			service := rawUpstream(t, func(c net.Conn) {
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, answer)
			})
			tr := tryURLs(t, setup{route: ", fallback: {off: true}"}, serving(t, nil), service)
			tr.do("POST", nil)
			if v := tr.wait(); v.class != evidence.ClassBroken || v.facts != served|failed|harmed || v.whole != 0 || v.err == "" {
				t.Errorf("%+v, facts %v", v, v.facts.names())
			}
		})
	}
}

func TestClassIsOfTheSideAskedFirst(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
	}
	reset := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	cut := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	hang := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
	}
	for name, c := range map[string]struct {
		service, legacy http.HandlerFunc
		route           string
		class           evidence.Class
		facts           facts
		status          int
		err             upstream.Kind
	}{
		"500, healed":                      {service: status(500), class: evidence.ClassFailed, facts: served | failed | healed, status: 500},
		"reset, healed":                    {service: reset, class: evidence.ClassBroken, facts: served | failed | healed, err: upstream.KindReset},
		"given up, healed":                 {service: hang, route: ", fallback: {after: 50ms}", facts: served | slow | healed, err: upstream.KindTimeout},
		"500, healed with a 404":           {service: status(500), legacy: status(404), class: evidence.ClassFailed, facts: served | failed | healed, status: 500},
		"500, the monolith 500":            {service: status(500), legacy: status(500), class: evidence.ClassFailed, facts: served | inVain, status: 500},
		"500, the monolith resets":         {service: status(500), legacy: reset, class: evidence.ClassFailed, facts: served | inVain, status: 500},
		"500, the monolith breaks off":     {service: status(500), legacy: cut, class: evidence.ClassFailed, facts: served | inVain, status: 500},
		"reset, the monolith resets":       {service: reset, legacy: reset, class: evidence.ClassBroken, facts: served | inVain, err: upstream.KindReset},
		"reset, the monolith 503":          {service: reset, legacy: status(503), class: evidence.ClassBroken, facts: served | inVain, err: upstream.KindReset},
		"given up, the monolith 500":       {service: hang, legacy: status(500), route: ", fallback: {after: 50ms}", facts: served | inVain, err: upstream.KindTimeout},
		"reset, the monolith takes all":    {service: reset, legacy: hang, route: ", timeout: 500ms", class: evidence.ClassBroken, facts: served | inVain, err: upstream.KindReset},
		"501 is not fallen back on":        {service: status(501), class: evidence.ClassFailed, facts: served | failed | harmed, status: 501},
		"the service hangs for the limit":  {service: hang, route: ", timeout: 300ms, fallback: {off: true}", class: evidence.ClassTimeout, facts: served | timedOut | harmed, err: upstream.KindTimeout},
		"the service ends in a 200 so far": {service: cut, class: evidence.ClassBroken, facts: served | failed | harmed, status: 200, err: upstream.KindBody},
	} {
		for _, protocol := range []string{"http1", "http2"} {
			t.Run(name+" over "+protocol, func(t *testing.T) {
				tr := try(t, setup{protocol: protocol, route: c.route, service: c.service, legacy: c.legacy})
				tr.do("GET", nil)
				v := tr.wait()
				if v.class != c.class || v.facts != c.facts || v.status != c.status || v.err != c.err {
					t.Errorf("class %v, facts %v, status %d, error %q; want %v, %v, %d, %q", v.class, v.facts.names(), v.status, v.err, c.class, c.facts.names(), c.status, c.err)
				}
				if both := c.facts&inVain != 0; v.bothFailed != both || both && v.facts&(failed|timedOut|harmed|broke) != 0 {
					t.Errorf("both failed %v, facts %v", v.bothFailed, v.facts.names())
				}
				if v.whole != 0 && v.status != 501 {
					t.Errorf("the last byte of another side's answer is taken for its own: %v", v.whole)
				}
			})
		}
	}
}

// What both sides fail in is not clean, and burns nobody's budget.
func TestWhatBothSidesFailInIsNotClean(t *testing.T) {
	r := ramp(t, "", "", nil)
	r.ask("GET", "broken", r.on(migrations.Modern, 0))
	counts := r.gateway.Evidence("orders")
	c := counts.Cells[""]
	if e := c.Epoch(2); e.Requests != (evidence.Sides{0, 1}) || e.Clean.Sum() != 0 || len(e.Bad) != 0 || c.Harm != 0 {
		t.Errorf("%+v, harm %d", e, c.Harm)
	}
	if rate := counts.Burn[evidence.Modern].Rate(time.Hour, evidence.Objective, time.Now()); rate != 0 {
		t.Errorf("it burns the budget %v times", rate)
	}
}

// A write that the gateway may not send to the monolith as well is not cut off.
func TestWhatMayNotFallBackIsNotGivenUp(t *testing.T) {
	for _, protocol := range []string{"http1", "http2"} {
		for name, c := range map[string]struct {
			method, body string
			length       int
		}{
			"a POST": {"POST", "a bike", 6}, "a PATCH without a body": {"PATCH", "", 0},
			"a PUT larger than what is kept": {"PUT", strings.Repeat("x", 300<<10), 300 << 10},
		} {
			t.Run(name+" over "+protocol, func(t *testing.T) {
				tr := try(t, setup{protocol: protocol, route: ", fallback: {after: 50ms}", service: func(w http.ResponseWriter, r *http.Request) {
					n, _ := io.Copy(io.Discard, r.Body)
					time.Sleep(400 * time.Millisecond)
					fmt.Fprint(w, n)
				}})
				var body io.Reader
				if c.body != "" {
					body = strings.NewReader(c.body)
				}
				if status := tr.do(c.method, body); status != 200 {
					t.Errorf("status %d", status)
				}
				if v := tr.wait(); v.fallback != "" || v.class != evidence.ClassOK || v.facts&(failed|timedOut|harmed) != 0 {
					t.Errorf("fallback %q, class %v, facts %v", v.fallback, v.class, v.facts.names())
				}
			})
		}
	}
}

func TestIsGRPC(t *testing.T) {
	for text, want := range map[string]bool{
		"application/grpc": true, "application/grpc+proto": true, "Application/GRPC;charset=utf-8": true, "application/grpc-web+proto": true,
		"application/grpcx": false, "application/json": false, "": false, "application/gr": false,
	} {
		if got := isGRPC(http.Header{"Content-Type": {text}}); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
