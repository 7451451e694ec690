package gateway

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"
)

// A journal is what the access log says, for tests to read.
type journal struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

// An entry is the part of an access log line that tests look at.
type entry struct {
	Path     string
	Status   int
	Err      string
	Detail   string `json:"err_detail"`
	Attempts int
	Client   string
	Scheme   string
	BytesIn  int64 `json:"bytes_in"`
	Endpoint string
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// wait returns the entries when there are n.
func (j *journal) wait(t testing.TB, n int) []entry {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		j.mu.Lock()
		text := j.text.String()
		j.mu.Unlock()
		if strings.Count(text, "\n") >= n {
			var entries []entry
			for line := range strings.Lines(text) {
				var e entry
				if err := json.Unmarshal([]byte(line), &e); err != nil {
					t.Fatal(err)
				}
				entries = append(entries, e)
			}
			return entries
		}
		if time.Now().After(deadline) {
			t.Fatalf("the access log has fewer than %d lines:\n%s", n, text)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
