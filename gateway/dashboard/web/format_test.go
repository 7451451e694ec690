package web

import (
	"testing"
	"time"
)

func TestNumbersAsPeopleReadThem(t *testing.T) {
	for got, want := range map[string]string{
		percent(0): "0 %", percent(0.00001): "0.001 %", percent(0.05): "5 %", percent(0.056): "5.6 %", percent(0.9999): "99.9 %", percent(1): "100 %",
		count(0): "0", count(999): "999", count(1000): "1,000", count(1234567): "1,234,567", count(-1234): "−1,234",
		perSecond(0): "0", perSecond(0.44): "0.4", perSecond(1234.4): "1,234",
		millis(0): "–", millis(1500 * time.Microsecond): "1.5 ms", millis(250 * time.Millisecond): "250 ms", millis(2500 * time.Millisecond): "2.5 s",
		span(59 * time.Second): "59 s", span(90 * time.Second): "1 min 30 s", span(3 * time.Hour): "3 h", span(72 * time.Hour): "3 days",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAGuessHasTwoDigits(t *testing.T) {
	for v, want := range map[float64]int{0: 0, 7.4: 7, 99: 99, 123: 120, 1987: 2000, 65536: 66000} {
		if got := round2(v); got != want {
			t.Errorf("%v: %d, want %d", v, got, want)
		}
	}
}
