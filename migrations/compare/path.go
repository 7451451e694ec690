package compare

import (
	"bytes"
	"strconv"
)

// A step leads from a value to one that it holds.
type step struct {
	name  []byte // of a member, attribute or element
	index int32  // in an array; −1: step by name
	ord   int32  // of an element: which of its name, from 0
	form  stepForm
}

type stepForm uint8

const (
	byIndex stepForm = iota
	byName
	byAttribute
	byElement
	byText // the text of an element
)

// appendTemplate writes the path with every index as [*] and every key that
// names one thing of many as *.
func appendTemplate(dst []byte, root string, steps []step) []byte {
	dst = append(dst, root...)
	for i := range steps {
		dst = steps[i].appendTo(dst, false)
	}
	return dst
}

// appendInstance writes the path with its indices. Keys that look like ids
// stay hidden, since a path is stored.
func appendInstance(dst []byte, root string, steps []step) []byte {
	dst = append(dst, root...)
	for i := range steps {
		dst = steps[i].appendTo(dst, true)
	}
	return dst
}

func (s *step) appendTo(dst []byte, instance bool) []byte {
	switch s.form {
	case byIndex:
		if !instance {
			return append(dst, "[*]"...)
		}
		return s.appendIndex(dst, s.index)
	case byAttribute:
		return append(append(dst, ".@"...), s.name...)
	case byText:
		return append(dst, ".text()"...)
	case byElement:
		dst = append(append(dst, '.'), s.name...)
		if instance && s.ord > 0 {
			dst = s.appendIndex(dst, s.ord)
		}
		return dst
	}
	return appendName(dst, s.name)
}

func (s *step) appendIndex(dst []byte, i int32) []byte {
	return append(strconv.AppendInt(append(dst, '['), int64(i), 10), ']')
}

func appendName(dst, name []byte) []byte {
	if opaqueKey(name) {
		return append(dst, ".*"...)
	}
	if bare(name) {
		return append(append(dst, '.'), name...)
	}
	if len(name) > 64 {
		name = name[:64]
	}
	dst = append(dst, "['"...)
	for _, c := range name {
		switch {
		case c == '\'' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '?')
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, "']"...)
}

// opaqueKey says whether a key names one of many, as in {"9f…": {…}}.
func opaqueKey(name []byte) bool {
	switch {
	case len(name) >= 8, allDigits(name):
		return classOf(name).opaque()
	}
	return bytes.IndexByte(name, '@') > 0 // no other class that is opaque is shorter
}

// bare says whether a name needs no quotes in a path.
func bare(name []byte) bool {
	for _, c := range name {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c == '$', c == '#', c == ':':
		default:
			return false
		}
	}
	return len(name) > 0 && len(name) <= 64
}
