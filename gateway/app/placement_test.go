package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// program runs a server that is not ours, in a directory of its own, until the
// test ends. Without it installed the test is skipped, loudly.
func program(t *testing.T, path, config string, args ...string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIPPED, for want of a program: %v", err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(config, "$DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range args {
		args[i] = strings.NewReplacer("$CONFIG", file, "$DIR", dir).Replace(args[i])
	}
	cmd := exec.Command(path, args...)
	var out buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			t.Logf("%s said:\n%s%s", path, out.String(), text)
		}
	})
}

// nginx runs an nginx with some servers.
func nginx(t *testing.T, servers string) {
	t.Helper()
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;"
	}
	program(t, "/usr/sbin/nginx", user+`
daemon off;
master_process off;
pid $DIR/nginx.pid;
error_log $DIR/error.log info;
events { worker_connections 1024; }
http {
	access_log off;
	default_type text/plain;
	client_body_temp_path $DIR/body;
	proxy_temp_path $DIR/proxy;
	fastcgi_temp_path $DIR/fastcgi;
	uwsgi_temp_path $DIR/uwsgi;
	scgi_temp_path $DIR/scgi;
	proxy_http_version 1.1;
	proxy_set_header Connection "";
`+servers+`
}`, "-c", "$CONFIG", "-p", "$DIR", "-e", "$DIR/error.log")
}

// port returns a free address of the loopback.
func port(t testing.TB) string {
	t.Helper()
	address, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// from is a client at an address of the loopback, so that it can be told from
// a proxy on the same machine.
func from(t *testing.T, address string) *http.Client {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	tr := &http.Transport{DisableCompression: true, DialContext: dialer.DialContext}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// told is an application that answers with its name and what it was told
// about the client.
func told(t *testing.T, name string) string {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s path=%s host=%s for=%s proto=%s", name, r.RequestURI, r.Host,
			strings.Join(r.Header["X-Forwarded-For"], "+"), r.Header.Get("X-Forwarded-Proto"))
	}))
}

