package takeover

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whatever the other end says, it is understood or refused, and nothing is kept
// of it without bound.
func FuzzMessages(f *testing.F) {
	for _, said := range []string{
		`{"say":"hello","protocol":1,"version":"1.2.0","pid":4711}` + "\n",
		`{"say":"socket","socket":{"network":"tcp","address":":8080","lent":true}}` + "\n" + `{"say":"offered"}` + "\n",
		`{"say":"ready","used":[0,1,-1]}` + "\n", "\n\n", "{", `{"say":1}` + "\n", "GET / HTTP/1.1\r\n\r\n",
	} {
		f.Add([]byte(said))
	}
	dir, err := os.MkdirTemp("", "take")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	ln, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { ln.Close() })
	f.Fuzz(func(t *testing.T, said []byte) {
		if len(said) > 2*maxLine {
			return
		}
		there, err := net.Dial("unix", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		here, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = there.Write(said)
			there.Close()
		}()
		l := &line{conn: here.(*net.UnixConn)}
		defer l.close()
		for n := 0; ; n++ {
			if _, err := l.next(5 * time.Second); err != nil {
				return
			}
			if n > len(said) || len(l.rest) > maxLine+(4<<10) {
				t.Fatalf("%d messages of %d bytes, %d kept", n, len(said), len(l.rest))
			}
		}
	})
}
