package shop

import (
	"encoding/json"
	"mime"
	"net/http"
	"time"
)

// ReadJSON reads the body of a request of the API into a value.
func ReadJSON(w http.ResponseWriter, r *http.Request, into any) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return errorf(http.StatusUnsupportedMediaType, "send application/json")
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return errorf(http.StatusBadRequest, "the body is not what was expected: %v", err)
	}
	return nil
}

// Pace reads how often a stream is to send something: every=50ms, from 1ms to
// a minute, or usual.
func Pace(r *http.Request, usual time.Duration) (time.Duration, error) {
	text := r.URL.Query().Get("every")
	if text == "" {
		return usual, nil
	}
	every, err := time.ParseDuration(text)
	if err != nil || every < time.Millisecond || every > time.Minute {
		return 0, errorf(http.StatusBadRequest, "every=%s; it must be between 1ms and 1m", text)
	}
	return every, nil
}
