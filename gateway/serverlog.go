package gateway

import (
	"bytes"
	"log"
	"log/slog"
)

// serverLog gives what net/http complains about, which clients bring about at
// will, to the log at debug level.
func serverLog(l *slog.Logger) *log.Logger { return log.New(lineWriter{l}, "", 0) }

type lineWriter struct{ log *slog.Logger }

func (w lineWriter) Write(p []byte) (int, error) {
	w.log.Debug("http server", "message", string(bytes.TrimSpace(p)))
	return len(p), nil
}
