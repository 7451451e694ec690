package toll

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

// applicationMain is an application that is cheap to ask: it prints its
// address and answers with 1 KiB of JSON.
func applicationMain() {
	flags := flag.NewFlagSet(os.Args[0], flag.ExitOnError)
	wait := flags.Duration("wait", 0, "how long an answer takes without using a processor, as for a database")
	hangs := flags.Bool("hangs", false, "never answer")
	last := flags.Bool("last", false, "run when nothing else wants to, as if on a machine of its own")
	_ = flags.Parse(os.Args[1:])
	debug.SetGCPercent(2000) // its garbage is not what is measured
	if *last {
		schedule(runLast)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(ln.Addr())
	items := strings.Repeat(`,{"sku":"a-1","count":2,"price":12.50}`, 24)
	_ = http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if *hangs {
			<-r.Context().Done()
			return
		}
		if *wait > 0 {
			time.Sleep(*wait)
		}
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = io.WriteString(w, `{"path":"`+r.URL.Path+`","items":[{}`+items+`]}`)
	}))
}
