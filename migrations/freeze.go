package migrations

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Freeze is a time in which no ramp moves forward: every week the same, or
// once. Rollbacks don't heed it. [ParseFreeze] makes one; the zero value is
// never.
type Freeze struct {
	from, to, zone, why string // as written
	weekly              bool
	begin, end          time.Duration // weekly: since Sunday, 00:00
	first, last         time.Time     // once
	location            *time.Location
}

// ParseFreeze reads "Fri 16:00" and "Mon 08:00", or "2026-12-23" and
// "2027-01-02 08:00", in a time zone such as "Europe/Berlin"; empty is UTC. A
// day without an hour begins at midnight; as the end of a freeze it is over
// by then.
func ParseFreeze(from, to, zone, why string) (Freeze, error) {
	f := Freeze{from: from, to: to, zone: zone, why: why}
	var err error
	if f.location, err = time.LoadLocation(zone); err != nil {
		return f, fmt.Errorf("no time zone %q", zone)
	}
	begin, weekly, err := weekTime(from)
	if err != nil {
		return f, err
	}
	end, weeklyToo, err := weekTime(to)
	switch {
	case err != nil:
		return f, err
	case weekly != weeklyToo:
		return f, fmt.Errorf("%q and %q are not both days of the week or both dates", from, to)
	case weekly:
		f.weekly, f.begin, f.end = true, begin, end
		if begin == end {
			return f, fmt.Errorf("it begins and ends at %q", from)
		}
		return f, nil
	}
	if f.first, err = date(from, f.location); err == nil {
		f.last, err = date(to, f.location)
	}
	if err == nil && !f.first.Before(f.last) {
		err = fmt.Errorf("%q is not after %q", to, from)
	}
	return f, err
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// weekTime reads "Fri 16:00" as the time since Sunday; weekly is false if the
// text does not begin with a day of the week.
func weekTime(text string) (since time.Duration, weekly bool, err error) {
	day, hour, _ := strings.Cut(strings.ToLower(strings.TrimSpace(text)), " ")
	for i, name := range weekdays {
		if !strings.HasPrefix(day, name) || !strings.HasPrefix(strings.ToLower(time.Weekday(i).String()), day) {
			continue
		}
		since = time.Duration(i) * 24 * time.Hour
		if hour != "" {
			at, err := time.Parse("15:04", strings.TrimSpace(hour))
			if err != nil {
				return 0, true, fmt.Errorf("%q has no hour such as 16:00", text)
			}
			since += time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
		}
		return since, true, nil
	}
	return 0, false, nil
}

func date(text string, in *time.Location) (time.Time, error) {
	for _, form := range []string{"2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(form, strings.TrimSpace(text), in); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a day of the week, as in Fri 16:00, nor a date, as in 2026-12-23", text)
}

// Holds reports whether the freeze is in force at a time.
func (f Freeze) Holds(at time.Time) bool {
	if !f.weekly {
		return !at.Before(f.first) && at.Before(f.last)
	}
	local := at.In(f.location)
	since := time.Duration(local.Weekday())*24*time.Hour + time.Duration(local.Hour())*time.Hour +
		time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second
	if f.begin < f.end {
		return since >= f.begin && since < f.end
	}
	return since >= f.begin || since < f.end
}

// String says when the freeze is, and why: "from Fri 16:00 to Mon 08:00
// (Europe/Berlin): nobody is there".
func (f Freeze) String() string {
	text := fmt.Sprintf("from %s to %s", f.from, f.to)
	if f.zone != "" {
		text += " (" + f.zone + ")"
	}
	if f.why != "" {
		text += ": " + f.why
	}
	return text
}

// Equal reports whether both were written the same.
func (f Freeze) Equal(o Freeze) bool {
	return f.from == o.from && f.to == o.to && f.zone == o.zone && f.why == o.why
}

// MarshalJSON writes the freeze as it was written, so that it counts in
// [Plan.Hash].
func (f Freeze) MarshalJSON() ([]byte, error) {
	return json.Marshal([]string{f.from, f.to, f.zone, f.why})
}
