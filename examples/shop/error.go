package shop

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// An Error is what a customer is told, with the status that goes with it.
type Error struct {
	Status int    `json:"status"`
	Text   string `json:"message"`
}

func (e *Error) Error() string { return e.Text }

func errorf(status int, format string, args ...any) error {
	return &Error{status, fmt.Sprintf(format, args...)}
}

// AsError returns err as an [Error]; one of another kind is a 500 that says nothing.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{http.StatusInternalServerError, "something went wrong"}
}

// WriteError answers a request of the API with err.
func WriteError(w http.ResponseWriter, err error) {
	e := AsError(err)
	w.Header().Set("Cache-Control", "no-store")
	WriteJSON(w, e.Status, "application/problem+json", e)
}

// WriteJSON answers a request of the API with a document.
func WriteJSON(w http.ResponseWriter, status int, contentType string, document any) {
	body, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		http.Error(w, "something went wrong", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}
