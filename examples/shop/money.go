package shop

import (
	"fmt"
	"strconv"
	"strings"
)

// Money is an amount in cents. As JSON it is a number with two decimals.
type Money int64

// String writes the amount as 12.50.
func (m Money) String() string {
	if m < 0 {
		return "-" + (-m).String()
	}
	return fmt.Sprintf("%d.%02d", int64(m)/100, int64(m)%100)
}

// MarshalJSON writes the amount as a number.
func (m Money) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalJSON reads a number with up to two decimals.
func (m *Money) UnmarshalJSON(text []byte) error {
	whole, cents, _ := strings.Cut(string(text), ".")
	if len(cents) > 2 {
		return fmt.Errorf("%s is finer than a cent", text)
	}
	n, err := strconv.ParseInt(whole+cents+"00"[len(cents):], 10, 64)
	if err != nil {
		return fmt.Errorf("%s is not an amount", text)
	}
	*m = Money(n)
	return nil
}