// TestInFrontOfNginx: what nginx serves by itself comes through as it is.
func TestInFrontOfNginx(t *testing.T) {
	t.Parallel()
	files := t.TempDir()
	if err := os.Chmod(files, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(files, "dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"page.html": strings.Repeat("<p>page</p>\n", 500), "dir/index.html": "index", "big": strings.Repeat("0123456789", 300_000), "empty": ""} {
		if err := os.WriteFile(filepath.Join(files, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	address := port(t)
	nginx(t, `
	gzip on; gzip_min_length 100; gzip_types text/plain;
	server { listen `+address+`; root `+files+`; location = /moved { return 302 /page.html; } location = /gone { return 410 gone; } location = /nothing { return 204; } }`)
	g := start(t, fmt.Sprintf(anywhere+`
upstreams: {monolith: "http://%s"}
routes: [{path: /*, upstream: monolith}]
`, address))
	direct, client := "http://"+address, from(t, "127.0.0.1")
	eventually(t, "nginx serves", func() bool { _, err := client.Get(direct + "/empty"); return err == nil })

	res, err := client.Get(direct + "/page.html")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	etag := res.Header.Get("Etag")
	for _, c := range []struct {
		method, path string
		header       []string
	}{
		{"GET", "/page.html", nil},
		{"HEAD", "/page.html", nil},
		{"GET", "/page.html", []string{"Accept-Encoding", "gzip"}},
		{"GET", "/page.html", []string{"If-None-Match", etag}},
		{"GET", "/big", nil},
		{"GET", "/big", []string{"Range", "bytes=1000000-1000009"}},
		{"GET", "/big", []string{"Range", "bytes=0-1,5-7"}},
		{"GET", "/big", []string{"Range", "bytes=99999999-"}},
		{"GET", "/empty", nil},
		{"GET", "/missing", nil},
		{"GET", "/moved", nil},
		{"GET", "/gone", nil},
		{"GET", "/nothing", nil},
		{"GET", "/dir", nil},
		{"GET", "/dir/", nil},
		{"POST", "/page.html", nil},
		{"OPTIONS", "/page.html", nil},
		{"GET", "/%2e%2e/page.html", nil},
		{"GET", "//page.html?a=b&&c", nil},
	} {
		t.Run(c.method+c.path+strings.Join(c.header, ""), func(t *testing.T) {
			want, got := exchangeOf(t, client, direct, c.method, c.path, c.header), exchangeOf(t, client, g.url, c.method, c.path, c.header)
			if got != want {
				t.Errorf("through the gateway\n%.600s\ndirectly\n%.600s", got, want)
			}
		})
	}
}

// exchangeOf returns an answer as text, without what differs each time: the
// date, the boundary of parts, and the address in front of which it was given.
func exchangeOf(t *testing.T, client *http.Client, url, method, path string, header []string) string {
	t.Helper()
	r, err := http.NewRequest(method, url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintln(&b, res.StatusCode, res.ContentLength, res.TransferEncoding)
	res.Header.Del("Date")
	res.Header.Del("Connection") // nginx says keep-alive where HTTP/1.1 need not
	_ = res.Header.Write(&b)
	text := b.String() + string(body)
	if _, boundary, ok := strings.Cut(res.Header.Get("Content-Type"), "boundary="); ok {
		text = strings.ReplaceAll(text, boundary, "BOUNDARY")
	}
	return strings.ReplaceAll(text, url, "http://ADDRESS")
}

// TestBehindNginxForOneLocation: nginx gives a part of its paths to Ficus, over
// TCP and over a unix socket, and is believed who the client is; others are not.
func TestBehindNginxForOneLocation(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "ficus") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	monolith, orders := told(t, "monolith"), told(t, "orders")
	g := start(t, fmt.Sprintf(`
listen: ["127.0.0.1:0", "unix:%s/public.sock"]
admin: {address: 127.0.0.1:0, socket: none}
state: file:$DIR/ficus.events
trusted_proxies: 127.0.0.1
upstreams: {monolith: "%s", orders: "%s"}
migrations:
  orders:
    from: monolith
    to: orders
    key: ip
    cohorts: [{name: staff, when: {header: X-Staff, is: "1"}, stage: live}]
routes:
  - {path: /api/orders/*, migration: orders}
  - {path: /*, upstream: monolith}
`, dir, monolith, orders))
	address := port(t)
	nginx(t, fmt.Sprintf(`
	proxy_set_header Host shop.example;
	proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
	proxy_set_header X-Forwarded-Proto https;
	upstream ficus { server %s; keepalive 4; }
	server { listen %s;
		location / { proxy_pass %s; }
		location /api/orders/ { proxy_pass http://ficus; }
		location /api/orders/socket { proxy_pass http://unix:%s/public.sock:; }
	}`, g.Addrs()[0], address, monolith, dir))
	client := from(t, "127.0.0.2")
	eventually(t, "nginx serves", func() bool { _, err := client.Get("http://" + address + "/"); return err == nil })

	ask := func(url string, header ...string) string {
		t.Helper()
		text := exchangeOf(t, client, url, "GET", "", header)
		return text[strings.Index(text, "\n\n")+1:]
	}
	for _, c := range []struct {
		url    string
		header []string
		want   string // of the upstream
		client string // in the access log
		cohort string
	}{
		{"http://" + address + "/api/orders/1", nil, "monolith path=/api/orders/1 host=shop.example for=127.0.0.2, 127.0.0.1 proto=https", "127.0.0.2", ""},
		{"http://" + address + "/api/orders/2", []string{"X-Staff", "1"}, "orders path=/api/orders/2 host=shop.example for=127.0.0.2, 127.0.0.1 proto=https", "127.0.0.2", "staff"},
		{"http://" + address + "/api/orders/3", []string{"X-Forwarded-For", "192.0.2.1"}, "monolith path=/api/orders/3 host=shop.example for=192.0.2.1, 127.0.0.2, 127.0.0.1 proto=https", "127.0.0.2", ""},
		{"http://" + address + "/api/orders/socket", []string{"X-Staff", "1"}, "orders path=/api/orders/socket host=shop.example for=127.0.0.2 proto=https", "127.0.0.2", "staff"},
		{g.url + "/api/orders/direct", []string{"X-Staff", "1", "X-Forwarded-For", "192.0.2.1", "X-Forwarded-Proto", "https"},
			"monolith path=/api/orders/direct host=" + g.Addrs()[0].String() + " for=127.0.0.2 proto=http", "127.0.0.2", ""},
	} {
		if got := ask(c.url, c.header...); !strings.HasSuffix(got, c.want) {
			t.Errorf("%s %v: got %q, want %q", c.url, c.header, got, c.want)
		}
		path := c.url[strings.Index(c.url, "/api"):]
		line := g.accessLine(path)
		if !strings.Contains(line, `"client":"`+c.client+`"`) {
			t.Errorf("%s: the client is not %s in %s", c.url, c.client, line)
		}
		if strings.Contains(line, `"cohort"`) != (c.cohort != "") {
			t.Errorf("%s: the cohort is not %q in %s", c.url, c.cohort, line)
		}
	}
	if g.lines(`"path":"/"`) != 0 {
		t.Error("a location that is not ours came here")
	}
}

// accessLine returns the line of the access log about a path.
func (r *running) accessLine(path string) (line string) {
	r.t.Helper()
	eventually(r.t, "the access log has "+path, func() bool {
		all := strings.Split(r.access.String(), "\n")
		i := slices.IndexFunc(all, func(l string) bool { return strings.Contains(l, `"path":"`+path+`"`) })
		if i >= 0 {
			line = all[i]
		}
		return i >= 0
	})
	return line
}

// lines counts the lines of the access log that hold a text.
func (r *running) lines(text string) int { return strings.Count(r.access.String(), text) }

// TestBehindAProxyProtocol: HAProxy says by version 1 and 2 who the client is,
// also in front of TLS. Whoever may not say so is refused, and whoever must,
// but does not, is too.
func TestBehindAProxyProtocol(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeCertificate(t, dir, "shop", "shop.example")
	g, err := tryStart(t, dir, fmt.Sprintf(`
listen:
  - {address: "127.0.0.1:0", proxy_protocol: 127.0.0.1}
  - {address: "127.0.0.1:0", proxy_protocol: 127.0.0.1, tls: {cert: shop.pem, key: shop.key}}
admin: {address: 127.0.0.1:0, socket: none}
state: file:$DIR/ficus.events
upstreams: {monolith: "%s"}
routes: [{path: /*, upstream: monolith}]
`, told(t, "monolith")))
	if err != nil {
		t.Fatal(err)
	}
	v1, v2, secure := port(t), port(t), port(t)
	program(t, "/usr/sbin/haproxy", fmt.Sprintf(`
global
	maxconn 100
defaults
	mode tcp
	timeout connect 5s
	timeout client 30s
	timeout server 30s
listen v1
	bind %[1]s
	server ficus %[4]s send-proxy
listen v2
	bind %[2]s
	server ficus %[4]s send-proxy-v2 check inter 50ms check-send-proxy
listen secure
	bind %[3]s
	server ficus %[5]s send-proxy-v2
`, v1, v2, secure, g.Addrs()[0], g.Addrs()[1]), "-db", "-f", "$CONFIG")
	client := from(t, "127.0.0.3")
	eventually(t, "haproxy serves", func() bool { _, err := client.Get("http://" + v1 + "/"); return err == nil })

	for path, address := range map[string]string{"/v1": v1, "/v2": v2} {
		text, err := read(client, "http://"+address+path)
		if err != nil || !strings.Contains(text, "for=127.0.0.3 proto=http") {
			t.Errorf("%s: %q, %v", path, text, err)
		}
		if line := g.accessLine(path); !strings.Contains(line, `"client":"127.0.0.3"`) {
			t.Error(line)
		}
	}
	tr := client.Transport.(*http.Transport).Clone()
	tr.TLSClientConfig = insecure
	defer tr.CloseIdleConnections()
	text, err := read(&http.Client{Transport: tr}, "https://"+secure+"/secure")
	if err != nil || !strings.Contains(text, "for=127.0.0.3 proto=https") {
		t.Errorf("with TLS: %q, %v", text, err)
	}

	const request = "GET /forged HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"
	for name, c := range map[string]struct {
		from, text string
		served     bool
	}{
		"a client that forges version 1": {"127.0.0.9", "PROXY TCP4 192.0.2.1 127.0.0.1 4711 80\r\n" + request, false},
		"a client that forges version 2": {"127.0.0.9", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\x7f\x00\x00\x01\x12\x67\x00\x50" + request, false},
		"a proxy that says nothing":      {"127.0.0.1", request, false},
		"a proxy that says nonsense":     {"127.0.0.1", "PROXY TCP9 hello\r\n" + request, false},
		"a client":                       {"127.0.0.9", strings.Replace(request, "forged", "honest", 1), true},
	} {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(c.from)}}
		conn, err := dialer.Dial("tcp", g.Addrs()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = io.WriteString(conn, c.text)
		answer, err := io.ReadAll(conn)
		conn.Close()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s is neither served nor refused", name)
		}
		if served := strings.Contains(string(answer), "200 OK"); served != c.served {
			t.Errorf("%s gets %q", name, answer)
		}
	}
	if g.lines("/forged") != 0 || g.lines("192.0.2.1") != 0 {
		t.Errorf("a forged request was served: %s", g.access.String())
	}
}

// TestNobodyNoticesThatFicusIsKilled: nginx has the monolith for a backup, and
// Ficus is killed, comes back, and ends as it should, while people ask.
func TestNobodyNoticesThatFicusIsKilled(t *testing.T) {
	t.Parallel()
	monolith := named(t, "monolith")
	b := install(t, fmt.Sprintf(`
listen: $LISTEN
admin: {address: none, socket: $DIR/ficus.sock}
log: {access: false}
upstreams: {monolith: "%s"}
routes: [{path: /*, upstream: monolith, response: {set: {X-Through: ficus}}}]
`, monolith))
	b.start()
	address := port(t)
	nginx(t, fmt.Sprintf(`
	upstream shop { server %s max_fails=1 fail_timeout=1s; server %s backup; keepalive 16; }
	server { listen %s; location / { proxy_pass http://shop; } }`,
		b.listen, strings.TrimPrefix(monolith, "http://"), address))
	probe := from(t, "127.0.0.1")
	eventually(t, "nginx serves", func() bool { _, err := probe.Get("http://" + address + "/"); return err == nil })

	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	defer clients.Wait()
	defer stop()
	var through, around, slow atomic.Int64
	for n := range 16 {
		client, path := from(t, "127.0.0.1"), "/page"
		if n%4 == 0 {
			path = "/page?wait=30ms"
		}
		clients.Go(func() {
			for ctx.Err() == nil {
				began := time.Now()
				res, err := client.Get("http://" + address + path)
				if err != nil {
					t.Errorf("a request is lost: %v", err)
					return
				}
				text, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || res.StatusCode != http.StatusOK {
					t.Errorf("a request fails: %s, %s, %v", res.Status, text, err)
					return
				}
				slow.Store(max(slow.Load(), int64(time.Since(began))))
				if res.Header.Get("X-Through") == "ficus" {
					through.Add(1)
				} else {
					around.Add(1)
				}
			}
		})
	}
	more := func(counter *atomic.Int64, what string) {
		t.Helper()
		before := counter.Load()
		eventually(t, what, func() bool { return counter.Load() > before+100 })
	}
	for range full(20, 2) {
		more(&through, "people come through Ficus")
		b.signal(syscall.SIGKILL)
		more(&around, "people are served by the backup")
		b.start()
		more(&through, "people come through Ficus again")
		b.signal(syscall.SIGTERM)
		more(&around, "people are served by the backup again")
		b.start()
	}
	stop()
	clients.Wait()
	t.Logf("%d requests through Ficus and %d around it, the slowest in %v", through.Load(), around.Load(), time.Duration(slow.Load()))
}
