package telemetry

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestProcessLogger(t *testing.T) {
	var b bytes.Buffer
	log, err := NewLogger(&b, "warn", "")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("not told")
	log.Warn("told", "route", "orders")
	var m map[string]any
	if err := json.Unmarshal(b.Bytes(), &m); err != nil || m["msg"] != "told" || m["route"] != "orders" {
		t.Errorf("%v: %s", err, b.String())
	}

	b.Reset()
	if log, err = NewLogger(&b, "", "text"); err != nil {
		t.Fatal(err)
	}
	log.Debug("not told")
	log.Info("told")
	if got := b.String(); !strings.Contains(got, "msg=told") || strings.Contains(got, "not told") {
		t.Errorf("got %s", got)
	}
}

func TestUnknownLevelsAndFormatsAreRefused(t *testing.T) {
	if _, err := NewLogger(nil, "loud", ""); err == nil || !strings.Contains(err.Error(), `"loud"`) {
		t.Error(err)
	}
	if _, err := NewLogger(nil, "", "xml"); err == nil || !strings.Contains(err.Error(), `"xml"`) {
		t.Error(err)
	}
}
