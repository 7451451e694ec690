package filelog

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

// A crash may leave any part of the last append: of one line, or of several.
func TestTornAppendIsDroppedAtEveryByte(t *testing.T) {
	p := newPlace(t)
	want := p.filled(t, 3)
	whole := p.read(t, "")
	kept := p.read(t, ".checkpoint")
	l := p.open(t)
	mustAppend(t, l, live("orders", 70), live("orders", 80))
	mustClose(t, l)
	appended := strings.TrimPrefix(p.read(t, ""), whole)
	for n := range len(appended) {
		p.write(t, "", whole+appended[:n])
		p.write(t, ".checkpoint", kept)
		os.Remove(p.path + ".torn")
		p.said.Reset()
		l := p.open(t)
		if diff := cmp.Diff(want, latest(t, l)); diff != "" {
			t.Fatalf("after %d of %d bytes: (-want +got)\n%s", n, len(appended), diff)
		}
		if n == 0 {
			if p.said.Len() > 0 {
				t.Errorf("a whole file was complained about: %s", p.said.String())
			}
			mustClose(t, l)
			continue
		}
		if got := p.read(t, ".torn"); got != appended[:n]+"\n" {
			t.Fatalf("after %d bytes, kept aside: %q", n, got)
		}
		if said := p.said.String(); !strings.Contains(said, "half written") || !strings.Contains(said, "line=4") {
			t.Fatalf("after %d bytes, said: %s", n, said)
		}
		if n%50 == 1 { // the log goes on as if nothing had been
			mustAppend(t, l, live("orders", 90))
			mustClose(t, l)
			l = p.open(t)
			if s := latest(t, l); s.Seq != 4 {
				t.Fatalf("after %d bytes and an append the log ends at %d", n, s.Seq)
			}
		}
		mustClose(t, l)
	}
}

func TestTornAppendOfZerosOrRubbishIsDropped(t *testing.T) {
	for _, rest := range []string{"\x00\x00\x00\x00", "\x00\x00\n", "\n", "{\"seq\":4,\n", "\xff\xfe\n", strings.Repeat("x", 200_000)} {
		p := newPlace(t)
		want := p.filled(t, 3)
		p.write(t, "", p.read(t, "")+rest)
		if diff := cmp.Diff(want, latest(t, p.open(t))); diff != "" {
			t.Errorf("%.10q: (-want +got)\n%s", rest, diff)
		}
	}
}

func TestCorruptionRefusesAndNamesTheLine(t *testing.T) {
	const remedy = "; restore the file from a backup, or move it away to begin again with the state in ficus.events.checkpoint"
	for name, test := range map[string]struct {
		spoil func(lines []string) []string
		want  string
	}{
		"changed":       {func(l []string) []string { l[1] = strings.Replace(l[1], "alice", "mallo", 1); return l }, "ficus.events:2: the hash does not fit this line after those before it"},
		"last changed":  {func(l []string) []string { l[4] = strings.Replace(l[4], "alice", "mallo", 1); return l }, "ficus.events:5: the hash does not fit this line after those before it"},
		"taken out":     {func(l []string) []string { return append(l[:1], l[2:]...) }, "ficus.events:2: the hash does not fit this line after those before it"},
		"first out":     {func(l []string) []string { return l[1:] }, "ficus.events:1: the hash does not fit this line after those before it"},
		"swapped":       {func(l []string) []string { l[2], l[3] = l[3], l[2]; return l }, "ficus.events:3: the hash does not fit this line after those before it"},
		"half":          {func(l []string) []string { l[2] = l[2][:30] + "\n"; return l }, `ficus.events:3: not a line of the log: it does not end in "hash" with 64 hex digits`},
		"zeros":         {func(l []string) []string { l[2] = strings.Repeat("\x00", 40) + "\n"; return l }, `ficus.events:3: not a line of the log: it does not end in "hash" with 64 hex digits`},
		"empty":         {func(l []string) []string { l[2] = "\n" + l[2]; return l }, `ficus.events:3: not a line of the log: it does not end in "hash" with 64 hex digits`},
		"last no event": {func(l []string) []string { l[4] = "{}\n"; return l }, `ficus.events:5: not a line of the log: it does not end in "hash" with 64 hex digits`},
		"twice":         {func(l []string) []string { return append(l, l[4]) }, "ficus.events:6: the hash does not fit this line after those before it"},
	} {
		p := newPlace(t)
		p.filled(t, 5)
		bad := strings.Join(test.spoil(strings.SplitAfter(strings.TrimSuffix(p.read(t, ""), "\n")+"\n", "\n")[:5]), "")
		p.write(t, "", bad)
		if got := p.refused(t); got != test.want+remedy {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, test.want+remedy)
		}
		if p.read(t, "") != bad {
			t.Errorf("%s: a refused file was changed", name)
		}
	}
}

// chained makes the lines of a log whose hashes are right.
func chained(t *testing.T, events ...migrations.Event) string {
	t.Helper()
	var text strings.Builder
	var h migrations.Hash
	for i, e := range events {
		if e.Seq == 0 {
			e.Seq = uint64(i + 1)
		}
		line, next, err := migrations.EncodeLine(h, e)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
		h = next
	}
	return text.String()
}

