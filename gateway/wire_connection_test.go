package gateway

import (
	"fmt"
	"strings"
	"time"
)

// connectionCases: what goes on a connection before and after an exchange.
func connectionCases() []wireCase {
	return []wireCase{
		{name: "client closes", client: func(e *end) {
			e.write(ask("GET /", "Connection: close"))
			e.answer("GET")
			e.over()
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Connection: close", "Content-Length: 2") + "ok")
		}},
		{name: "upstream closes", client: func(e *end) {
			e.write(ask("GET /"))
			e.answer("GET")
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Connection: close", "Content-Length: 2") + "ok")
		}},
		{name: "requests one after the other", client: func(e *end) {
			for i := range 5 {
				e.write(ask(fmt.Sprintf("POST /%d", i), "Content-Length: 1") + fmt.Sprint(i))
				e.answer("POST")
			}
		}},
		{name: "pipelined requests", answers: 4, say: ask("GET /1") + ask("POST /2", "Content-Length: 3") + "two" + ask("POST /3", "Transfer-Encoding: chunked") + "3\r\ntri\r\n0\r\n\r\n" + ask("GET /4")},
		{name: "empty lines before a request", say: "\r\n" + ask("GET /a"), refused: 400},
		{name: "head byte by byte", client: func(e *end) {
			for _, c := range ask("GET /slow", "X-A: 1") {
				e.write(string(c))
				time.Sleep(time.Millisecond)
			}
			e.answer("GET")
		}},
		{name: "bare line feeds", say: "GET /a HTTP/1.1\nHost: shop.example\nX-A: 1\n\n"},
		{name: "answer with bare line feeds", say: ask("GET /"), tell: "HTTP/1.1 200 OK\nDate: x\nContent-Length: 2\n\nok"},
		{name: "early answer, then the body is read", client: func(e *end) {
			e.write(ask("POST /a", "Content-Length: 10") + "half1")
			h := e.answerHead()
			e.write("half2")
			e.body(h, true)
		}, upstream: func(e *end) {
			h := e.requestHead()
			e.write(tell("200 OK", "Date: x", "Content-Length: 5"))
			e.body(h, false)
			e.write("after")
		}},
		{name: "early answer and the end", client: func(e *end) {
			e.write(ask("POST /a", "Content-Length: 1000000") + "some")
			e.answer("POST")
		}, upstream: func(e *end) {
			e.requestHead()
			e.write(tell("403 Forbidden", "Date: x", "Connection: close", "Content-Length: 2") + "no")
		}},
		{name: "early answer while the client sends on", client: func(e *end) {
			e.write(ask("POST /a", "Content-Length: 4000000"))
			go func() {
				for range 40 {
					if _, err := e.Write(make([]byte, 100000)); err != nil {
						return
					}
				}
			}()
			e.answer("POST")
		}, upstream: func(e *end) {
			e.requestHead()
			e.write(tell("413 Content Too Large", "Date: x", "Connection: close", "Content-Length: 3") + "big")
			e.discard(4000000)
		}},
		{name: "echo while the client sends", client: func(e *end) {
			e.write(ask("POST /echo", "Content-Length: 10"))
			h := e.answerHead()
			for i := range 5 {
				e.write(fmt.Sprintf("%02d", i))
			}
			e.body(h, true)
		}, upstream: func(e *end) {
			e.requestHead()
			e.write(tell("200 OK", "Date: x", "Transfer-Encoding: chunked"))
			for range 5 {
				e.bytes(2)
				e.write("1\r\n+\r\n")
			}
			e.write("0\r\n\r\n")
		}},
		{name: "client dies half way through its body", client: func(e *end) {
			e.write(ask("POST /a", "Content-Length: 10") + "half")
			time.Sleep(100 * time.Millisecond)
			e.saw.note("gone")
		}},
		{name: "client dies within a chunk", client: func(e *end) {
			e.write(ask("POST /a", "Transfer-Encoding: chunked") + "4\r\nhalf\r\n")
			time.Sleep(100 * time.Millisecond)
			e.write("a\r\n") // what comes of the chunk itself may be lost with the client
			time.Sleep(100 * time.Millisecond)
			e.saw.note("gone")
		}, upstream: func(e *end) {
			h := e.requestHead()
			e.body(h, false)
		}},
		{name: "client closes its half after the request", client: func(e *end) {
			e.write(ask("GET /a"))
			time.Sleep(100 * time.Millisecond)
			e.closeWrite()
			e.answer("GET")
		}, upstream: func(e *end) {
			e.request()
			time.Sleep(500 * time.Millisecond)
			e.write(plainAnswer)
		}, differs: []string{`+no answer`, `-  body whole "ok"`, `-  content-length: "2"`, `-  content-type: "text/plain"`, `-  date: "Thu, 01 Jan 2026 00:00:00 GMT"`, `-answer 200`}},
		{name: "upstream closes its half after the answer", client: func(e *end) {
			e.write(ask("GET /a"))
			e.answer("GET")
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x") + "until the end")
			e.closeWrite()
			e.over()
		}},
		{name: "upstream closes without an answer", client: func(e *end) {
			e.write(ask("POST /a", "Content-Length: 0"))
			if h := e.readHead(); h != nil {
				e.saw.note("status %s", h.status())
			} else {
				e.saw.note("no answer")
			}
		}, upstream: func(e *end) { e.request() }, differs: []string{"+status 502", "-no answer"}},
		{name: "upstream's answer is not HTTP", say: ask("POST /a", "Content-Length: 0"), upstream: func(e *end) {
			e.request()
			e.write("SSH-2.0-OpenSSH\r\n\r\n")
		}, client: func(e *end) {
			e.write(ask("POST /a", "Content-Length: 0"))
			e.saw.note("%s", strings.TrimSpace(e.readHead().start))
		}, differs: []string{"+HTTP/1.1 502 Bad Gateway", "-SSH-2.0-OpenSSH"}},
	}
}

