package telemetry

import "encoding/hex"

// Trace flags of the W3C recommendation, and of its level 2.
const (
	flagSampled = 1 << 0
	flagRandom  = 1 << 1
)

const traceparentLen = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

// parseTraceparent reads one header value as the W3C recommendation Trace
// Context says (section 3.2): lower-case hex only, no zero ids, version ff is
// invalid, version 00 has exactly four fields, and later versions are read by
// their first four. Flags that this version does not know are dropped.
func parseTraceparent(v string) (traceID [16]byte, parent [8]byte, flags byte, ok bool) {
	if len(v) < traceparentLen || v[2] != '-' || v[35] != '-' || v[52] != '-' {
		return traceID, parent, 0, false
	}
	var version, f [1]byte
	if !parseHex(version[:], v[:2]) || !parseHex(traceID[:], v[3:35]) ||
		!parseHex(parent[:], v[36:52]) || !parseHex(f[:], v[53:55]) {
		return traceID, parent, 0, false
	}
	switch {
	case version[0] == 0xff,
		version[0] == 0 && len(v) != traceparentLen,
		len(v) > traceparentLen && v[traceparentLen] != '-',
		traceID == [16]byte{},
		parent == [8]byte{}:
		return traceID, parent, 0, false
	}
	return traceID, parent, f[0] & (flagSampled | flagRandom), true
}

func formatTraceparent(traceID [16]byte, span [8]byte, flags byte) string {
	var b [traceparentLen]byte
	b[0], b[1], b[2], b[35], b[52] = '0', '0', '-', '-', '-'
	hex.Encode(b[3:35], traceID[:])
	hex.Encode(b[36:52], span[:])
	hex.Encode(b[53:55], []byte{flags})
	return string(b[:])
}

// parseHex decodes lower-case hex into dst, whose length fits.
func parseHex(dst []byte, s string) bool {
	for i := range dst {
		hi, lo := hexDigit(s[2*i]), hexDigit(s[2*i+1])
		if hi > 15 || lo > 15 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}
