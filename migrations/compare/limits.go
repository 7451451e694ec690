package compare

// Limits bound what one comparison may cost, whatever the bodies hold. A zero
// field takes its default.
type Limits struct {
	Body        int // bytes of a body after decoding; 16 MiB
	Ratio       int // decoded to encoded bytes, beyond the first MiB; 200
	Depth       int // of nesting; 1,000
	Nodes       int // values in a body; 262,144
	Leftovers   int // elements of an array without a counterpart that are paired by index; 64
	Differences int // path templates reported of one comparison; 1,024
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Body, 16<<20)
	set(&l.Ratio, 200)
	set(&l.Depth, 1000)
	set(&l.Nodes, 1<<18)
	set(&l.Leftovers, 64)
	set(&l.Differences, 1024)
	return l
}