// refusedCases: what two readers could understand differently is read by none.
func refusedCases() []wireCase {
	smuggled := "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	return []wireCase{
		{name: "two different lengths", say: ask("POST /a", "Content-Length: 3", "Content-Length: 4") + "abcd", refused: 400},
		{name: "lengths in one field", say: ask("POST /a", "Content-Length: 3, 4") + "abcd", refused: 400},
		{name: "length with a sign", say: ask("POST /a", "Content-Length: +3") + "abc", refused: 400},
		{name: "negative length", say: ask("POST /a", "Content-Length: -3") + "abc", refused: 400},
		{name: "length of no number", say: ask("POST /a", "Content-Length: 0x3") + "abc", refused: 400},
		{name: "the same length twice", say: ask("POST /a", "Content-Length: 3", "Content-Length: 3") + "abc", differs: []string{`-  content-length: "3"`}},
		{name: "chunks that are no chunks", say: ask("POST /a", "Transfer-Encoding: chunked") + "zz\r\n" + smuggled, refused: 400},
		{name: "chunk that is too long", say: ask("POST /a", "Transfer-Encoding: chunked") + "ffffffffffffffffff\r\n" + smuggled, refused: 400},
		{name: "chunk without its end", say: ask("POST /a", "Transfer-Encoding: chunked") + "3\r\nabcdef\r\n0\r\n\r\n" + smuggled, refused: 400},
		{name: "unknown transfer coding", say: ask("POST /a", "Transfer-Encoding: xchunked") + smuggled, refused: 501},
		{name: "two transfer codings", say: ask("POST /a", "Transfer-Encoding: chunked", "Transfer-Encoding: identity") + "0\r\n\r\n" + smuggled, refused: 501},
		{name: "space before the colon", say: ask("POST /a", "Transfer-Encoding : chunked") + smuggled, refused: 400},
		{name: "no Host", say: "GET /a HTTP/1.1\r\n\r\n", refused: 400},
		{name: "two Hosts", say: ask("GET /a", "Host: other"), refused: 400},
		{name: "Host of odd bytes", say: "GET /a HTTP/1.1\r\nHost: a b\r\n\r\n", refused: 400},
		{name: "null byte in a field", say: ask("GET /a", "X-A: a\x00b"), refused: 400},
		{name: "carriage return in a field", say: ask("GET /a", "X-A: a\rX-B: b"), refused: 400},
		{name: "field without a name", say: ask("GET /a", ": b"), refused: 400},
		{name: "field without a colon", say: ask("GET /a", "X-A"), refused: 400},
		{name: "method of odd bytes", say: ask("G@T /a"), refused: 400},
		{name: "unknown version", say: "GET /a HTTP/3.0\r\nHost: x\r\n\r\n", refused: 505},
		{name: "header too large", say: ask("GET /a", "X-A: "+strings.Repeat("a", 140<<10)), refused: 431},
		{name: "length and chunks at once", client: func(e *end) {
			e.write(ask("POST /a", "Content-Length: 4", "Transfer-Encoding: chunked") + "0\r\n\r\n")
			e.answer("POST")
		}, upstream: func(e *end) {
			h := e.readHead()
			e.saw.note("length %q chunks %q", h.get("Content-Length"), h.get("Transfer-Encoding"))
			h.fields = nil
			e.write(plainAnswer)
		}, differs: []string{`+length "" chunks "chunked"`, `-length "4" chunks "chunked"`}},
	}
}
