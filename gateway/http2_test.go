package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// echo is an application that tells what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/hints" {
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(http.StatusEarlyHints)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Trailer", "X-Announced")
	w.Header().Set("X-Asked", r.Method+" "+r.RequestURI+" "+r.Host)
	w.Header().Set("X-Trailer", r.Trailer.Get("X-Sum"))
	w.Header().Set("X-Proto", r.Header.Get("X-Forwarded-Proto"))
	fmt.Fprintf(w, "%d:%s", len(body), bytes.ToUpper(body[:min(len(body), 100)]))
	w.Header().Set("X-Announced", "1")
	w.Header().Set(http.TrailerPrefix+"X-Unannounced", "2")
}

// Every protocol of a client goes with every protocol of an upstream.
func TestProtocolsMix(t *testing.T) {
	for _, upstream := range []string{"h1", "h2c", "h2", "h1 on TLS"} {
		app := httptest.NewUnstartedServer(http.HandlerFunc(echo))
		app.Config.Protocols = new(http.Protocols)
		app.Config.Protocols.SetHTTP1(true)
		var more []string
		cert, pool := certificate(t)
		switch upstream {
		case "h1":
			app.Start()
		case "h2c":
			app.Config.Protocols.SetUnencryptedHTTP2(true)
			app.Start()
			more = []string{"protocol: http2"}
		case "h2":
			app.EnableHTTP2 = true
			app.Config.Protocols.SetHTTP2(true)
			app.StartTLS()
			more = []string{"protocol: http2", "tls: {insecure: true}"}
		case "h1 on TLS":
			app.StartTLS()
			more = []string{"tls: {insecure: true}"}
		}
		defer app.Close()
		g := gatewayOf(t, before(app.URL, more...))
		plain := "http://" + listen(t, g, routes.Listener{H2C: true})
		secure := "https://" + listen(t, g, routes.Listener{TLS: []routes.Certificate{cert}})
		for name, c := range map[string]struct{ url, protocol string }{
			"h1": {plain, "h1"}, "h2c": {plain, "h2c"}, "h2": {secure, "h2"}, "h1 on TLS": {secure, "h1"},
		} {
			t.Run(name+" to "+upstream, func(t *testing.T) {
				client := browser(t, c.protocol, pool)
				mixed(t, client, c.url)
			})
		}
	}
}

func mixed(t *testing.T, client *http.Client, url string) {
	var hints []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hints = append(hints, fmt.Sprint(code, h["Link"]))
		return nil
	}}
	for _, target := range []string{"/a?b;c=%zz", "//a//b", "/a/../%2F?", "/hints", "/\"|^"} {
		req, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), "POST", url+"/", io.MultiReader(strings.NewReader("body")))
		if err != nil {
			t.Fatal(err)
		}
		path, query, has := strings.Cut(target, "?")
		req.URL.Opaque, req.URL.RawQuery, req.URL.ForceQuery = path, query, has
		if strings.HasPrefix(path, "//") {
			req.URL.Opaque = "//" + req.URL.Host + path
		}
		req.Host = req.URL.Host
		req.Trailer = http.Header{"X-Sum": {"7"}}
		res, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || string(body) != "4:BODY" {
			t.Errorf("%s: body %q, %v", target, body, err)
		}
		want := "POST " + target + " " + req.Host
		if res.ProtoMajor == 1 && strings.HasPrefix(target, "//") {
			want = "POST " + url[:strings.Index(url, ":")] + "://" + req.Host + target + " " + req.Host // net/http's client asks so
		}
		if got := res.Header.Get("X-Asked"); got != want && !strings.HasSuffix(want, strings.TrimPrefix(got, "POST ")) {
			t.Errorf("%s: asked %q, want %q", target, got, want)
		}
		if got := res.Header.Get("X-Trailer"); got != "7" {
			t.Errorf("%s: request trailer %q", target, got)
		}
		if res.Trailer.Get("X-Announced") != "1" || res.Trailer.Get("X-Unannounced") != "2" {
			t.Errorf("%s: answer trailer %v", target, res.Trailer)
		}
	}
	if len(hints) != 1 || hints[0] != "103 [</a.css>]" {
		t.Errorf("early hints %q", hints)
	}
	for _, method := range []string{"HEAD", "DELETE"} {
		req, _ := http.NewRequest(method, url+"/x", nil)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("X-Asked"); !strings.HasPrefix(got, method+" /x ") {
			t.Errorf("asked %q", got)
		}
	}
	res, err := client.Post(url+"/large", "", io.MultiReader(strings.NewReader(strings.Repeat("x", 5<<20))))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || !strings.HasPrefix(string(body), "5242880:XXX") {
		t.Errorf("large upload: %.20q, %v", body, err)
	}
}

// An answer that breaks off upstream is reset, never ended.
func TestHTTP2AnswerBreaksOff(t *testing.T) {
	for _, protocol := range []string{"http1", "http2"} {
		app := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}))
		app.Config.Protocols = new(http.Protocols)
		app.Config.Protocols.SetHTTP1(true)
		app.Config.Protocols.SetUnencryptedHTTP2(true)
		app.Start()
		defer app.Close()
		g := gatewayOf(t, before(app.URL, "protocol: "+protocol))
		res, err := browser(t, "h2c", nil).Get("http://" + listen(t, g, routes.Listener{H2C: true}))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if string(body) != "half" || err == nil {
			t.Errorf("%s: %q, %v", protocol, body, err)
		}
	}
}

// A client that resets its stream cancels the request upstream.
func TestHTTP2ClientGone(t *testing.T) {
	gone := make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	}))
	defer app.Close()
	g := gatewayOf(t, before(app.URL))
	ctx, cancel := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+listen(t, g, routes.Listener{H2C: true}), nil)
	res, err := browser(t, "h2c", nil).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	res.Body.Close()
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the upstream was not told")
	}
}

// An HTTP/2 upstream that answers before the body has come does not leave a
// reader of the body behind.
func TestHTTP2EarlyAnswer(t *testing.T) {
	app := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	app.Config.Protocols = new(http.Protocols)
	app.Config.Protocols.SetUnencryptedHTTP2(true)
	app.Start()
	defer app.Close()
	g := gatewayOf(t, before(app.URL, "protocol: http2"))
	url := "http://" + listen(t, g, routes.Listener{H2C: true})
	for _, protocol := range []string{"h1", "h2c"} {
		pr, pw := io.Pipe()
		defer pw.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "POST", url, pr)
		go func() { _, _ = pw.Write([]byte("some")) }()
		res, err := browser(t, protocol, nil).Do(req)
		if err != nil || res.StatusCode != http.StatusForbidden {
			t.Fatalf("%s: %v", protocol, errors.Join(err, ctx.Err()))
		}
		res.Body.Close()
	}
}
