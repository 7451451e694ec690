package flagd

import "math"

// sum adds up; one argument is made a number.
func sum(c *compiler, o call) expression {
	return folded(c, o, 0, func(a, b float64) float64 { return a + b })
}

// product multiplies.
func product(c *compiler, o call) expression {
	return folded(c, o, 1, func(a, b float64) float64 { return a * b })
}

func folded(c *compiler, o call, first float64, f func(a, b float64) float64) expression {
	args := c.compileArgs(o)
	return expression{
		eval: func(r *run) any {
			n := first
			for _, a := range args {
				n = f(n, parseFloat(r.primitive(a.eval(r))))
			}
			return n
		},
		size: sizeOf(args),
	}
}

// difference subtracts; one argument is negated.
func difference(c *compiler, o call) expression {
	args := c.compileArgs(o)
	a, b := arg(args, 0), arg(args, 1)
	return expression{
		eval: func(r *run) any {
			if len(args) == 1 {
				return -r.number(a.eval(r))
			}
			return r.number(a.eval(r)) - r.number(b.eval(r))
		},
		size: sizeOf(args),
	}
}

func quotient(r *run, a, b any) any { return r.number(a) / r.number(b) }

func remainder(r *run, a, b any) any { return math.Mod(r.number(a), r.number(b)) }

// extreme builds max (1) and min (-1), of the arguments or of the elements of
// an only argument.
func extreme(sign float64) func(*compiler, call) expression {
	return func(c *compiler, o call) expression {
		args := c.compileArgs(o)
		return expression{
			eval: func(r *run) any {
				most := math.Inf(-1)
				if len(args) == 1 {
					v := args[0].eval(r)
					list, ok := v.([]any)
					if !ok {
						return r.number(v)
					}
					if !r.spend(len(list)) {
						return nil
					}
					for _, item := range list {
						most = math.Max(most, sign*r.number(plain(item)))
					}
					return sign * most
				}
				for _, a := range args {
					most = math.Max(most, sign*r.number(a.eval(r)))
				}
				return sign * most
			},
			size: sizeOf(args),
		}
	}
}
