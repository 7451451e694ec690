package gateway

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// bodyCases: bodies of any framing, with trailers, both ways.
func bodyCases() []wireCase {
	mega := strings.Repeat("0123456789abcdef", 1<<16)
	return []wireCase{
		{name: "no body", say: ask("POST /a")},
		{name: "body of length 0", say: ask("POST /a", "Content-Length: 0")},
		{name: "body of a length", say: ask("POST /a", "Content-Length: 5", "Content-Type: text/plain") + "hello"},
		{name: "body in chunks", say: ask("POST /a", "Transfer-Encoding: chunked") + "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"},
		{name: "empty body in chunks", say: ask("POST /a", "Transfer-Encoding: chunked") + "0\r\n\r\n"},
		{name: "boundaries of chunks, and their extensions", raw: true, say: ask("POST /a", "Transfer-Encoding: chunked") + "1;a=b\r\nh\r\n4\r\nello\r\n0\r\n\r\n",
			tell:    tell("200 OK", "Date: x", "Transfer-Encoding: chunked") + "1;c=d\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
			differs: []string{`+  chunk "3"`, `+  chunk "5"`, `-  chunk "1;a=b"`, `-  chunk "1;c=d"`, `-  chunk "2"`, `-  chunk "4"`}},
		{name: "request trailer announced", say: ask("POST /a", "Transfer-Encoding: chunked", "Trailer: X-Sum, X-More") + "5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-More: a\r\nX-More: b\r\n\r\n"},
		{name: "request trailer not announced", say: ask("POST /a", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"},
		{name: "answer in chunks", say: ask("GET /"), tell: tell("200 OK", "Date: x", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n"},
		{name: "empty answer in chunks", say: ask("GET /"), tell: tell("200 OK", "Date: x", "Transfer-Encoding: chunked") + "0\r\n\r\n"},
		{name: "answer trailer announced", say: ask("GET /", "TE: trailers"), tell: tell("200 OK", "Date: x", "Transfer-Encoding: chunked", "Trailer: X-Sum, X-More") + "3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-More: a\r\nX-More: b\r\n\r\n"},
		{name: "answer trailer not announced", say: ask("GET /", "TE: trailers"), tell: tell("200 OK", "Date: x", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"},
		{name: "answer of unknown length", say: ask("GET /"), tell: tell("200 OK", "Date: x") + "until the end"},
		{name: "answer of HTTP/1.0", say: ask("GET /"), tell: "HTTP/1.0 200 OK\r\nDate: x\r\n\r\nold"},
		{name: "answer of HTTP/1.0 with a length", say: ask("GET /"), tell: "HTTP/1.0 200 OK\r\nDate: x\r\nContent-Length: 3\r\n\r\nold"},
		{name: "client of HTTP/1.0", say: "GET /a HTTP/1.0\r\nHost: shop.example\r\n\r\n"},
		{name: "client of HTTP/1.0, answer of unknown length", say: "GET /a HTTP/1.0\r\nHost: shop.example\r\n\r\n", tell: tell("200 OK", "Date: x", "Connection: close") + "until the end"},
		{name: "client of HTTP/1.0 keeps the connection", client: func(e *end) {
			for range 2 {
				e.write("GET /a HTTP/1.0\r\nHost: shop.example\r\nConnection: keep-alive\r\n\r\n")
				e.answer("GET")
			}
		}},
		{name: "client of HTTP/1.0 without Host", say: "GET /a HTTP/1.0\r\n\r\n", upstream: func(e *end) {
			h := e.readHead()
			e.saw.note("%s", strings.TrimSuffix(h.start, " HTTP/1.0"))
			e.write(plainAnswer)
		}, differs: []string{"+GET /a HTTP/1.1", "-GET /a"}},
		{name: "interim answers are not for HTTP/1.0", say: "GET /a HTTP/1.0\r\nHost: shop.example\r\n\r\n", tell: tell("103 Early Hints", "Link: </a>") + plainAnswer, differs: []string{`-  link: "</a>"`, "-answer 103"}},
		{name: "body of 1 MiB both ways", say: ask("POST /a", fmt.Sprintf("Content-Length: %d", len(mega))) + mega,
			tell: tell("200 OK", "Date: x", fmt.Sprintf("Content-Length: %d", len(mega))) + mega},
		{name: "answer of 64 MiB", say: ask("GET /"), upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Content-Length: 67108864"))
			for range 64 {
				e.write(mega)
			}
		}},
		{name: "upload of 64 MiB in chunks", client: func(e *end) {
			e.write(ask("POST /a", "Transfer-Encoding: chunked"))
			for range 64 {
				e.write("100000\r\n" + mega + "\r\n")
			}
			e.write("0\r\n\r\n")
			e.answer("POST")
		}},
		{name: "100-continue accepted", client: func(e *end) {
			e.write(ask("POST /a", "Content-Length: 5", "Expect: 100-continue"))
			h := e.readHead()
			e.saw.note("interim %s", h.status())
			e.write("hello")
			e.answer("POST")
		}, upstream: func(e *end) {
			h := e.requestHead()
			e.write("HTTP/1.1 100 Continue\r\n\r\n")
			e.body(h, false)
			e.write(plainAnswer)
		}},
		{name: "100-continue refused", client: func(e *end) {
			e.write(ask("POST /a", "Content-Length: 5", "Expect: 100-continue"))
			e.answer("POST")
		}, upstream: func(e *end) {
			e.requestHead()
			e.write(tell("417 Expectation Failed", "Date: x", "Content-Length: 0"))
		}},
		{name: "100-continue refused by 413 with an answer", client: func(e *end) {
			e.write(ask("POST /a", "Content-Length: 5000000", "Expect: 100-continue"))
			e.answer("POST")
		}, upstream: func(e *end) {
			e.requestHead()
			e.write(tell("413 Content Too Large", "Date: x", "Connection: close", "Content-Length: 3") + "big")
		}},
		{name: "100-continue ignored by the upstream", client: func(e *end) {
			e.write(ask("POST /a", "Content-Length: 5", "Expect: 100-continue"))
			time.Sleep(continueSilence)
			e.write("hello")
			e.answer("POST")
		}, differs: []string{"+answer 100"}},
		{name: "100-continue without a body", say: ask("POST /a", "Content-Length: 0", "Expect: 100-continue"), tell: tell("100 Continue") + plainAnswer},
		{name: "expectation of something else", say: ask("POST /a", "Content-Length: 2", "Expect: the-unexpected") + "ab", refused: 417},
		{name: "upstream says less than it promised", say: ask("GET /"), upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Content-Length: 10") + "half")
		}},
		{name: "upstream breaks off within a chunk", say: ask("GET /"), upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Transfer-Encoding: chunked") + "5\r\nhello\r\n5\r\nwor")
		}},
		{name: "upstream says more than it promised", say: ask("GET /a"), client: func(e *end) {
			e.write(ask("GET /a"))
			h := e.answerHead()
			e.body(h, true)
		}, upstream: func(e *end) {
			if e.request() {
				e.write(tell("200 OK", "Date: x", "Content-Length: 2") + "okHTTP/1.1 200 smuggled\r\n\r\n")
			}
		}},
	}
}

const continueSilence = 1500 * time.Millisecond // longer than the gateway holds a body back

// discard reads a body of n bytes without noting it.
func (e *end) discard(n int64) { _, _ = io.CopyN(io.Discard, e.br, n) }
