package flagd

import (
	"crypto/sha256"
	"fmt"
	"strconv"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/routes"
)

// An expression is a rule, compiled.
type expression struct {
	eval     func(*run) any
	constant bool
	value    any // of a constant
	size     int // operations in it, those of loops once
}

// maxSize bounds the operations of a rule after its references are followed.
const maxSize = 50_000

func constant(v any) expression {
	return expression{eval: func(*run) any { return v }, constant: true, value: v, size: 1}
}

// A compiler makes expressions of one definition. A rule that cannot work is a
// problem, and fails when an evaluation gets to it, as with flagd.
type compiler struct {
	data       []byte // the definition
	file       string // its name in problems
	problems   routes.Problems
	evaluators *tree // $evaluators; nil: none
	shared     map[string]*shared
	depth      int             // of references
	used       map[string]bool // evaluators that the flag or evaluator at hand refers to
}

// A shared is one of $evaluators, compiled at its first use.
type shared struct {
	expression
	busy  bool              // being compiled: a reference to it goes round in circles
	print [sha256.Size]byte // changes with it and with what it refers to
}

// Bounds of what a compiler does with a definition that nobody wrote.
const (
	maxProblems   = 100 // noted
	maxReferences = 50  // evaluators that refer to one another
)

// complain notes a problem.
func (c *compiler) complain(t *tree, path, hint, format string, args ...any) routes.Problem {
	p := routes.Problem{At: routes.Position{File: c.file}, Path: path, Text: fmt.Sprintf(format, args...), Hint: hint}
	if len(c.problems) < maxProblems {
		p.At = position(c.data, t.at)
		p.At.File = c.file
		c.problems = append(c.problems, p)
	}
	return p
}

// broken is an expression that fails.
func (c *compiler) broken(t *tree, path, hint, format string, args ...any) expression {
	f := &failure{openfeature.ParseErrorCode, c.complain(t, path, hint, format, args...).Error()}
	return expression{eval: func(r *run) any { return r.fail(f) }, size: 1}
}

// compile makes an expression of any value of a rule: an object with one
// member is an operation, everything else stands for itself.
func (c *compiler) compile(t *tree, path string) expression {
	switch t.kind {
	case '[':
		return c.array(t, path)
	case '{':
		if len(t.members) == 1 {
			return c.operation(t, path)
		}
		if len(t.members) > 1 {
			c.complain(t, path, "write one operation per object", "has %d members, so it is data and no operation", len(t.members))
		}
	}
	return constant(t.value())
}

// array makes an array of its elements' results.
func (c *compiler) array(t *tree, path string) expression {
	items := c.all(t.items, path)
	if values, ok := constants(items); ok {
		return constant(values)
	}
	return expression{
		eval: func(r *run) any {
			out := make([]any, len(items))
			for i, item := range items {
				out[i] = item.eval(r)
			}
			return out
		},
		size: sizeOf(items),
	}
}

// all compiles the elements of an array.
func (c *compiler) all(items []*tree, path string) []expression {
	out := make([]expression, len(items))
	for i, item := range items {
		out[i] = c.compile(item, path+"/"+strconv.Itoa(i))
	}
	return out
}

// constants returns the values of expressions that are all constant.
func constants(all []expression) (values []any, ok bool) {
	values = make([]any, len(all))
	for i, e := range all {
		if !e.constant {
			return nil, false
		}
		values[i] = e.value
	}
	return values, true
}

func sizeOf(all []expression) int {
	size := 1
	for _, e := range all {
		size = min(size+e.size, maxSize+1)
	}
	return size
}

// A call is an operation with its arguments. What is not an array is the only
// argument.
type call struct {
	tree *tree // the object
	name string
	path string // of the operation's arguments
	args []*tree
	list bool // the arguments were written as an array
}

// argPath returns the JSON pointer of an argument.
func (o call) argPath(i int) string {
	if o.list {
		return o.path + "/" + strconv.Itoa(i)
	}
	return o.path
}

// compileArgs compiles all arguments.
func (c *compiler) compileArgs(o call) []expression {
	out := make([]expression, len(o.args))
	for i, arg := range o.args {
		out[i] = c.compile(arg, o.argPath(i))
	}
	return out
}

// operation compiles an object with one member.
func (c *compiler) operation(t *tree, path string) expression {
	m := t.members[0]
	o := call{tree: t, name: m.name, path: pointer(path, m.name), args: []*tree{m.value}}
	if m.value.kind == '[' {
		o.args, o.list = m.value.items, true
	}
	if m.name == "$ref" {
		return c.reference(o)
	}
	build, ok := operators[m.name]
	if !ok {
		return c.broken(t, path, "flagd knows "+operatorNames, "there is no operation %q", m.name)
	}
	e := build(c, o)
	if e.size > maxSize {
		return c.broken(t, path, "split the flag, or refer to less", "has more than %d operations, references followed", maxSize)
	}
	return e
}

// reference compiles {"$ref": "name"}.
func (c *compiler) reference(o call) expression {
	name := o.args
	if len(name) != 1 || name[0].kind != '"' {
		return c.broken(o.tree, o.path, "name one of $evaluators", "$ref is a string")
	}
	s, err := c.evaluator(name[0].text)
	if err != "" {
		return c.broken(o.tree, o.path, "define it under $evaluators, or correct the name", err, name[0].text)
	}
	c.used[name[0].text] = true
	return s.expression
}

// evaluator returns one of $evaluators, or the format of what is wrong.
func (c *compiler) evaluator(name string) (*shared, string) {
	if s, ok := c.shared[name]; ok {
		if s.busy {
			return nil, "the evaluator %q refers to itself"
		}
		return s, ""
	}
	var rule *tree
	if c.evaluators != nil {
		rule = c.evaluators.get(name)
	}
	if rule == nil {
		return nil, "there is no evaluator %q"
	}
	if c.depth == maxReferences {
		return nil, "the evaluator %q is referred to by too many that refer to one another"
	}
	s := &shared{busy: true}
	c.shared[name] = s
	outside := c.used
	c.used = map[string]bool{}
	c.depth++
	s.expression = c.compile(rule, pointer("/$evaluators", name))
	s.print = c.fingerprint(rule, nil)
	c.depth--
	c.used, s.busy = outside, false
	return s, ""
}
