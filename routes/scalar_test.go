package routes

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ficus-gateway/ficus/migrations"
)

func TestScalars(t *testing.T) {
	var d Duration
	var p Percent
	var s Share
	var b Bytes
	for text, want := range map[string]struct {
		into scalar
		is   func() bool
	}{
		"1m30s":   {&d, func() bool { return d.std() == 90*time.Second }},
		"0":       {&d, func() bool { return d == 0 }},
		"0.1%":    {&p, func() bool { return p == 0.001 }},
		"250 %":   {&p, func() bool { return p == 2.5 }},
		"0.001%":  {&s, func() bool { return s == 1 }},
		"100%":    {&s, func() bool { return s == migrations.Buckets }},
		"64KiB":   {&b, func() bool { return b == 65536 }},
		"2 GB":    {&b, func() bool { return b == 2e9 }},
		"8191PiB": {&b, nil}, "9000000000GiB": {&b, nil}, "-1": {&b, nil}, "1.5MiB": {&b, nil},
		"-1s": {&d, nil}, "5": {&d, nil}, "NaN%": {&p, nil}, "Inf%": {&p, nil}, "-1%": {&s, nil}, "1e400%": {&p, nil},
		"9000h": {&d, nil}, "100.001%": {&s, nil}, "0.0005%": {&s, nil}, "": {&s, nil}, "%": {&p, nil}, "KiB": {&b, nil},
	} {
		err := want.into.set(text)
		if ok := want.is != nil; ok != (err == nil) || ok && !want.is() {
			t.Errorf("%q as %T: %v", text, want.into, err)
		}
	}
}

// A share that is written by the program is read back as it was.
func TestSharesSurviveWriting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, migrations.Buckets).Draw(t, "buckets")
		var s Share
		if err := s.set(migrations.Percent(n)); err != nil || int(s) != n {
			t.Fatalf("%s became %d: %v", migrations.Percent(n), s, err)
		}
		var p Percent
		if err := p.set(migrations.Percent(n)); err != nil || math.Abs(float64(p)*migrations.Buckets-float64(n)) > 1e-6 {
			t.Fatalf("%s became %v: %v", migrations.Percent(n), p, err)
		}
	})
}
