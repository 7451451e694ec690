package gateway

import (
	"fmt"
	"strings"
	"time"
)

// upgradeCases: connections that change their protocol.
func upgradeCases() []wireCase {
	handshake := ask("GET /socket", "Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: chat, superchat")
	switched := tell("101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Protocol: chat")
	return []wireCase{
		{name: "websocket", client: func(e *end) {
			e.write(handshake)
			e.answer("GET")
			for range 3 {
				e.bytes(6)
				e.write("\x81\x84mask....")
			}
			e.over()
		}, upstream: func(e *end) {
			e.request()
			e.write(switched)
			for i := range 3 {
				e.write(fmt.Sprintf("\x81\x04abc%d", i))
				e.bytes(10)
			}
		}},
		{name: "websocket, bytes right after the handshake", client: func(e *end) {
			e.write(handshake)
			e.answer("GET")
			e.bytes(5)
			e.write("early")
			e.bytes(2)
		}, upstream: func(e *end) {
			e.request()
			e.write(switched + "first")
			e.bytes(5)
			e.write("ok")
		}},
		{name: "websocket, client closes its half", client: func(e *end) {
			e.write(handshake)
			e.answer("GET")
			e.write("last")
			e.closeWrite()
			e.bytes(6)
			e.over()
		}, upstream: func(e *end) {
			e.request()
			e.write(switched)
			e.bytes(4)
			e.over()
			e.write("answer")
		}},
		{name: "websocket, upstream closes its half", client: func(e *end) {
			e.write(handshake)
			e.answer("GET")
			e.bytes(3)
			e.over()
			e.write("thanks")
		}, upstream: func(e *end) {
			e.request()
			e.write(switched + "bye")
			e.closeWrite()
			e.bytes(6)
			e.over()
		}},
		{name: "websocket refused with 400", say: handshake, tell: tell("400 Bad Request", "Date: x", "Content-Length: 3") + "bad"},
		{name: "websocket answered with 200", say: handshake, tell: tell("200 OK", "Date: x", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n"},
		{name: "426 says to what", say: ask("GET /"), tell: tell("426 Upgrade Required", "Date: x", "Upgrade: websocket", "Connection: Upgrade", "Content-Length: 0")},
		{name: "another protocol", client: func(e *end) {
			e.write(ask("POST /containers/1/attach", "Connection: Upgrade", "Upgrade: tcp", "Content-Length: 0"))
			e.answer("GET")
			e.write("stdin")
			e.bytes(6)
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("101 UPGRADED", "Content-Type: application/vnd.docker.raw-stream", "Connection: Upgrade", "Upgrade: tcp"))
			e.bytes(5)
			e.write("stdout")
		}},
		{name: "several protocols to choose of", client: func(e *end) {
			e.write(ask("GET /", "Connection: Upgrade", "Upgrade: foo/2, bar"))
			e.answer("GET")
			e.bytes(2)
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("101 Switching Protocols", "Connection: Upgrade", "Upgrade: bar") + "hi")
		}},
		{name: "upgrade with a body", client: func(e *end) {
			e.write(ask("POST /", "Connection: Upgrade", "Upgrade: foo", "Content-Length: 4") + "body")
			e.answer("GET")
			e.write("raw")
			e.bytes(2)
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("101 Switching Protocols", "Connection: Upgrade", "Upgrade: foo"))
			e.bytes(3)
			e.write("hi")
		}},
		{name: "h2c is not upgraded to", say: ask("GET /a", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
			differs: []string{`-  http2-settings: "AAMAAABkAARAAAAAAAIAAAAA"`, `-  upgrade: "h2c"`}},
		{name: "switch that nobody asked for", client: func(e *end) {
			e.write(ask("GET /a"))
			e.saw.note("status %s", e.readHead().status())
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("101 Switching Protocols", "Connection: Upgrade"))
		}, differs: []string{"+status 502", "-status 101"}},
		{name: "switch to something else", client: func(e *end) {
			e.write(handshake)
			e.saw.note("status %s", e.readHead().status())
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("101 Switching Protocols", "Connection: Upgrade", "Upgrade: other"))
		}, differs: []string{"+status 502", "-status 101"}},
	}
}

