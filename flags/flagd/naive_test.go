package flagd

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ficus-gateway/ficus/flags/internal/murmur3"
)

// A naive interpreter of rules: it walks what encoding/json makes of them, at
// every evaluation, and knows nothing of the compiler.
type naive struct {
	flag string
	now  int64
	root map[string]any
	refs map[string]any
}

var errNaive = errors.New("the rule cannot work")

func (n naive) apply(rule, data any) (v any, err error) {
	switch rule := rule.(type) {
	case []any:
		return n.list(rule, data)
	case map[string]any:
		if len(rule) == 1 {
			for name, args := range rule {
				return n.operation(name, args, data)
			}
		}
	}
	return rule, nil
}

func (n naive) list(rules []any, data any) ([]any, error) {
	out := []any{}
	for _, r := range rules {
		v, err := n.apply(r, data)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// lazy operations choose what of their arguments to evaluate.
func (n naive) lazy(name string, rules []any, data any) (v any, err error, ok bool) {
	at := func(i int) any {
		if i < len(rules) {
			return rules[i]
		}
		return nil
	}
	switch name {
	case "if", "?:":
		for i := 0; ; i += 2 {
			if i+1 >= len(rules) {
				v, err = n.apply(at(i), data)
				return v, err, true
			}
			if v, err = n.apply(rules[i], data); err != nil {
				return nil, err, true
			}
			if truthy(v) {
				v, err = n.apply(rules[i+1], data)
				return v, err, true
			}
		}
	case "and", "or":
		for _, r := range rules {
			if v, err = n.apply(r, data); err != nil || truthy(v) == (name == "or") {
				break
			}
		}
		return v, err, true
	case "map", "filter", "all", "some", "none":
		subject, err := n.apply(at(0), data)
		if err != nil {
			return nil, err, true
		}
		list, _ := subject.([]any)
		results, kept, count := []any{}, []any{}, 0
		for _, item := range list {
			result, err := n.apply(at(1), item)
			if err != nil {
				return nil, err, true
			}
			results = append(results, result)
			if truthy(result) {
				kept, count = append(kept, item), count+1
			}
			if name == "all" && !truthy(result) || (name == "some" || name == "none") && truthy(result) {
				break
			}
		}
		switch name {
		case "map":
			return results, nil, true
		case "filter":
			return kept, nil, true
		case "all":
			return len(list) > 0 && count == len(list), nil, true
		case "some":
			return count > 0, nil, true
		}
		return count == 0, nil, true
	case "reduce":
		subject, err := n.apply(at(0), data)
		if err != nil {
			return nil, err, true
		}
		v, err := n.apply(at(2), data)
		list, _ := subject.([]any)
		for _, item := range list {
			if err != nil {
				break
			}
			v, err = n.apply(at(1), map[string]any{"current": item, "accumulator": v})
		}
		return v, err, true
	}
	return nil, nil, false
}

func (n naive) operation(name string, given, data any) (any, error) {
	rules, list := given.([]any)
	if !list {
		rules = []any{given}
	}
	if name == "$ref" {
		ref, ok := n.refs[fmt.Sprint(given)]
		if !ok || list {
			return nil, errNaive
		}
		return n.apply(ref, data)
	}
	if v, err, ok := n.lazy(name, rules, data); ok {
		return v, err
	}
	args, err := n.list(rules[:min(len(rules), naiveArity(name, len(rules)))], data)
	if err != nil {
		return nil, err
	}
	for len(args) < max(3, len(rules)) {
		args = append(args, nil)
	}
	a, b := naivePrimitive(args[0]), naivePrimitive(args[1])
	bothComposite := composite(args[0]) && composite(args[1])
	ordered := func(holds func(int) bool) any {
		if len(rules) < 2 {
			return false
		}
		ok := holds(compare(a, b))
		if len(rules) > 2 {
			ok = ok && holds(compare(b, naivePrimitive(args[2])))
		}
		return ok
	}
	switch name {
	case "var":
		v := n.lookup(naiveText(args[0]), data)
		if v == nil && len(rules) > 1 {
			return n.apply(rules[1], data)
		}
		return v, nil
	case "missing":
		if inner, ok := args[0].([]any); ok {
			return n.missing(inner, data), nil
		}
		keys, err := n.list(rules, data)
		return n.missing(keys, data), err
	case "missing_some":
		keys, _ := args[1].([]any)
		absent := n.missing(keys, data)
		if float64(len(keys)-len(absent)) >= toNumber(a) {
			return []any{}, nil
		}
		return absent, nil
	case "!":
		return !truthy(args[0]), nil
	case "!!":
		return truthy(args[0]), nil
	case "==":
		return !bothComposite && looseEqual(a, b), nil
	case "!=":
		return bothComposite || !looseEqual(a, b), nil
	case "===":
		return !composite(args[0]) && reflect.DeepEqual(args[0], args[1]), nil
	case "!==":
		return composite(args[0]) || !reflect.DeepEqual(args[0], args[1]), nil
	case "<":
		return ordered(func(c int) bool { return c == -1 }), nil
	case "<=":
		return ordered(func(c int) bool { return c == -1 || c == 0 }), nil
	case ">":
		return ordered(func(c int) bool { return c == 1 }), nil
	case ">=":
		return ordered(func(c int) bool { return c == 1 || c == 0 }), nil
	case "+", "*":
		v := map[string]float64{"+": 0, "*": 1}[name]
		for _, x := range args[:len(rules)] {
			if f := parseFloat(naivePrimitive(x)); name == "+" {
				v += f
			} else {
				v *= f
			}
		}
		return v, nil
	case "-":
		if len(rules) == 1 {
			return -toNumber(a), nil
		}
		return toNumber(a) - toNumber(b), nil
	case "/":
		return toNumber(a) / toNumber(b), nil
	case "%":
		return math.Mod(toNumber(a), toNumber(b)), nil
	case "max", "min":
		all := args[:len(rules)]
		if len(rules) == 1 {
			inner, ok := args[0].([]any)
			if !ok {
				return toNumber(a), nil
			}
			all = inner
		}
		v := math.Inf(-1)
		if name == "min" {
			v = math.Inf(1)
		}
		for _, x := range all {
			if f := toNumber(naivePrimitive(x)); name == "max" {
				v = math.Max(v, f)
			} else {
				v = math.Min(v, f)
			}
		}
		return v, nil
	case "merge":
		out := []any{}
		for _, x := range args[:len(rules)] {
			if inner, ok := x.([]any); ok {
				out = append(out, inner...)
			} else {
				out = append(out, x)
			}
		}
		return out, nil
	case "in":
		switch stack := args[1].(type) {
		case string:
			return strings.Contains(stack, naiveText(args[0])), nil
		case []any:
			for _, x := range stack {
				if !composite(x) && reflect.DeepEqual(x, args[0]) {
					return true, nil
				}
			}
		}
		return false, nil
	case "cat":
		s := ""
		for _, x := range args[:len(rules)] {
			s += naiveText(x)
		}
		return s, nil
	case "substr":
		return naiveSubstr(naiveText(args[0]), toNumber(b), len(rules) > 2, toNumber(naivePrimitive(args[2]))), nil
	case "lower", "upper":
		s, ok := args[0].(string)
		if !ok || len(rules) != 1 {
			return nil, nil
		}
		return strings.Map(func(r rune) rune {
			switch {
			case r == utf8.RuneError:
			case name == "lower" && r >= 'A' && r <= 'Z':
				return r + 'a' - 'A'
			case name == "upper" && r >= 'a' && r <= 'z':
				return r + 'A' - 'a'
			}
			return r
		}, s), nil
	case "log":
		return args[0], nil
	case "starts_with", "ends_with":
		s, ok := args[0].(string)
		part, also := args[1].(string)
		if !ok || !also || len(rules) != 2 {
			return nil, nil
		}
		if name == "starts_with" {
			return len(s) >= len(part) && s[:len(part)] == part, nil
		}
		return len(s) >= len(part) && s[len(s)-len(part):] == part, nil
	case "sem_ver":
		return naiveVersion(rules, args), nil
	case "fractional":
		if !list {
			args, _ = args[0].([]any)
		} else {
			args = args[:len(rules)]
		}
		return n.fractional(args, data), nil
	}
	return nil, errNaive
}

// naiveArity returns how many arguments an operation looks at at once.
func naiveArity(name string, given int) int {
	switch name {
	case "!", "!!", "log", "var", "missing":
		return 1
	case "==", "!=", "===", "!==", "-", "/", "%", "in", "missing_some":
		return 2
	case "<", "<=", ">", ">=":
		if given < 2 {
			return 0
		}
		return 3
	case "substr":
		return 3
	case "lower", "upper":
		return 1
	case "starts_with", "ends_with", "sem_ver":
		if given != map[string]int{"starts_with": 2, "ends_with": 2, "sem_ver": 3}[name] {
			return 0
		}
	}
	return given
}

func (n naive) lookup(path string, data any) any {
	if m, ok := data.(map[string]any); ok && reflect.ValueOf(m).Pointer() == reflect.ValueOf(n.root).Pointer() {
		all := map[string]any{}
		for k, v := range m {
			all[k] = v
		}
		all["$flagd"] = map[string]any{"flagKey": n.flag, "timestamp": float64(n.now)}
		data = all
	}
	if path == "" {
		return data
	}
	for _, step := range strings.Split(path, ".") {
		switch holder := data.(type) {
		case map[string]any:
			data = holder[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(holder) {
				return nil
			}
			data = holder[i]
		default:
			return nil
		}
	}
	return data
}

func (n naive) missing(keys []any, data any) []any {
	out := []any{}
	for _, k := range keys {
		if v := n.lookup(naiveText(k), data); v == nil || v == "" {
			out = append(out, k)
		}
	}
	return out
}

func (n naive) fractional(args []any, data any) any {
	if len(args) == 0 {
		return nil
	}
	seed, ok := args[0].(string)
	if ok {
		args = args[1:]
	} else {
		if args[0] == nil {
			args = args[1:]
		}
		context, _ := data.(map[string]any)
		key, ok := context["targetingKey"].(string)
		if !ok {
			return nil
		}
		seed = n.flag + key
	}
	total := big.NewInt(0)
	var weights []*big.Int
	var variants []any
	for _, a := range args {
		entry, _ := a.([]any)
		if len(entry) == 0 || composite(entry[0]) {
			return nil
		}
		w := big.NewInt(1)
		if len(entry) > 1 && entry[1] != nil {
			f, ok := entry[1].(float64)
			if !ok || math.IsNaN(f) || f > math.MaxInt32 {
				return nil
			}
			if f < 0 && math.IsInf(f, 0) {
				f = -1
			}
			if _, exact := big.NewFloat(f).Int(w); exact != big.Exact {
				return nil
			}
			if w.Sign() < 0 {
				w.SetInt64(0)
			}
		}
		weights, variants = append(weights, w), append(variants, entry[0])
		total.Add(total, w)
	}
	if total.Sign() == 0 || total.Cmp(big.NewInt(math.MaxInt32)) > 0 {
		return nil
	}
	bucket := new(big.Int).Mul(big.NewInt(int64(murmur3.Sum32([]byte(seed)))), total)
	bucket.Rsh(bucket, 32)
	end := big.NewInt(0)
	for i, w := range weights {
		if end.Add(end, w); bucket.Cmp(end) < 0 {
			return variants[i]
		}
	}
	return nil
}

func naiveVersion(rules, args []any) any {
	read := func(v any) (version, bool) {
		if f, ok := v.(float64); ok {
			v = formatNumber(f)
		}
		s, _ := v.(string)
		return parseVersion(s)
	}
	a, ok := read(args[0])
	b, also := read(args[2])
	if len(rules) != 3 || !ok || !also {
		return nil
	}
	switch args[1] {
	case "=":
		return a.compare(b) == 0
	case "!=":
		return a.compare(b) != 0
	case "<":
		return a.compare(b) < 0
	case "<=":
		return a.compare(b) <= 0
	case ">":
		return a.compare(b) > 0
	case ">=":
		return a.compare(b) >= 0
	case "^":
		return a.numbers[0] == b.numbers[0]
	case "~":
		return a.numbers[0] == b.numbers[0] && a.numbers[1] == b.numbers[1]
	}
	return nil
}

func naiveText(v any) string {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = naiveText(x)
		}
		return strings.Join(parts, ",")
	case map[string]any:
		return "[object Object]"
	}
	return scalarText(v)
}

func naivePrimitive(v any) any {
	if composite(v) {
		return naiveText(v)
	}
	return v
}

func naiveSubstr(s string, from float64, limited bool, length float64) string {
	runes := []rune(s)
	n := float64(len(runes))
	clean := func(f float64) float64 {
		if math.IsNaN(f) {
			return 0
		}
		return math.Trunc(f)
	}
	if from = clean(from); from < 0 {
		from = math.Max(0, n+from)
	}
	to := n
	if limited {
		if length = clean(length); length < 0 {
			to = n + length
		} else {
			to = math.Min(n, from+length)
		}
	}
	if from >= to {
		return ""
	}
	return string(runes[int(from):int(to)])
}
