package compare

import (
	"bytes"
	"mime"
	"strings"
	"unicode/utf8"
)

// A format is how a body is read.
type format uint8

const (
	formatNone format = iota // no body
	formatJSON
	formatLines // JSON texts one after the other
	formatHTML
	formatXML
	formatForm
	formatText
	formatBinary
	formatStream // text/event-stream, which is compared on status and headers only
)

var formatNames = [...]string{"none", "json", "json lines", "html", "xml", "form", "text", "binary", "event stream"}

func (f format) String() string { return formatNames[f] }

// media splits a Content-Type into its media type, lower case, and charset.
func media(contentType string) (kind, charset string) {
	if contentType == "" {
		return "", ""
	}
	switch contentType { // the common ones, without a parse
	case "application/json", "text/html", "text/plain":
		return contentType, ""
	case "application/json; charset=utf-8", "application/json;charset=UTF-8", "application/json; charset=UTF-8":
		return "application/json", "utf-8"
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(contentType, ";")
		return strings.ToLower(strings.TrimSpace(kind)), ""
	}
	return kind, strings.ToLower(params["charset"])
}

// formatOf a decoded body: what its media type says, or what it looks like.
func formatOf(kind string, body []byte) format {
	switch {
	case kind == "text/event-stream":
		return formatStream
	case len(bytes.TrimSpace(body)) == 0:
		return formatNone
	case kind == "application/json", strings.HasSuffix(kind, "+json"), kind == "text/json":
		if f := sniff(body, true); f == formatHTML || f == formatXML {
			return f // an error page that says it is JSON
		}
		return formatJSON
	case kind == "application/x-ndjson", kind == "application/jsonl", kind == "application/json-lines", kind == "application/json-seq":
		return formatLines
	case kind == "text/html":
		return formatHTML
	case kind == "application/xml", kind == "text/xml", strings.HasSuffix(kind, "+xml"):
		return formatXML
	case kind == "application/x-www-form-urlencoded":
		return formatForm
	case strings.HasPrefix(kind, "image/"), strings.HasPrefix(kind, "video/"), strings.HasPrefix(kind, "audio/"), strings.HasPrefix(kind, "font/"), kind == "application/pdf", kind == "application/zip":
		return formatBinary
	}
	return sniff(body, strings.HasPrefix(kind, "text/"))
}

func sniff(body []byte, text bool) format {
	head := bytes.TrimSpace(body[:min(len(body), 1024)])
	lower := bytes.ToLower(head[:min(len(head), 256)])
	switch {
	case len(head) > 0 && (head[0] == '{' || head[0] == '['):
		return formatJSON
	case bytes.HasPrefix(lower, []byte("<?xml")):
		return formatXML
	case bytes.HasPrefix(lower, []byte("<!doctype html")), bytes.HasPrefix(lower, []byte("<html")):
		return formatHTML
	case text:
		return formatText
	}
	part := body[:min(len(body), 4096)]
	if bytes.IndexByte(part, 0) >= 0 {
		return formatBinary
	}
	for len(part) > 0 {
		r, n := utf8.DecodeRune(part)
		if r == utf8.RuneError && n == 1 && len(part) > utf8.UTFMax {
			return formatBinary
		}
		part = part[n:]
	}
	return formatText
}
