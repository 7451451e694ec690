package filelog

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

// childPath tells a test binary that it is to append to a log until it dies.
const childPath = "FICUS_TEST_APPEND_TO"

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		if err := appendForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// appendForever appends shifts from several goroutines, one or two events at a
// time, and prints for each event that was acknowledged its number and share.
func appendForever(path string) error {
	l, err := Open(path, Options{})
	if err != nil {
		return err
	}
	if head, err := l.Head(context.Background()); err != nil {
		return err
	} else if head == 0 {
		if _, err := l.Append(context.Background(), 0, created("orders")); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	var mu sync.Mutex // guards standard output
	for range 4 {
		go func() {
			for {
				events := make([]migrations.Event, 1+rand.IntN(2))
				for i := range events {
					events[i] = live("orders", rand.IntN(migrations.Buckets))
				}
				seq, err := l.Append(context.Background(), migrations.Unconditional, events...)
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				mu.Lock()
				for i, e := range events {
					fmt.Println(seq-uint64(len(events)-1-i), e.Split.Share(migrations.Live))
				}
				mu.Unlock()
			}
		}()
	}
	select {}
}

// kill -9 at any moment loses nothing that was acknowledged, and the state
// after the restart is the fold of the log.
func TestKilledWriterLosesNothingAcknowledged(t *testing.T) {
	kills := 20
	if os.Getenv("FICUS_SOAK") == "1" {
		kills = 100
	} else if testing.Short() {
		kills = 5
	}
	p := newPlace(t)
	var state migrations.State // the fold of all events that were ever read
	acknowledged := make(map[uint64]int)
	torn := 0
	for kill := range kills {
		for seq, share := range p.runAndKill(t) {
			acknowledged[seq] = share
		}
		if kill%3 == 2 { // as a crash of the machine may leave it
			p.write(t, "", p.read(t, "")+`{"seq":`)
		}
		p.said.Reset()
		l := p.open(t)
		if strings.Contains(p.said.String(), "half written") {
			torn++
		}
		head, err := l.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// A child that was killed early has added nothing, and Follow would wait.
		var added []migrations.Event
		if head > state.Seq {
			added = follow(t, l, state.Seq, head)
		}
		for _, e := range added {
			if share, ok := acknowledged[e.Seq]; ok && share != e.Split.Share(migrations.Live) {
				t.Fatalf("event %d was acknowledged with %d buckets and has %s", e.Seq, share, e.Split)
			}
			if state, err = migrations.Apply(state, e); err != nil {
				t.Fatal(err)
			}
		}
		for seq := range acknowledged {
			if seq > head {
				t.Fatalf("event %d was acknowledged, but the log ends at %d", seq, head)
			}
		}
		if diff := cmp.Diff(state, latest(t, l)); diff != "" {
			t.Fatalf("the state is not the fold of what was read before and after the crash: %s", diff)
		}
		mustClose(t, l)
	}
	t.Logf("%d kills, %d events acknowledged of %d, %d torn ends", kills, len(acknowledged), state.Seq, torn)
}

// follow returns the events after from, up to the last one.
func follow(t *testing.T, l migrations.Log, from, last uint64) (events []migrations.Event) {
	t.Helper()
	for e, err := range l.Follow(t.Context(), from) {
		if err != nil {
			t.Fatal(err)
		}
		if events = append(events, e); e.Seq == last {
			break
		}
	}
	return events
}

// runAndKill starts a process that appends, kills it after a moment, and
// returns what it had been told was kept: shares by event.
func (p *place) runAndKill(t *testing.T) map[uint64]int {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childPath+"="+p.path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	told := make(map[uint64]int)
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		child.Process.Kill()
		t.Fatalf("the child said %q (%v)", lines.Text(), child.Wait())
	}
	time.AfterFunc(time.Duration(rand.IntN(60_000))*time.Microsecond, func() { child.Process.Kill() })
	for lines.Scan() {
		first, second, ok := strings.Cut(lines.Text(), " ")
		seq, err1 := strconv.ParseUint(first, 10, 64)
		share, err2 := strconv.Atoi(second)
		if !ok || err1 != nil || err2 != nil {
			continue // the last line may be torn, too
		}
		told[seq] = share
	}
	child.Wait() // killed
	return told
}
