package gateway

import "strings"

// targetCases: the request target goes on byte for byte.
func targetCases() []wireCase {
	var cases []wireCase
	for name, target := range map[string]string{
		"root":                        "/",
		"two slashes":                 "//a",
		"two slashes and an at":       "//user@host/a",
		"dot segments":                "/a/../b/./c",
		"escaped slash":               "/a%2Fb%2fc",
		"escaped dots":                "/%2e%2E/a",
		"semicolons":                  "/a;v=1;w/b;c",
		"bare question mark":          "/a?",
		"semicolon in the query":      "/a?a;b=1;c",
		"unparsable query":            "/a?%zz&a=%",
		"question mark in the query":  "/a?b?c=d??",
		"plus and spaces":             "/a+b%20c?d+e%20f",
		"query with brackets":         "/a?b[]=1&b[]=2",
		"unescaped marks":             "/a|b\"c<d>{e}^`\\f",
		"bytes above ASCII":           "/caf\xc3\xa9/\xff?q=\xfe",
		"colon in the first segment":  "/a:b/c:80",
		"absolute form":               "http://shop.example/a/../b?c",
		"absolute form without path":  "http://shop.example",
		"absolute form of other host": "http://other.example:81//a?b",
		"long query":                  "/a?" + strings.Repeat("q", 8<<10),
		"hash":                        "/a#b",
		"encoded null":                "/a%00b",
		"empty segments and a dot":    "/.//..//",
		"equals and ampersands":       "/?&&=&a==b&",
	} {
		c := wireCase{name: "target " + name, say: ask("GET " + target)}
		if name == "absolute form of other host" {
			c.differs = []string{`+  host: "other.example:81"`, `-  host: "shop.example"`}
		}
		cases = append(cases, c)
	}
	return append(cases,
		wireCase{name: "OPTIONS asterisk", say: ask("OPTIONS *")},
		wireCase{name: "target broken escape", say: ask("GET /a%zz"), refused: 400},
		wireCase{name: "target with a space", say: ask("GET /a b"), refused: 400},
		wireCase{name: "target relative", say: ask("GET a/b"), refused: 400},
		wireCase{name: "target with a control byte", say: ask("GET /a\x01b"), refused: 400},
	)
}

// methodCases: all methods, also those that nobody has heard of.
func methodCases() []wireCase {
	var cases []wireCase
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW", "M-SEARCH", "get", "QUERY"} {
		cases = append(cases, wireCase{name: "method " + method, say: ask(method + " /a")})
	}
	for _, method := range []string{"GET", "DELETE", "PATCH", "REPORT"} {
		cases = append(cases, wireCase{name: "method " + method + " with a body", say: ask(method+" /a", "Content-Length: 4") + "body"})
	}
	return append(cases,
		wireCase{name: "HEAD with the length of GET", say: ask("HEAD /a"), tell: tell("200 OK", "Date: x", "Content-Type: text/plain", "Content-Length: 12345")},
		wireCase{name: "HEAD of a chunked page", say: ask("HEAD /a"), tell: tell("200 OK", "Date: x", "Transfer-Encoding: chunked")},
		wireCase{name: "HEAD then GET on one connection", say: ask("HEAD /a") + ask("GET /b"), client: func(e *end) {
			e.write(ask("HEAD /a"))
			e.answer("HEAD")
			e.write(ask("GET /b"))
			e.answer("GET")
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("200 OK", "Date: x", "Content-Length: 2"))
			if e.request() {
				e.write(plainAnswer)
			}
		}},
		wireCase{name: "CONNECT accepted", say: "CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n\r\n", client: func(e *end) {
			e.write("CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n\r\n")
			e.answer("CONNECT")
			e.write("ping")
			e.bytes(4)
		}, upstream: func(e *end) {
			e.request()
			e.write(tell("200 Connection established"))
			e.bytes(4)
			e.write("pong")
		}},
		wireCase{name: "CONNECT refused", say: "CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n\r\n", tell: tell("405 Method Not Allowed", "Date: x", "Allow: GET", "Content-Length: 2") + "no"},
	)
}
