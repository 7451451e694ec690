package flagd

import (
	"maps"
	"slices"
	"strings"
)

// operators are the operations of JSON-logic that flagd has, and its own.
var operators map[string]func(*compiler, call) expression

// operatorNames are those of operators, for messages.
var operatorNames string

func init() { // a literal would depend on itself, since operations contain operations
	operators = map[string]func(*compiler, call) expression{
		"var": variable, "missing": missing, "missing_some": missingSome,

		"if": conditional, "?:": conditional, "and": and, "or": or, "!": not, "!!": notNot,
		"==":  binary(equal),
		"!=":  binary(func(r *run, a, b any) any { return !equal(r, a, b).(bool) }),
		"===": binary(func(_ *run, a, b any) any { return strictEqual(a, b) }),
		"!==": binary(func(_ *run, a, b any) any { return !strictEqual(a, b) }),
		"<":   ordered(func(c int) bool { return c == -1 }),
		"<=":  ordered(func(c int) bool { return c == -1 || c == 0 }),
		">":   ordered(func(c int) bool { return c == 1 }),
		">=":  ordered(func(c int) bool { return c == 1 || c == 0 }),

		"+": sum, "-": difference, "*": product, "/": binary(quotient), "%": binary(remainder),
		"max": extreme(1), "min": extreme(-1),

		"map": mapped, "filter": filter, "reduce": reduce, "all": every, "some": some, "none": none,
		"merge": merge, "in": in,

		"cat": cat, "substr": substr, "lower": ascii('A', 'Z'), "upper": ascii('a', 'z'), "log": logged,

		"starts_with": affix(hasPrefix), "ends_with": affix(hasSuffix), "sem_ver": semVer, "fractional": fractional,
	}
	operatorNames = strings.Join(slices.Sorted(maps.Keys(operators)), " ")
}

// binary builds operations with two arguments; one that is not written is null.
func binary(f func(r *run, a, b any) any) func(*compiler, call) expression {
	return func(c *compiler, o call) expression {
		args := c.compileArgs(o)
		a, b := arg(args, 0), arg(args, 1)
		return expression{
			eval: func(r *run) any { return f(r, a.eval(r), b.eval(r)) },
			size: sizeOf(args),
		}
	}
}

// arg returns an argument, or null if there is none.
func arg(args []expression, i int) expression {
	if i < len(args) {
		return args[i]
	}
	return constant(nil)
}
