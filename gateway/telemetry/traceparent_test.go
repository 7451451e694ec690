package telemetry

import (
	"net/http"
	"strings"
	"testing"
)

const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestOnlyAValidTraceparentIsContinued(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  bool
	}{
		{"sampled", []string{good}, true},
		{"not sampled", []string{good[:53] + "00"}, true},
		{"unknown flags", []string{good[:53] + "fd"}, true},
		{"later version", []string{"cc" + good[2:]}, true},
		{"later version with more", []string{"cc" + good[2:] + "-what-the-future-brings"}, true},
		{"later version, glued", []string{"cc" + good[2:] + ".what"}, false},
		{"version 00 with more", []string{good + "-what"}, false},
		{"version 00 with a dash", []string{good + "-"}, false},
		{"version ff", []string{"ff" + good[2:]}, false},
		{"version of one digit", []string{good[1:]}, false},
		{"version not hex", []string{"0x" + good[2:]}, false},
		{"zero trace id", []string{"00-" + strings.Repeat("0", 32) + good[35:]}, false},
		{"zero parent", []string{good[:36] + strings.Repeat("0", 16) + "-01"}, false},
		{"upper case", []string{strings.ToUpper(good)}, false},
		{"upper-case flags", []string{good[:53] + "0A"}, false},
		{"not hex", []string{strings.Replace(good, "0af7", "0ag7", 1)}, false},
		{"underscores", []string{strings.ReplaceAll(good, "-", "_")}, false},
		{"short", []string{good[:54]}, false},
		{"space before", []string{" " + good}, false},
		{"empty", []string{""}, false},
		{"given twice", []string{good, good}, false},
		{"joined by a comma", []string{good + "," + good}, false},
		{"none", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{"Tracestate": {"vendor=1"}}
			if tt.lines != nil {
				h["Traceparent"] = tt.lines
			}
			tr := NewTracer(TracerOptions{}).Begin(h)
			if tr.Remote != tt.want {
				t.Fatalf("Remote = %v, want %v", tr.Remote, tt.want)
			}
			if continued := tr.TraceIDString() == good[3:35]; continued != tt.want {
				t.Errorf("trace id %s", tr.TraceIDString())
			}
			if !tt.want && (tr.State != "" || tr.Parent != [8]byte{}) {
				t.Errorf("a new trace has state %q and parent %x", tr.State, tr.Parent)
			}
		})
	}
}

func TestUnknownFlagsAreNotPassedOn(t *testing.T) {
	tr := exporting(t, 0).Begin(http.Header{"Traceparent": {good[:53] + "ff"}})
	h := http.Header{}
	tr.Inject(h)
	if got := h.Get("Traceparent"); got[53:] != "03" {
		t.Errorf("flags of %s, want 03", got)
	}
}

func FuzzTraceparent(f *testing.F) {
	f.Add(good)
	f.Add("cc" + good[2:] + "-more")
	f.Fuzz(func(t *testing.T, v string) {
		id, parent, flags, ok := parseTraceparent(v)
		if !ok {
			return
		}
		written := formatTraceparent(id, parent, flags)
		id2, parent2, flags2, ok := parseTraceparent(written)
		if !ok || id != id2 || parent != parent2 || flags != flags2 {
			t.Errorf("%q is written as %q, which reads differently", v, written)
		}
	})
}
