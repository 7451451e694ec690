package evidencetest

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// quiet takes what the servers of the test say of connections that it cut.
var quiet = log.New(io.Discard, "", 0)

// A defect makes a bad application of a good one.
type defect func(good http.Handler) http.Handler

// instead answers every request so, whatever the application would have said.
func instead(answer http.HandlerFunc) defect {
	return func(http.Handler) http.Handler { return answer }
}

// status answers with nothing but a status, and a word about it.
func status(code int) defect {
	return instead(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, http.StatusText(code), code) })
}

// redirects sends everybody to another place.
func redirects(to func(*http.Request) string) defect {
	return instead(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", to(r))
		w.WriteHeader(http.StatusFound)
	})
}

// when has the defect for those requests alone for which it holds.
func when(holds func(*http.Request) bool, d defect) defect {
	return func(good http.Handler) http.Handler {
		bad := d(good)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if holds(r) {
				bad.ServeHTTP(w, r)
				return
			}
			good.ServeHTTP(w, r)
		})
	}
}

// sometimes has the defect for a share of the requests. Which ones follows
// from their numbers and from the name: two sides with different names fail
// independently of each other.
func sometimes(name string, share float64, d defect) defect {
	return when(func(r *http.Request) bool { return chance(r, name) < share }, d)
}

// chance returns a number from 0 to 1 that a request always has.
func chance(r *http.Request, salt string) float64 {
	h := fnv.New64a()
	fmt.Fprint(h, salt, r.Header.Get("X-Number"), r.URL, r.Header.Get("X-User"))
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}

// after has the defect from the nth request on.
func after(n int64, d defect) defect {
	return func(good http.Handler) http.Handler {
		var taken atomic.Int64
		return when(func(*http.Request) bool { return taken.Add(1) > n }, d)(good)
	}
}

// every has the defect for one request of n.
func every(n int64, d defect) defect {
	return func(good http.Handler) http.Handler {
		var taken atomic.Int64
		return when(func(*http.Request) bool { return taken.Add(1)%n == 0 }, d)(good)
	}
}

// first has the defect for the first request of each user.
func first(d defect) defect {
	return func(good http.Handler) http.Handler {
		var mu sync.Mutex // guards known
		known := make(map[string]bool)
		return when(func(r *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			user := r.Header.Get("X-User")
			was := known[user]
			known[user] = true
			return !was
		}, d)(good)
	}
}

func onPath(prefix string) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, prefix) }
}

func onMethod(method string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == method }
}

func onHeader(name, value string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Header.Get(name) == value }
}

func onCookie(name string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		_, err := r.Cookie(name)
		return err == nil
	}
}

// late waits before it answers.
func late(by time.Duration) defect {
	return func(good http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sleep(r, by)
			good.ServeHTTP(w, r)
		})
	}
}

func sleep(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}

// slower waits longer with every request that it has taken.
func slower(each, most time.Duration) defect {
	return func(good http.Handler) http.Handler {
		var taken atomic.Int64
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sleep(r, min(time.Duration(taken.Add(1))*each, most))
			good.ServeHTTP(w, r)
		})
	}
}

// said answers with what becomes of the application's own answer.
func said(change func(w http.ResponseWriter, r *http.Request, was *httptest.ResponseRecorder)) defect {
	return func(good http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			was := httptest.NewRecorder()
			good.ServeHTTP(was, r)
			for name, values := range was.Header() {
				w.Header()[name] = values
			}
			change(w, r, was)
		})
	}
}

// body changes the body, and says so in its length.
func body(change func([]byte) []byte) defect {
	return said(func(w http.ResponseWriter, _ *http.Request, was *httptest.ResponseRecorder) {
		text := change(was.Body.Bytes())
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		w.WriteHeader(was.Code)
		_, _ = w.Write(text)
	})
}

// replaced has another text where the application has this one.
func replaced(old, text string) defect {
	return body(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(old), []byte(text)) })
}

// headed changes the header of the answer.
func headed(change func(http.Header)) defect {
	return said(func(w http.ResponseWriter, _ *http.Request, was *httptest.ResponseRecorder) {
		change(w.Header())
		w.WriteHeader(was.Code)
		_, _ = w.Write(was.Body.Bytes())
	})
}

// lateBody sends the header at once, and the body later.
func lateBody(by time.Duration) defect {
	return said(func(w http.ResponseWriter, r *http.Request, was *httptest.ResponseRecorder) {
		w.WriteHeader(was.Code)
		_ = http.NewResponseController(w).Flush()
		sleep(r, by)
		_, _ = w.Write(was.Body.Bytes())
	})
}

// trickled sends the body in pieces, with a wait before each.
func trickled(pieces int, wait time.Duration) defect {
	return said(func(w http.ResponseWriter, r *http.Request, was *httptest.ResponseRecorder) {
		w.WriteHeader(was.Code)
		text := was.Body.Bytes()
		for i := range pieces {
			sleep(r, wait)
			_, _ = w.Write(text[i*len(text)/pieces : (i+1)*len(text)/pieces])
			_ = http.NewResponseController(w).Flush()
		}
	})
}

// cut ends the connection in the middle of a body, whose length it has told,
// or which is chunked.
func cut(chunked bool) defect {
	return said(func(w http.ResponseWriter, _ *http.Request, was *httptest.ResponseRecorder) {
		if chunked {
			w.Header().Del("Content-Length")
		}
		w.WriteHeader(was.Code)
		_, _ = w.Write(was.Body.Bytes()[:was.Body.Len()/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
}

// reset answers with a TCP reset.
func reset() defect {
	return instead(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	})
}

// hang never answers.
func hang() defect {
	return instead(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

// grpc answers every call with a status in the header, in the trailer, or, as
// trailers alone, with no message.
func grpc(where, code string) defect {
	return instead(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch where {
		case "header":
			answerGRPC(w, r, code, "")
		case "trailer":
			answerGRPC(w, r, "", code)
		case "trailers only":
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Grpc-Status", code)
			w.Header().Set("Grpc-Message", "no")
		case "none":
			answerGRPC(w, r, "", "")
		}
	})
}

// noisy answers with what is different each time: a time and a number.
func noisy() defect {
	return body(func(text []byte) []byte {
		return fmt.Appendf(nil, `{"at": %q, "id": "%016x", "what": %s}`, time.Now().Format(time.RFC3339Nano), rand.Uint64(), text)
	})
}
