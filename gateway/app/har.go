package app

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// maxHAR bounds a HAR file, in bytes.
const maxHAR = 1 << 30

// A recorded request is one entry of a HAR file, as it can be asked again.
type recorded struct {
	Method string
	Target string // path and query
	Header http.Header
	Body   []byte
}

// readHAR reads the requests of an HTTP Archive (HAR 1.2) in their order.
func readHAR(path string) ([]recorded, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseHAR(io.LimitReader(f, maxHAR), path)
}

func parseHAR(r io.Reader, name string) ([]recorded, error) {
	var archive struct {
		Log struct {
			Entries []struct {
				Request struct {
					Method   string
					URL      string
					Headers  []struct{ Name, Value string }
					PostData *struct {
						MimeType string
						Text     string
						Encoding string // not in HAR 1.2, but written by some tools
					}
				}
			}
		}
	}
	if err := json.NewDecoder(r).Decode(&archive); err != nil {
		return nil, fmt.Errorf("%s is not a HAR file: %w", name, err)
	}
	if len(archive.Log.Entries) == 0 {
		return nil, fmt.Errorf("%s holds no requests; export it with your browser's network panel", name)
	}
	var out []recorded
	for i, e := range archive.Log.Entries {
		u, err := url.Parse(e.Request.URL)
		if err != nil || e.Request.Method == "" {
			return nil, fmt.Errorf("%s: entry %d: %q is not a request", name, i, e.Request.Method+" "+e.Request.URL)
		}
		if u.Scheme != "http" && u.Scheme != "https" {
			continue // data:, ws:, chrome-extension:
		}
		rec := recorded{Method: strings.ToUpper(e.Request.Method), Target: u.RequestURI(), Header: http.Header{}}
		for _, h := range e.Request.Headers {
			if replayable(h.Name) {
				rec.Header.Add(h.Name, h.Value)
			}
		}
		if p := e.Request.PostData; p != nil {
			rec.Body = []byte(p.Text)
			if p.Encoding == "base64" {
				if rec.Body, err = base64.StdEncoding.DecodeString(p.Text); err != nil {
					return nil, fmt.Errorf("%s: entry %d: its body is not base64: %w", name, i, err)
				}
			}
			if rec.Header.Get("Content-Type") == "" && p.MimeType != "" {
				rec.Header.Set("Content-Type", p.MimeType)
			}
		}
		out = append(out, rec)
	}
	return out, nil
}

// replayable leaves out what belonged to the recorded connection, and
// conditions, which would be answered with 304.
func replayable(name string) bool {
	if strings.HasPrefix(name, ":") { // pseudo-fields of HTTP/2
		return false
	}
	switch http.CanonicalHeaderKey(name) {
	case "Host", "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Transfer-Encoding", "Upgrade", "Content-Length",
		"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range":
		return false
	}
	return true
}
