package compare

import (
	"bytes"
	"strconv"
	"time"
)

var layouts = [...]string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999 -0700 MST",
	"2006-01-02T15:04:05.999999999-0700",
	"2006-01-02 15:04:05 MST",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02 15:04",
	"2006-01-02",
	time.RFC1123,
	time.RFC1123Z,
}

// instant reads a value of class time, date or unix time. A time without a
// zone is taken for UTC, on both sides alike.
func instant(s []byte, c Class) (time.Time, bool) {
	s = bytes.TrimSpace(s)
	if c == ClassUnix {
		f, err := strconv.ParseFloat(string(s), 64) // a class, not an equality: 53 bits do
		if err != nil {
			return time.Time{}, false
		}
		if f >= 1e12 {
			f /= 1000
		}
		return time.Unix(0, int64(f*1e9)), true
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, string(s)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// within says whether two times are no further apart than skew.
func within(a, b time.Time, skew time.Duration) bool {
	d := a.Sub(b)
	return d >= -skew && d <= skew
}
