package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// percent writes a share, 0 to 1, with as many digits as it deserves.
func percent(share float64) string {
	p := share * 100
	switch {
	case math.IsNaN(p) || p <= 0:
		return "0 %"
	case p < 0.1:
		return fmt.Sprintf("%.2g %%", p)
	case p < 10 && p != math.Trunc(p):
		return fmt.Sprintf("%.1f %%", p)
	case p > 99 && p < 100:
		return fmt.Sprintf("%.1f %%", math.Floor(p*10)/10) // 100 is said of all only
	}
	return fmt.Sprintf("%.0f %%", p)
}

// count writes a number with its thousands apart.
func count[T ~int | ~int64 | ~uint64 | ~uint32](n T) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "−", digits[1:]
	}
	var parts []string
	for len(digits) > 3 {
		parts = append([]string{digits[len(digits)-3:]}, parts...)
		digits = digits[:len(digits)-3]
	}
	return sign + strings.Join(append([]string{digits}, parts...), ",")
}

// perSecond writes a rate.
func perSecond(rate float64) string {
	switch {
	case rate <= 0 || math.IsNaN(rate):
		return "0"
	case rate < 10:
		return fmt.Sprintf("%.1f", rate)
	}
	return count(int64(math.Round(rate)))
}

// millis writes a latency; zero is not known.
func millis(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case d <= 0:
		return "–"
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", ms/1000)
}

// span writes a length of time with its two largest units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return two(d, time.Minute, "min", time.Second, "s")
	case d < 48*time.Hour:
		return two(d, time.Hour, "h", time.Minute, "min")
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

func two(d, large time.Duration, name string, small time.Duration, rest string) string {
	if r := d % large / small; r > 0 && d/large < 10 {
		return fmt.Sprintf("%d %s %d %s", d/large, name, r, rest)
	}
	return fmt.Sprintf("%d %s", d/large, name)
}

// ago says how long before now something was.
func ago(now, then time.Time) string {
	switch d := now.Sub(then); {
	case then.IsZero():
		return "never"
	case d < 2*time.Second:
		return "just now"
	case d < 48*time.Hour:
		return largest(d) + " ago"
	default:
		return fmt.Sprintf("%d days ago", d/(24*time.Hour))
	}
}

func largest(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d h", d/time.Hour)
}
