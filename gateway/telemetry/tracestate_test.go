package telemetry

import (
	"fmt"
	"strings"
	"testing"
)

func members(n int) string {
	var m []string
	for i := range n {
		m = append(m, fmt.Sprintf("v%d=%d", i, i))
	}
	return strings.Join(m, ",")
}

func TestTracestate(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"none", nil, ""},
		{"one", []string{"rojo=00f067aa0ba902b7"}, "rojo=00f067aa0ba902b7"},
		{"lines are combined", []string{"a=1,b=2", "c=3"}, "a=1,b=2,c=3"},
		{"space around members", []string{" a=1 , b=2\t"}, "a=1 , b=2"},
		{"empty members", []string{"a=1,,b=2,"}, "a=1,,b=2"},
		{"tenant", []string{"0t@s=1"}, "0t@s=1"},
		{"all characters of keys", []string{"a0_-*/=1"}, "a0_-*/=1"},
		{"space within a value", []string{"a=1 2"}, "a=1 2"},
		{"32 members", []string{members(32)}, members(32)},
		{"33 members", []string{members(33)}, ""},
		{"33 members on two lines", []string{members(32), "x=1"}, ""},
		{"upper-case key", []string{"A=1"}, ""},
		{"key begins with a digit", []string{"0a=1"}, ""},
		{"no system", []string{"a@=1"}, ""},
		{"no tenant", []string{"@a=1"}, ""},
		{"two ats", []string{"a@b@c=1"}, ""},
		{"system of 14", []string{"t@" + strings.Repeat("s", 14) + "=1"}, "t@" + strings.Repeat("s", 14) + "=1"},
		{"system of 15", []string{"t@" + strings.Repeat("s", 15) + "=1"}, ""},
		{"key of 256", []string{strings.Repeat("k", 256) + "=1"}, strings.Repeat("k", 256) + "=1"},
		{"key of 257", []string{strings.Repeat("k", 257) + "=1"}, ""},
		{"no value", []string{"a="}, ""},
		{"no equals sign", []string{"a"}, ""},
		{"two equals signs", []string{"a=b=c"}, ""},
		{"control character", []string{"a=\x01"}, ""},
		{"not ASCII", []string{"a=é"}, ""},
		{"one bad member spoils all", []string{"a=1", "B=2"}, ""},
		{"long members go first", []string{"a=" + strings.Repeat("x", 200) + ",b=2,c=" + strings.Repeat("y", 200) + ",d=" + strings.Repeat("z", 200)},
			"a=" + strings.Repeat("x", 200) + ",b=2,c=" + strings.Repeat("y", 200)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := parseTracestate(tt.lines); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTracestateIsCutAtTheEnd(t *testing.T) {
	var m []string
	for i := range 20 {
		m = append(m, fmt.Sprintf("k%02d=%s", i, strings.Repeat("v", 40)))
	}
	got := parseTracestate([]string{strings.Join(m, ",")})
	if len(got) > maxStateBytes || !strings.HasPrefix(strings.Join(m, ","), got) || strings.HasSuffix(got, ",") {
		t.Errorf("cut to %q", got)
	}
}

func FuzzTracestate(f *testing.F) {
	f.Add("a=1,b=2", "c=3")
	f.Add("t@s=1,,", "")
	f.Fuzz(func(t *testing.T, one, two string) {
		got := parseTracestate([]string{one, two})
		if len(got) > maxStateBytes {
			t.Fatalf("%d bytes", len(got))
		}
		if again := parseTracestate([]string{got}); again != got {
			t.Errorf("%q is read again as %q", got, again)
		}
	})
}
