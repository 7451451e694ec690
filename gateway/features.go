package gateway

import (
	"net/http"
	"strings"
)

// Bounds of what one request is described by. Names beyond them are left out.
const (
	maxHeaderNames = 24
	maxCookieNames = 16
	maxQueryNames  = 8
	maxNameBytes   = 64
	maxPathBytes   = 512
)

// commonHeaders are fields that every browser or proxy sends, or whose content
// is a feature of its own. The names of all others are features.
var commonHeaders = map[string]bool{
	"Accept": true, "Accept-Charset": true, "Accept-Encoding": true, "Accept-Language": true, "Alt-Used": true, "Baggage": true,
	"Cache-Control": true, "Connection": true, "Content-Length": true, "Content-Type": true, "Cookie": true, "Date": true, "Dnt": true,
	"Forwarded": true, "Host": true, "Keep-Alive": true, "Pragma": true, "Priority": true, "Referer": true, "Te": true,
	"Traceparent": true, "Tracestate": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade-Insecure-Requests": true,
	"User-Agent": true, "Via": true, "X-Real-Ip": true, "X-Request-Id": true,
}

func isCommonHeader(name string) bool {
	return commonHeaders[name] || strings.HasPrefix(name, "Sec-") || strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "Proxy-")
}

// appendFeatures appends what a request is like, a feature a line: names of
// header fields, cookies and query parameters, and classes of sizes, but no
// value that a user has sent. What is known of it elsewhere (its method, path,
// route and upstream) is added when somebody asks.
func appendFeatures(b []byte, r *http.Request, bodyBytes int64, scheme string) []byte {
	feature := func(kind, value string) { b = append(append(append(b, kind...), value...), '\n') }
	n := 0
	for name := range r.Header {
		if n == maxHeaderNames {
			break
		}
		if !isCommonHeader(name) {
			b = appendName(b, "header:", name)
			n++
		}
	}
	n, cookieBytes := 0, 0
	for _, line := range r.Header["Cookie"] {
		cookieBytes += len(line)
		for pair := range strings.SplitSeq(line, ";") {
			if n == maxCookieNames {
				break
			}
			name, _, _ := strings.Cut(pair, "=")
			b = appendName(b, "cookie:", strings.TrimSpace(name))
			n++
		}
	}
	if cookieBytes >= 4<<10 {
		feature("cookies=", "4 KiB or more")
	}
	n = 0
	for query := r.URL.RawQuery; query != "" && n < maxQueryNames; n++ {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, _, _ := strings.Cut(pair, "=")
		b = appendName(b, "query:", name)
	}
	if len(r.RequestURI) >= 2<<10 {
		feature("url=", "2 KiB or more")
	}
	for _, class := range [...]struct {
		bytes int64
		text  string
	}{{1, "1 byte or more"}, {4 << 10, "4 KiB or more"}, {64 << 10, "64 KiB or more"}, {1 << 20, "1 MiB or more"}} {
		if max(bodyBytes, r.ContentLength) >= class.bytes {
			feature("size=", class.text)
		}
	}
	if media, _, _ := strings.Cut(first(r.Header["Content-Type"]), ";"); media != "" {
		b = appendName(b, "type=", strings.TrimSpace(media))
	}
	if tag := localeOf(first(r.Header["Accept-Language"])); tag != "" {
		feature("locale=", tag)
	}
	if r.ProtoMajor > 1 {
		feature("http=", "2")
	} else {
		feature("http=", "1")
	}
	if scheme != "" {
		feature("scheme=", scheme)
	}
	return b
}

// appendName appends a feature that is a name, if it looks like one. Parts of
// it that look like ids are told as {id}: some applications put the id of a
// session, or a hash of a user's name, into the name of a cookie.
func appendName(b []byte, kind, name string) []byte {
	if name == "" {
		return b
	}
	name = name[:min(len(name), maxNameBytes)]
	for i := range len(name) {
		if c := name[i]; !isAlphanumeric(c) && !strings.ContainsRune("-_.[]/+", rune(c)) {
			return b
		}
	}
	b = append(b, kind...)
	for i := 0; i < len(name); {
		end, digits := i, 0
		for end < len(name) && isAlphanumeric(name[end]) {
			if name[end] <= '9' {
				digits++
			}
			end++
		}
		switch {
		case end == i:
			b = append(b, name[i])
			end++
		case digits >= 4 || end-i > 32:
			b = append(b, "{id}"...)
		default:
			b = append(b, name[i:end]...)
		}
		i = end
	}
	return append(b, '\n')
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// localeOf returns the language of the first choice of Accept-Language, in
// lower case; empty: there is none.
func localeOf(accept string) string {
	end := 0
	for end < len(accept) && (accept[end]|0x20 >= 'a' && accept[end]|0x20 <= 'z') {
		end++
	}
	if end < 2 || end > 3 || end < len(accept) && !strings.ContainsRune("-,; ", rune(accept[end])) {
		return ""
	}
	return strings.ToLower(accept[:end])
}
