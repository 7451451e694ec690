package telemetry

import (
	"fmt"
	"io"
	"log/slog"
)

// NewLogger returns the logger of the process. Level is debug, info, warn or
// error, format json or text; empty means info and json.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	o := slog.HandlerOptions{ReplaceAttr: readable}
	switch level {
	case "debug":
		o.Level = slog.LevelDebug
	case "", "info":
		o.Level = slog.LevelInfo
	case "warn":
		o.Level = slog.LevelWarn
	case "error":
		o.Level = slog.LevelError
	default:
		return nil, fmt.Errorf("no log level %q; the levels are debug, info, warn, error", level)
	}
	switch format {
	case "", "json":
		return slog.New(slog.NewJSONHandler(w, &o)), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, &o)), nil
	}
	return nil, fmt.Errorf("no log format %q; the formats are json, text", format)
}

// readable writes durations as people do: JSON would count nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
