package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/ficus-gateway/ficus/gateway/takeover"
	"github.com/ficus-gateway/ficus/migrations/filelog"
)

// usurp is a program that takes over all but the service: it has the sockets
// and the log, and then does nothing any more.
func usurp() {
	ctx := context.Background()
	s, err := takeover.Call(ctx, takeoverFile, "usurper")
	if err == nil {
		var heir *filelog.Heir
		heir, err = filelog.Inherit("ficus.events", filelog.Options{Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			if err = s.Ready(ctx, nil); err == nil {
				_, err = heir.Open(ctx)
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "usurper:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "usurper: it is mine")
	time.Sleep(time.Hour)
	runtime.KeepAlive(s) // or the conversation would be closed as garbage
}