func TestEventsThatDoNotFitRefuseAndNameTheLine(t *testing.T) {
	more := func(n int, e migrations.Event) migrations.Event { e.More = n; return e }
	gap := live("orders", 1)
	gap.Seq = 7
	for name, test := range map[string]struct{ text, want string }{
		"kind of a newer program": {chained(t, created("orders"), migrations.Event{Migration: "orders", Kind: "teleported"}),
			`ficus.events:2: event 2 (orders teleported): this program does not know events of kind "teleported"; it may be older than the log;`},
		"unknown migration": {chained(t, created("orders"), live("carts", 1), live("orders", 1)), "ficus.events:2: event 2 (carts shifted): no such migration;"},
		"gap":               {chained(t, created("orders"), gap), "ficus.events:2: event 7 (orders shifted): expected sequence number 2;"},
		"begins late":       {chained(t, func() migrations.Event { e := created("orders"); e.Seq = 5; return e }()), "ficus.events:1: event 5 (orders created): expected sequence number 1;"},
		"append with a gap": {chained(t, more(2, created("orders")), more(0, live("orders", 1))), "ficus.events:2: the events of one append do not follow one another;"},
		"negative append":   {chained(t, more(-1, created("orders"))), "ficus.events:1: the events of one append do not follow one another;"},
	} {
		p := newPlace(t)
		p.write(t, "", test.text)
		if got := p.refused(t); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s:\ngot  %s\nwant %s …", name, got, test.want)
		}
	}
}

func TestLostLogBeginsAgainWithTheKeptState(t *testing.T) {
	p := newPlace(t)
	before := p.filled(t, 5)
	p.remove(t, "")
	l := p.open(t)
	after := latest(t, l)
	if diff := cmp.Diff(before.Migrations, after.Migrations); diff != "" {
		t.Errorf("the migrations have changed: %s", diff)
	}
	if after.Seq != 6 || after.EverySeq != 6 {
		t.Errorf("the state begins with %+v", after)
	}
	if said := p.said.String(); !strings.Contains(said, "level=ERROR") || !strings.Contains(said, "the event log is missing") {
		t.Errorf("said: %s", said)
	}
	p.said.Reset()
	if _, err := l.Append(t.Context(), 5, live("orders", 9)); err == nil {
		t.Error("what was decided before the loss was accepted")
	}
	mustAppend(t, l, live("orders", 10))
	want := latest(t, l)
	mustClose(t, l)
	if diff := cmp.Diff(want, latest(t, p.open(t))); diff != "" {
		t.Errorf("after reopening: %s", diff)
	}
	if p.said.Len() > 0 {
		t.Errorf("the second start complained: %s", p.said.String())
	}
}

// A gateway that dies right after beginning again finds a log with one line
// and the old checkpoint.
func TestLogThatHasJustBegunAgainOpens(t *testing.T) {
	p := newPlace(t)
	p.filled(t, 5)
	kept := p.read(t, ".checkpoint")
	p.remove(t, "")
	mustClose(t, p.open(t))
	p.write(t, ".checkpoint", kept)
	if s := latest(t, p.open(t)); s.Seq != 6 {
		t.Errorf("%+v", s)
	}
}

func TestShortenedLogRefuses(t *testing.T) {
	p := newPlace(t)
	p.filled(t, 5)
	text := p.read(t, "")
	lines := strings.SplitAfter(text, "\n")
	const remedy = ", but ficus.events.checkpoint has seen event 5: the file was cut short; restore it from a backup, or move it away to begin again with the state that was kept"
	for name, test := range map[string]struct{ text, want string }{
		"two lines":  {strings.Join(lines[:2], ""), "ficus.events: ends at event 2" + remedy},
		"empty":      {"", "ficus.events: ends at event 0" + remedy},
		"in a line":  {strings.Join(lines[:2], "") + lines[2][:20], "ficus.events: ends at event 2" + remedy},
		"last chars": {text[:len(text)-2], "ficus.events: ends at event 4" + remedy},
	} {
		p.write(t, "", test.text)
		if got := p.refused(t); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, test.want)
		}
		if p.read(t, "") != test.text {
			t.Errorf("%s: a refused file was changed", name)
		}
	}
}

func TestLogOfAnotherCheckpointRefuses(t *testing.T) {
	p, other := newPlace(t), newPlace(t)
	p.filled(t, 5)
	other.filled(t, 6)
	p.write(t, "", other.read(t, ""))
	if got, want := p.refused(t), "ficus.events:5: ficus.events.checkpoint belongs to a log with another event 5:"; !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s …", got, want)
	}
}

func TestDamagedCheckpointIsNoticed(t *testing.T) {
	for _, text := range []string{"", "{", "{}", `{"seq":5}`, "\x00\x00\x00"} {
		p := newPlace(t)
		want := p.filled(t, 5)
		p.write(t, ".checkpoint", text)
		p.said.Reset()
		l := p.open(t)
		if diff := cmp.Diff(want, latest(t, l)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
		mustClose(t, l)
		if !strings.Contains(p.said.String(), "cannot be read") {
			t.Errorf("%q: said: %s", text, p.said.String())
		}
		if c, err := readCheckpoint(p.path); err != nil || c == nil || c.Seq != 5 {
			t.Errorf("%q: after Close the checkpoint is %+v, %v", text, c, err)
		}
		p.remove(t, "")
		p.write(t, ".checkpoint", text)
		if got := p.refused(t); !strings.Contains(got, "missing, and the state kept beside it cannot be read") {
			t.Errorf("%q: without the log: %s", text, got)
		}
	}
}
