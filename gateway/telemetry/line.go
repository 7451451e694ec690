package telemetry

import (
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"
)

// line is one line of the access log as it is being written: a JSON object
// like those of slog's JSON handler.
type line []byte

// appendRequest writes the line of a request, key by key in a fixed order.
// Keys without a value are left out, save those that every request has.
func (l line) appendRequest(tr *Trace, x *Exchange) line {
	l = append(l, `{"time":"`...)
	l = x.end().AppendFormat(l, time.RFC3339Nano)
	l = append(l, `","level":"INFO","msg":"request","trace_id":"`...)
	l = hex.AppendEncode(l, tr.TraceID[:])
	l = append(l, `","span_id":"`...)
	l = hex.AppendEncode(l, tr.Server[:])
	l = append(l, '"')
	l = l.text("request_id", x.RequestID, 128)

	l = l.text("method", x.Method, 64)
	l = l.text("scheme", x.Scheme, 16)
	l = l.text("host", x.Host, 255)
	l = l.text("path", targetPath(x.Target), 2048)
	l = l.text("proto", x.Proto, 16)
	l = l.text("client", x.ClientAddr, 128)
	if x.Peer != x.ClientAddr {
		l = l.text("peer", x.Peer, 128)
	}
	l = l.text("user_agent", x.UserAgent, 512)

	l = l.text("route", x.RouteID, 255)
	if x.Migration != "" {
		l = l.text("migration", x.Migration, 255)
		l = l.text("flag", x.Flag, 255)
		l = l.text("stage", string(x.Stage), 16)
		l = l.text("side", string(x.Side), 16)
		l = l.text("variant", x.Variant, 64)
		l = l.text("reason", x.Reason, 64)
		l = l.text("cohort", x.Cohort, 128)
		if x.KeySource != "" {
			l = l.text("key_source", x.KeySource, 128)
			l = l.text("key_hash", keyHash(x.KeyHash), 16)
			l = l.number("bucket", int64(x.Bucket))
		}
	}

	if x.Upstream != "" {
		l = l.text("upstream", x.Upstream, 255)
		l = l.text("endpoint", x.Endpoint, 255)
	}
	l = l.number("attempts", int64(x.Attempts))
	l = l.text("fallback", x.Fallback, 128)
	l = l.number("status", int64(x.Status))
	l = l.text("err", x.ErrKind, 64)
	l = l.text("err_detail", x.Err, 1024)
	if x.Upgraded {
		l = append(l, `,"upgraded":true`...)
	}
	l = l.number("bytes_in", x.BytesIn)
	l = l.number("bytes_out", x.BytesOut)

	l = l.millis("match_ms", x.Match)
	l = l.millis("decide_ms", x.Decide)
	l = l.millis("queue_ms", x.Queue)
	l = l.millis("connect_ms", x.Connect)
	l = l.millis("first_byte_ms", x.FirstByte)
	l = l.millis("total_ms", x.Total)
	return append(l, "}\n"...)
}

// appendDropped writes the line that says how many lines there should have been.
func (l line) appendDropped(at time.Time, n uint64) line {
	l = append(l, `{"time":"`...)
	l = at.AppendFormat(l, time.RFC3339Nano)
	l = append(l, `","level":"WARN","msg":"access log lines dropped: the sink is slower than the traffic"`...)
	l = l.number("dropped", int64(n))
	return append(l, "}\n"...)
}

func (l line) key(k string) line {
	l = append(l, `,"`...)
	l = append(l, k...)
	return append(l, `":`...)
}

func (l line) number(k string, n int64) line {
	return strconv.AppendInt(l.key(k), n, 10)
}

// millis writes a duration in milliseconds, to the microsecond.
func (l line) millis(k string, d time.Duration) line {
	us := int64(max(d, 0) / time.Microsecond)
	l = strconv.AppendInt(l.key(k), us/1000, 10)
	if us %= 1000; us > 0 {
		l = append(l, '.', byte('0'+us/100), byte('0'+us/10%10), byte('0'+us%10))
	}
	return l
}

// text writes a string of at most limit bytes, or nothing if it is empty.
func (l line) text(k, s string, limit int) line {
	if s == "" {
		return l
	}
	cut := len(s) > limit
	if cut {
		s = s[:limit]
	}
	l = append(l.key(k), '"')
	l = l.escaped(s)
	if cut {
		l = append(l, "…"...)
	}
	return append(l, '"')
}

// escaped writes the inside of a JSON string. Invalid UTF-8 becomes U+FFFD;
// U+2028 and U+2029 are escaped for readers that take JSON for JavaScript, and
// so is DEL for terminals.
func (l line) escaped(s string) line {
	const digits = "0123456789abcdef"
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			if r, size = utf8.DecodeRuneInString(s[i:]); size > 1 && r > 0x9f && r != '\u2028' && r != '\u2029' {
				i += size
				continue
			}
		}
		l = append(l, s[done:i]...)
		switch {
		case c == '"', c == '\\':
			l = append(l, '\\', c)
		default:
			l = append(l, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
		}
		i += size
		done = i
	}
	return append(l, s[done:]...)
}