// streamCases: what comes slowly is passed on at once. In each, one side waits
// for the other to have seen what came before.
func streamCases() []wireCase {
	return []wireCase{
		{name: "server-sent events come one by one", client: func(e *end) {
			e.write(ask("GET /events", "Accept: text/event-stream"))
			e.answerHead()
			for range 3 {
				start := time.Now()
				e.line() // size
				e.line()
				e.line()
				e.line()
				if wait := time.Since(start); wait > 2*time.Second {
					e.saw.note("late")
				}
			}
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Content-Type: text/event-stream", "Cache-Control: no-cache", "Transfer-Encoding: chunked"))
			for i := range 3 {
				time.Sleep(100 * time.Millisecond)
				e.write(fmt.Sprintf("9\r\ndata: %d\n\n\r\n", i))
			}
			time.Sleep(100 * time.Millisecond)
			e.write("0\r\n\r\n")
		}},
		{name: "an event that waits for its reader", client: func(e *end) {
			e.write(ask("POST /", "Transfer-Encoding: chunked"))
			e.answerHead()
			for range 3 {
				e.line()
				e.line()
				e.write("2\r\ngo\r\n")
			}
			e.write("0\r\n\r\n")
		}, upstream: func(e *end) {
			e.requestHead()
			e.write(tell("200 OK", "Date: x", "Transfer-Encoding: chunked"))
			for range 3 {
				e.write("2\r\nab\r\n")
				e.bytes(7)
			}
			e.write("0\r\n\r\n")
		}},
		{name: "header long before the body", client: func(e *end) {
			e.write(ask("GET /"))
			h := e.answerHead()
			e.saw.note("header seen")
			e.body(h, true)
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Content-Length: 2"))
			time.Sleep(300 * time.Millisecond)
			e.write("ok")
		}},
		{name: "slow drip of a known length", client: func(e *end) {
			e.write(ask("GET /"))
			h := e.answerHead()
			e.body(h, true)
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Content-Length: 10"))
			for range 10 {
				time.Sleep(20 * time.Millisecond)
				e.write("x")
			}
		}},
		{name: "drip until the end of the connection", client: func(e *end) {
			e.write("GET / HTTP/1.0\r\nHost: shop.example\r\n\r\n")
			e.answerHead()
			for range 5 {
				e.bytes(1)
			}
			e.over()
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Connection: close"))
			for i := range 5 {
				time.Sleep(20 * time.Millisecond)
				e.write(fmt.Sprint(i))
			}
		}},
		{name: "chunk in pieces", client: func(e *end) {
			e.write(ask("GET /"))
			h := e.answerHead()
			e.body(h, true)
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Transfer-Encoding: chunked"))
			for _, part := range []string{"5", "\r\nhe", "llo", "\r", "\n", "0\r", "\n\r\n"} {
				time.Sleep(10 * time.Millisecond)
				e.write(part)
			}
		}},
		{name: "slow upload", client: func(e *end) {
			e.write(ask("POST /", "Content-Length: 20"))
			for range 20 {
				time.Sleep(10 * time.Millisecond)
				e.write("u")
			}
			e.answer("POST")
		}},
		{name: "nothing but a header for a while", patience: 10 * time.Second, client: func(e *end) {
			e.write(ask("GET /", "Accept: text/event-stream"))
			e.answerHead()
			e.saw.note("open")
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Content-Type: text/event-stream", "Transfer-Encoding: chunked"))
			e.over()
		}},
		{name: "client leaves a stream", client: func(e *end) {
			e.write(ask("GET /", "Accept: text/event-stream"))
			e.answerHead()
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Content-Type: text/event-stream", "Transfer-Encoding: chunked"))
			for range 500 {
				if _, err := e.Write([]byte(strings.Repeat("2\r\nab\r\n", 100))); err != nil {
					e.saw.note("the reader has gone")
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			e.saw.note("nobody said that the reader has gone")
		}},
	}
}
