package compare

import (
	"fmt"
	"strconv"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// An equalsRule decides by an expression whether two values are equal.
type equalsRule struct {
	pattern
	program *vm.Program
}

type equalsEnv struct {
	A any `expr:"a"`
	B any `expr:"b"`
}

func compileEquals(p pattern, text string) (equalsRule, error) {
	program, err := expr.Compile(text, expr.Env(equalsEnv{}), expr.AsBool(), expr.MaxNodes(1000))
	if err != nil {
		return equalsRule{}, fmt.Errorf("%q is no expression over a, the control's value, and b, the candidate's: %w", text, err)
	}
	return equalsRule{p, program}, nil
}

// holds runs the expression. One that fails, for a type it didn't expect,
// doesn't hold.
func (e *equalsRule) holds(a, b any) bool {
	v, err := expr.Run(e.program, equalsEnv{a, b})
	ok, isBool := v.(bool)
	return err == nil && isBool && ok
}

// scalar gives a number to an expression: an int if it is one, so that no
// digit is lost, and otherwise a float64.
func scalar(number []byte) any {
	if n, err := strconv.ParseInt(string(number), 10, 64); err == nil {
		return int(n)
	}
	f, err := strconv.ParseFloat(string(number), 64)
	if err != nil {
		return string(number)
	}
	return f
}
