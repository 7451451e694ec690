package evidencetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// endpoints are the templates of the shop that GET requests ask for, each as
// often as the others.
var endpoints = []string{
	"/shop/items/%d", "/shop/orders/%d", "/shop/reviews/%d", "/shop/stock/%d", "/shop/search?page=%d",
	"/shop/cart", "/shop/profile", "/shop/prices", "/shop/news", "/shop/report",
}

// shop is the application that both sides run: it answers the same request
// with the same bytes, whichever side it is asked on.
func shop(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		answerGRPC(w, r, "", "0")
		return
	}
	if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
	}
	if strings.HasPrefix(r.URL.Path, "/shop/missing") {
		http.NotFound(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/shop/poison") { // what no application of this shop can answer
		http.Error(w, "out of memory", http.StatusInternalServerError)
		return
	}
	lines := 3
	if r.URL.Path == "/shop/report" {
		lines = 400 // some 32 KiB
	}
	type row struct {
		Name  string
		Price int
	}
	answer := struct {
		Path, Query, Language, Method string
		Rows                          []row
	}{r.URL.Path, r.URL.RawQuery, r.Header.Get("Accept-Language"), r.Method, nil}
	for i := range lines {
		answer.Rows = append(answer.Rows, row{fmt.Sprintf("row %d of %s, as it has always been", i, r.URL.Path), 7*i + len(r.URL.Path)})
	}
	if r.Method == http.MethodHead {
		answer.Method = http.MethodGet
	}
	text, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusCreated)
	}
	_, _ = w.Write(text)
}

// answerGRPC answers a call with a message, and the status in the header, or
// in the trailer: an empty one is not sent.
func answerGRPC(w http.ResponseWriter, _ *http.Request, inHeader, inTrailer string) {
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	if inHeader != "" {
		h.Set("Grpc-Status", inHeader)
	}
	if inTrailer != "" {
		h.Set("Trailer", "Grpc-Status")
	}
	_, _ = w.Write([]byte("\x00\x00\x00\x00\x05hello"))
	if inTrailer != "" {
		h.Set("Grpc-Status", inTrailer)
	}
}

// A side is an application on a port of its own. From a moment that the test
// chooses it is as bad as its defect makes it.
type side struct {
	t       testing.TB
	address string
	server  atomic.Pointer[http.Server]
	well    http.Handler
	bad     atomic.Pointer[http.Handler]
	broken  atomic.Bool
	taken   atomic.Int64 // requests since it is broken
}

// open runs the shop, which becomes what d makes of it when it breaks.
func open(t testing.TB, well http.Handler, d defect) *side {
	t.Helper()
	s := &side{t: t, address: "127.0.0.1:0", well: well}
	if d == nil {
		d = func(good http.Handler) http.Handler { return good }
	}
	s.becomes(d)
	s.listen()
	t.Cleanup(s.close)
	return s
}

// listen accepts connections, at the address that the side has had before.
func (s *side) listen() {
	s.t.Helper()
	ln, err := net.Listen("tcp", s.address)
	for end := time.Now().Add(5 * time.Second); err != nil && time.Now().Before(end); ln, err = net.Listen("tcp", s.address) {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		s.t.Error(err)
		return
	}
	s.address = ln.Addr().String()
	server := &http.Server{Handler: s, Protocols: new(http.Protocols), ErrorLog: quiet}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	s.server.Store(server)
	go func() { _ = server.Serve(ln) }() // ends with close
}

// close cuts everything off, as the end of a process does.
func (s *side) close() { _ = s.server.Load().Close() }

func (s *side) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.broken.Load() {
		s.well.ServeHTTP(w, r)
		return
	}
	s.taken.Add(1)
	(*s.bad.Load()).ServeHTTP(w, r)
}

// becomes gives the side another defect.
func (s *side) becomes(d defect) {
	bad := d(s.well)
	s.bad.Store(&bad)
}
