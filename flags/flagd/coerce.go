package flagd

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// The values of rules are those of encoding/json: nil, bool, float64, string,
// []any and map[string]any. Between them rules convert as JavaScript does,
// which the JSON-logic reference is written in.

// plain makes a value of rules of anything that an evaluation context holds.
// What is within arrays and objects is made so when it is reached.
func plain(v any) any {
	switch v := v.(type) {
	case nil, string, bool, float64, []any, map[string]any:
		return v
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return reflected(v)
}

func reflected(v any) any {
	if _, own := v.(json.Marshaler); !own {
		switch r := reflect.ValueOf(v); r.Kind() {
		case reflect.Bool:
			return r.Bool()
		case reflect.String:
			return r.String()
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			return float64(r.Int())
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
			return float64(r.Uint())
		case reflect.Float32, reflect.Float64:
			return r.Float()
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out any
	if json.Unmarshal(text, &out) != nil {
		return nil
	}
	return out
}

// truthy is JSON-logic's: an empty array is false, and objects are true.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case float64:
		return v != 0 && !math.IsNaN(v)
	case []any:
		return len(v) > 0
	}
	return true
}

// toNumber is JavaScript's Number of what is neither array nor object.
func toNumber(v any) float64 {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	case string:
		return parseNumber(v)
	}
	return math.NaN()
}

// maxNumber is the longest text that is read as a number, in bytes.
const maxNumber = 1024

// parseNumber reads a whole text as JavaScript's Number does.
func parseNumber(s string) float64 {
	if len(s) > maxNumber {
		return math.NaN()
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return 0
	}
	if len(s) > 2 && s[0] == '0' && strings.ContainsRune("xXoObB", rune(s[1])) && !strings.Contains(s, "_") {
		if n, err := strconv.ParseUint(s, 0, 64); err == nil {
			return float64(n)
		}
		return math.NaN()
	}
	if n := numberPrefix(s); n < len(s) {
		return math.NaN()
	}
	return parsePrefix(s)
}

// parseFloat is JavaScript's: it reads as much of a text as is a number.
func parseFloat(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		s := strings.TrimLeft(v[:min(len(v), maxNumber)], " \t\n\r\v\f")
		return parsePrefix(s[:numberPrefix(s)])
	}
	return math.NaN()
}

func parsePrefix(s string) float64 {
	if s == "" {
		return math.NaN()
	}
	f, _ := strconv.ParseFloat(s, 64) // out of range is infinite, as in JavaScript
	return f
}

// numberPrefix returns how much of s is a decimal number or Infinity.
func numberPrefix(s string) int {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	if strings.HasPrefix(s[i:], "Infinity") {
		return i + len("Infinity")
	}
	digits := func() int {
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i - from
	}
	n := digits()
	if i < len(s) && s[i] == '.' {
		i++
		n += digits()
	}
	if n == 0 {
		return 0
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		mantissa := i
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if digits() == 0 {
			i = mantissa
		}
	}
	return i
}

// scalarText is JavaScript's String of what is neither array nor object, but
// nothing for null.
func scalarText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return formatNumber(v)
	}
	return ""
}

// formatNumber writes a number as JavaScript does.
func formatNumber(f float64) string {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	case abs >= 1e21 || abs < 1e-6:
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
		return mantissa + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// strictEqual is JavaScript's ===. No two arrays are the same.
func strictEqual(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case float64:
		b, ok := b.(float64)
		return ok && a == b
	case string:
		b, ok := b.(string)
		return ok && a == b
	}
	return false
}

// looseEqual is JavaScript's == of what is neither array nor object.
func looseEqual(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return x == y
		}
	}
	return toNumber(a) == toNumber(b)
}

// compare orders two values that are neither arrays nor objects as JavaScript
// does: -1, 0 or 1, and unordered if one is not a number.
func compare(a, b any) int {
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return strings.Compare(x, y)
		}
	}
	switch x, y := toNumber(a), toNumber(b); {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y:
		return 0
	}
	return unordered
}

const unordered = 2
