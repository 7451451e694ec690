package flagd

import (
	"strings"
	"unicode/utf8"
)

// cat joins its arguments as texts; null is nothing.
func cat(c *compiler, o call) expression {
	args := c.compileArgs(o)
	return expression{
		eval: func(r *run) any {
			var b strings.Builder
			for _, a := range args {
				r.write(&b, a.eval(r), 0)
			}
			return b.String()
		},
		size: sizeOf(args),
	}
}

// substr takes the characters from a start, from the end if negative, as many
// as a length says; a negative length leaves off that many at the end.
func substr(c *compiler, o call) expression {
	args := c.compileArgs(o)
	source, start, length := arg(args, 0), arg(args, 1), arg(args, 2)
	return expression{
		eval: func(r *run) any {
			text := r.text(source.eval(r))
			if !r.spend(1 + len(text)>>6) {
				return nil
			}
			n := utf8.RuneCountInString(text)
			from := whole(r.number(start.eval(r)), n)
			if from < 0 {
				from = max(0, n+from)
			}
			to := n
			if len(args) > 2 {
				if l := whole(r.number(length.eval(r)), n); l < 0 {
					to = n + l
				} else {
					to = min(n, from+l)
				}
			}
			if from >= to {
				return ""
			}
			return text[offset(text, from):offset(text, to)]
		},
		size: sizeOf(args),
	}
}

// whole cuts a number off to an integer between -most and most; what is not a
// number is 0.
func whole(f float64, most int) int {
	switch m := float64(most); {
	case f >= m:
		return most
	case f <= -m:
		return -most
	case f != f:
		return 0
	}
	return int(f)
}

// offset returns where the n-th character of a text begins.
func offset(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

// ascii builds lower and upper: they move the letters from first to last to
// the other case. Others keep theirs, which is the same in all languages.
func ascii(first, last byte) func(*compiler, call) expression {
	return func(c *compiler, o call) expression {
		args := c.compileArgs(o)
		a := arg(args, 0)
		return expression{
			eval: func(r *run) any {
				text, ok := a.eval(r).(string)
				if !ok || len(args) != 1 || !r.spend(1+len(text)>>6) {
					return nil
				}
				out := []byte(text)
				for i, b := range out {
					if b >= first && b <= last {
						out[i] = b ^ 0x20
					}
				}
				return string(out)
			},
			size: sizeOf(args),
		}
	}
}

var hasPrefix, hasSuffix = strings.HasPrefix, strings.HasSuffix

// affix builds starts_with and ends_with. Both arguments are texts, or the
// result is null, so that the default variant counts.
func affix(has func(text, part string) bool) func(*compiler, call) expression {
	return func(c *compiler, o call) expression {
		args := c.compileArgs(o)
		if len(args) != 2 {
			c.complain(o.tree, o.path, "write [text, part]", "%s has two arguments, not %d, so it is always null", o.name, len(args))
			return constant(nil)
		}
		return expression{
			eval: func(r *run) any {
				text, ok := args[0].eval(r).(string)
				part, also := args[1].eval(r).(string)
				if !ok || !also {
					return nil
				}
				return has(text, part)
			},
			size: sizeOf(args),
		}
	}
}
