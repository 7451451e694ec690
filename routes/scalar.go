package routes

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A scalar is a value that is written as one text of its own form. Set must
// not repeat the text in its error: it may hold a secret.
type scalar interface {
	set(text string) error
	form() string // what it should look like, for a hint
}

// A Duration is written as 1s, 500ms or 10m; 0 needs no unit.
type Duration time.Duration

func (d *Duration) set(text string) error {
	v, err := time.ParseDuration(text)
	switch {
	case err != nil && isNumber(text):
		return errors.New("has no unit")
	case err != nil:
		return errors.New("is not a duration")
	case v < 0:
		return errors.New("is negative")
	case v > 365*24*time.Hour:
		return errors.New("is more than a year")
	}
	*d = Duration(v)
	return nil
}

func (d *Duration) form() string { return "write a duration as 500ms, 1s or 10m" }

// A Percent is a part of a whole, 1 for 100%; it is written as 5% or 0.1%.
type Percent float64

func (p *Percent) set(text string) error {
	number, ok := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	switch {
	case err != nil || math.IsNaN(v) || math.IsInf(v, 0):
		return errors.New("is not a percentage")
	case !ok:
		return errors.New("has no percent sign")
	case v < 0:
		return errors.New("is negative")
	}
	// Divided as decimals, so that 0.1% is the float nearest to 0.001.
	*p = Percent(v / 100)
	return nil
}

func (p *Percent) form() string { return "write a percentage as 5% or 0.1%" }

// A Share is a number of buckets; it is written as 5% or 0.001%.
type Share int

func (s *Share) set(text string) error {
	n, err := migrations.ParsePercent(text)
	if err == nil {
		*s = Share(n)
		return nil
	}
	var p Percent
	switch err := p.set(text); {
	case err != nil:
		return err
	case p > 1:
		return errors.New("is more than 100%")
	}
	return errors.New("is finer than 0.001%")
}

func (s *Share) form() string { return "write a share from 0.001% to 100% as 5%" }

// Bytes is a size; it is written as 512, 64KiB, 10MiB or 2GiB.
type Bytes int64

var byteUnits = []struct {
	suffix string
	size   int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

func (b *Bytes) set(text string) error {
	for _, u := range byteUnits {
		number, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		switch {
		case err != nil:
			return errors.New("is not a size")
		case n < 0:
			return errors.New("is negative")
		case n > math.MaxInt64/u.size:
			return errors.New("is too large")
		}
		*b = Bytes(n * u.size)
		return nil
	}
	return errors.New("is not a size")
}

func (b *Bytes) form() string { return "write a size in bytes as 64KiB, 10MiB or 2GiB" }

// Harm is a number of failed requests; it is written as 20, or off. 0 is the
// default rule, −1 none.
type Harm int

func (h *Harm) set(text string) error {
	if text == "off" {
		*h = -1
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return errors.New("is not a number of requests")
	}
	*h = Harm(n)
	return nil
}

func (h *Harm) form() string { return "write a number of requests as 20, or off" }

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}
