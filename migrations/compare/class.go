package compare

import (
	"bytes"
	"time"
)

// A Type is what a value is in its format.
type Type string

// The types.
const (
	TypeNone    Type = "none"
	TypeNull    Type = "null"
	TypeBool    Type = "bool"
	TypeNumber  Type = "number"
	TypeString  Type = "string"
	TypeArray   Type = "array"
	TypeObject  Type = "object"
	TypeElement Type = "element" // of HTML or XML
	TypeBinary  Type = "binary"
)

// A Class is what a value looks like.
type Class string

// The classes. A value has exactly one.
const (
	ClassAbsent   Class = "absent"
	ClassNull     Class = "null"
	ClassTrue     Class = "true"
	ClassFalse    Class = "false"
	ClassEmpty    Class = "empty"   // "", [] or {}
	ClassZero     Class = "zero"    // the number
	ClassInteger  Class = "integer" // above zero
	ClassDecimal  Class = "decimal" // above zero, with a fraction
	ClassNegative Class = "negative"
	ClassUnix     Class = "unix time" // a number of seconds or milliseconds between 2001 and 2065
	ClassTime     Class = "time"      // RFC 3339, or as in HTTP
	ClassDate     Class = "date"
	ClassUUID     Class = "uuid"
	ClassHex      Class = "hex"     // 16 hex digits and more
	ClassToken    Class = "token"   // 16 and more letters and digits that say nothing
	ClassDigits   Class = "digits"  // a string of digits
	ClassNumeric  Class = "numeric" // a string with a number in it
	ClassEmail    Class = "email"
	ClassURL      Class = "url"
	ClassWord     Class = "word"
	ClassText     Class = "text"
	ClassArray    Class = "array"
	ClassObject   Class = "object"
	ClassElement  Class = "element"
	ClassBinary   Class = "binary"
)

// volatile says whether values of the class are expected to differ between
// two equally good answers, as long as nothing has been learned.
func (c Class) volatile() bool {
	switch c {
	case ClassTime, ClassUnix, ClassUUID, ClassHex, ClassToken:
		return true
	}
	return false
}

// opaque says whether a key or a path segment of the class names one thing of
// many rather than a member.
func (c Class) opaque() bool {
	switch c {
	case ClassUUID, ClassHex, ClassToken, ClassDigits, ClassDate, ClassTime, ClassEmail:
		return true
	}
	return false
}

// classOf a string.
func classOf(s []byte) Class {
	s = bytes.TrimSpace(s)
	if len(s) == 0 {
		return ClassEmpty
	}
	if len(s) > 4096 {
		return ClassText
	}
	var digits, letters, hexes, spaces, others, at, slashes int
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
			hexes++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			letters++
			hexes++
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80:
			letters++
		case c == ' ' || c == '\n' || c == '\t':
			spaces++
		case c == '@':
			at++
		case c == '/':
			slashes++
		case c == '-' || c == '_' || c == '.' || c == '=' || c == '+' || c == '~' || c == ':':
		default:
			others++
		}
	}
	n := len(s)
	switch {
	case digits == n:
		return ClassDigits
	case n == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' && hexes == 32:
		return ClassUUID
	case digits >= 6 && n >= 10 && isDate(s):
		if n == 10 {
			return ClassDate
		}
		return ClassTime
	case digits >= 11 && n >= 24 && isHTTPDate(s):
		return ClassTime
	case isNumber(s):
		return ClassNumeric
	case spaces > 0 || others > 0:
		return ClassText
	case at == 1 && letters > 0 && s[0] != '@' && s[n-1] != '@':
		return ClassEmail
	case bytes.HasPrefix(s, []byte("http://")) || bytes.HasPrefix(s, []byte("https://")) || s[0] == '/' && n > 1 && slashes*16 > n:
		return ClassURL
	case hexes == n && n >= 16 && digits > 0 && letters > 0:
		return ClassHex
	case n >= 16 && at == 0 && digits > 0 && letters > 0 && digits+letters > n/2 && isToken(s):
		return ClassToken
	case slashes > 0:
		return ClassURL
	}
	return ClassWord
}

// isToken tells a token from words joined by dashes, such as a slug: letters
// and digits, or capitals and small letters, change often.
func isToken(s []byte) bool {
	changes := 0
	last := byte(0)
	for _, c := range s {
		kind := byte(0)
		switch {
		case c >= '0' && c <= '9':
			kind = 1
		case c >= 'a' && c <= 'z':
			kind = 2
		case c >= 'A' && c <= 'Z':
			kind = 3
		}
		if kind != last && kind != 0 && last != 0 {
			changes++
		}
		last = kind
	}
	return changes >= 3
}

// classOfNumber, given as JSON writes it.
func classOfNumber(s []byte) Class {
	neg, fraction, zero := false, false, true
	whole := 0 // digits before the point
	for i, c := range s {
		switch {
		case c == '-' && i == 0:
			neg = true
		case c == '.' || c == 'e' || c == 'E':
			fraction = true
		case c >= '1' && c <= '9':
			zero = false
			fallthrough
		case c == '0':
			if !fraction {
				whole++
			}
		}
	}
	switch {
	case zero:
		return ClassZero
	case neg:
		return ClassNegative
	case !bytes.ContainsAny(s, "eE") && (whole == 10 && s[0] >= '1' && s[0] <= '2' || whole == 13 && s[0] >= '1' && s[0] <= '2'):
		return ClassUnix
	case fraction:
		return ClassDecimal
	}
	return ClassInteger
}

// isDate says whether s begins like 2006-01-02 and goes on, if it does, with
// a time of day.
func isDate(s []byte) bool {
	if s[4] != '-' || s[7] != '-' || !allDigits(s[:4]) || !allDigits(s[5:7]) || !allDigits(s[8:10]) {
		return false
	}
	if len(s) == 10 {
		return true
	}
	return len(s) >= 16 && len(s) <= 40 && (s[10] == 'T' || s[10] == 't' || s[10] == ' ') &&
		allDigits(s[11:13]) && s[13] == ':' && allDigits(s[14:16])
}

func isHTTPDate(s []byte) bool {
	_, err := time.Parse(time.RFC1123, string(s))
	if err != nil && len(s) < 40 {
		_, err = time.Parse(time.RFC1123Z, string(s))
	}
	return err == nil
}

func allDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) > 0
}
