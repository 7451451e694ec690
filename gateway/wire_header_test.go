package gateway

import "strings"

// headerCases: every field and byte that HTTP allows goes on.
func headerCases() []wireCase {
	return []wireCase{
		{name: "duplicate fields both ways", say: ask("GET /", "X-A: 1", "X-B: 2", "X-A: 3", "X-A: 1"), tell: tell("200 OK", "Date: x", "X-C: 1", "X-D: 2", "X-C: 0", "Content-Length: 0")},
		{name: "bytes above ASCII in values", say: ask("GET /", "X-A: caf\xe9 \xff\x80"), tell: tell("200 OK", "Date: x", "X-B: \xfe\xc3\xa9", "Content-Length: 0")},
		{name: "empty values", say: ask("GET /", "X-A:", "X-B: ", "Accept:"), tell: tell("200 OK", "Date: x", "X-C:", "Server:", "Content-Length: 0")},
		{name: "tabs and spaces in values", say: ask("GET /", "X-A: a \t  b"), tell: tell("200 OK", "Date: x", "X-C: c\t\td", "Content-Length: 0")},
		{name: "long fields", say: ask("GET /", "X-A: "+strings.Repeat("a", 60<<10)), tell: tell("200 OK", "Date: x", "X-B: "+strings.Repeat("b", 200<<10), "Content-Length: 0")},
		{name: "many fields", say: ask("GET /", strings.Split(strings.Repeat("X-A: 1\n", 500)+"X-B: 2", "\n")...)},
		{name: "names that are odd tokens", say: ask("GET /", "!#$%&'*+-.^_`|~9: 1", "x_y: 2", "X--Y: 3"), tell: tell("200 OK", "Date: x", "$-_.+: 1", "Content-Length: 0")},
		{name: "several cookies", say: ask("GET /", "Cookie: a=1; b=\"x y\" ;c", "Cookie: d=\xff,e"), tell: tell("200 OK", "Date: x", "Set-Cookie: a=1; Path=/; HttpOnly", "Set-Cookie: b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT", "Set-Cookie: a=3", "Content-Length: 0")},
		{name: "own cookies are kept from the upstream", say: ask("GET /", "Cookie: a=1; ficus_id=zzz; b=2"), differs: []string{`+  cookie: "a=1; b=2"`, `-  cookie: "a=1; ficus_id=zzz; b=2"`}},
		{name: "own fields are kept from the upstream", say: ask("GET /", "Ficus-Shadow: 1"), differs: []string{`-  ficus-shadow: "1"`}},
		{name: "authorization", say: ask("GET /", "Authorization: Basic dTpw", "Proxy-Authorization: Basic cDpx"), tell: tell("401 Unauthorized", "Date: x", "WWW-Authenticate: Basic realm=\"a, b\"", "WWW-Authenticate: Negotiate", "Proxy-Authenticate: Basic", "Content-Length: 0")},
		{name: "no user agent and none made up", say: ask("GET /", "Accept: */*")},
		{name: "user agent", say: ask("GET /", "User-Agent: Mozilla/5.0 (X11)")},
		{name: "pragma no-cache", say: ask("GET /", "Pragma: no-cache"), tell: tell("200 OK", "Date: x", "Pragma: no-cache", "Content-Length: 0"),
			differs: []string{`+  cache-control: "no-cache"`, `+  cache-control: "no-cache"`}},
		{name: "no Via and no Server", say: ask("GET /", "Via: 1.0 before"), tell: tell("200 OK", "Date: x", "Via: 1.1 inside", "Content-Length: 0")},
		{name: "TE trailers", say: ask("GET /", "TE: trailers", "Connection: TE")},
		{name: "TE deflate is this connection's", say: ask("GET /", "TE: deflate;q=0.5", "Connection: TE"), differs: []string{`-  te: "deflate;q=0.5"`}},
		{name: "fields that Connection names", say: ask("GET /", "Connection: X-A, close, , X-C", "X-A: 1", "X-B: 2"), tell: tell("200 OK", "Date: x", "Connection: X-D", "X-D: 1", "X-E: 2", "Content-Length: 0"),
			differs: []string{`-  x-a: "1"`, `-  x-d: "1"`}},
		{name: "folded fields", say: ask("GET /", "X-A: a\r\n  b\r\n\tc", "X-B: 1"), tell: tell("200 OK", "Date: x", "X-C: c\r\n d", "Content-Length: 0"),
			differs: []string{`+  x-a: "a b c"`, `+  x-c: "c d"`, `-  x-a: "a\r\n  b\r\n\tc"`, `-  x-c: "c\r\n d"`}},
		{name: "order and case of fields", raw: true, say: ask("GET /a", "x-b: 1", "X-A: 2", "ACCEPT: */*"), tell: tell("200 OK", "x-z: 1", "DATE: x", "x-y: 2", "Content-Length: 0"),
			differs: []string{`+  Accept: "*/*"`, `+  Date: "x"`, `+  X-B: "1"`, `+  X-Y: "2"`, `+  X-Z: "1"`, `-  ACCEPT: "*/*"`, `-  DATE: "x"`, `-  x-b: "1"`, `-  x-y: "2"`, `-  x-z: "1"`}},
		{name: "no Date and no Content-Type are made up", say: ask("GET /"), tell: tell("200 OK", "Content-Length: 5") + "<html"},
		{name: "Content-Type without a value", say: ask("GET /"), tell: tell("200 OK", "Date: x", "Content-Type:", "Content-Length: 5") + "<html"},
		{name: "gzip stays as it is", say: ask("GET /", "Accept-Encoding: gzip, br"), tell: tell("200 OK", "Date: x", "Content-Encoding: gzip", "Content-Length: 4") + "\x1f\x8b\x08\x00"},
		{name: "nothing is asked to be compressed", say: ask("GET /")},
		{name: "location is left alone", say: ask("GET /"), tell: tell("302 Found", "Date: x", "Location: http://shop.example/login?next=%2F", "Content-Length: 0")},
		{name: "conditional requests", say: ask("GET /", `If-None-Match: "a", W/"b"`, "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT", "Range: bytes=0-1,4-5", `If-Range: "a"`)},
		{name: "Host with a port", say: "GET / HTTP/1.1\r\nHost: Shop.Example:8080\r\n\r\n"},
		{name: "Host is empty", say: "GET / HTTP/1.1\r\nHost:\r\n\r\n", upstream: func(e *end) {
			if h := e.readHead(); h != nil {
				e.saw.note("host is empty: %v", h.get("Host") == "")
				e.write(plainAnswer)
			}
		}, differs: []string{"+host is empty: false", "-host is empty: true"}},
		{name: "forwarding fields of a client", say: ask("GET /", "Forwarded: for=1.2.3.4", "X-Forwarded-Port: 1", "X-Real-IP: 1.2.3.4"), differs: []string{`-  forwarded: "for=1.2.3.4"`, `-  x-forwarded-port: "1"`, `-  x-real-ip: "1.2.3.4"`}},
		{name: "fields in disguise", say: ask("GET /", "Ficus_Shadow: 1", "X_Forwarded_For: 1.2.3.4", "X_Other: 1"), differs: []string{`-  ficus_shadow: "1"`, `-  x_forwarded_for: "1.2.3.4"`}},
		{name: "Upgrade-Insecure-Requests", say: ask("GET /", "Upgrade-Insecure-Requests: 1", "DNT: 1", "Sec-Fetch-Mode: navigate")},
	}
}

// statusCases: every status, and what is peculiar to some.
func statusCases() []wireCase {
	var cases []wireCase
	for _, status := range []string{"200", "201", "203", "207", "300", "399", "400", "402", "404", "418", "429", "451", "500", "501", "502", "503", "504", "599", "799"} {
		cases = append(cases, wireCase{name: "status " + status, say: ask("GET /"), tell: tell(status+" Some Text", "Date: x", "X-A: 1", "Content-Length: 3") + "abc"})
	}
	return append(cases,
		wireCase{name: "empty reason phrase", raw: true, say: ask("GET /"), tell: "HTTP/1.1 200 \r\nContent-Length: 0\r\nDate: x\r\n\r\n", differs: []string{"+answer HTTP/1.1 200 OK", "-answer HTTP/1.1 200 "}},
		wireCase{name: "reason phrase of its own", raw: true, say: ask("GET /"), tell: tell("200 Alles gut", "Content-Length: 0", "Date: x"), differs: []string{"+answer HTTP/1.1 200 OK", "-answer HTTP/1.1 200 Alles gut"}},
		wireCase{name: "204", say: ask("GET /"), tell: tell("204 No Content", "Date: x", "X-A: 1")},
		wireCase{name: "204 with a length", say: ask("GET /"), tell: tell("204 No Content", "Date: x", "Content-Length: 0"), differs: []string{`-  content-length: "0"`}},
		wireCase{name: "205", say: ask("POST /", "Content-Length: 0"), tell: tell("205 Reset Content", "Date: x", "Content-Length: 0")},
		wireCase{name: "304 with Content-Length and ETag", say: ask("GET /", `If-None-Match: "a"`), tell: tell("304 Not Modified", "Date: x", `ETag: "a"`, "Content-Length: 1234", "Content-Type: text/html")},
		wireCase{name: "304 has two fields in lower case", raw: true, say: ask("GET /"), tell: tell("304 Not Modified", "Content-Length: 12", "Content-Type: text/html", "Date: x"),
			differs: []string{`+  content-length: "12"`, `+  content-type: "text/html"`, `-  Content-Length: "12"`, `-  Content-Type: "text/html"`}},
		wireCase{name: "206 of two ranges", say: ask("GET /", "Range: bytes=0-0,2-2"), tell: tell("206 Partial Content", "Date: x", "Content-Type: multipart/byteranges; boundary=B", "Content-Length: 20") + "--B\r\n\r\na\r\n--B--\r\n\r\n\n"},
		wireCase{name: "416", say: ask("GET /", "Range: bytes=9-"), tell: tell("416 Range Not Satisfiable", "Date: x", "Content-Range: bytes */3", "Content-Length: 0")},
		wireCase{name: "103 early hints", say: ask("GET /"), tell: tell("103 Early Hints", "Link: </a.css>; rel=preload", "Link: </b.js>") + tell("103 Early Hints", "Link: </c>") + plainAnswer},
		wireCase{name: "102 processing", say: ask("GET /"), tell: tell("102 Processing") + plainAnswer},
		wireCase{name: "1xx that nobody knows", say: ask("GET /"), tell: tell("199 What", "X-A: 1") + plainAnswer},
		wireCase{name: "100 that nobody asked for", say: ask("GET /"), tell: tell("100 Continue") + plainAnswer},
		wireCase{name: "status 999", say: ask("GET /"), tell: tell("999 Last", "Date: x", "Content-Length: 0")},
	)
}
