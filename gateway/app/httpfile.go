package app

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/ficus-gateway/ficus/migrations/compare"
)

// maxAnswerFile bounds a file with an answer, in bytes.
const maxAnswerFile = 64 << 20

// readAnswer reads an answer as "curl -i" writes it: status line, header,
// empty line, body. A chunked body as "curl -i --raw" writes it is read too.
func readAnswer(path string) (*compare.Answer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxAnswerFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxAnswerFile {
		return nil, fmt.Errorf("%s is larger than %d MiB", path, maxAnswerFile>>20)
	}
	return parseAnswer(text, path)
}

// writeAnswer writes an answer so that readAnswer reads it. It may hold
// secrets, and is nobody else's to read.
func writeAnswer(path string, a *compare.Answer) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "HTTP/1.1 %03d %s\r\n", a.Status, http.StatusText(a.Status))
	_ = a.Header.Write(&text) // memory takes everything
	text.WriteString("\r\n")
	text.Write(a.Body)
	return os.WriteFile(path, text.Bytes(), 0o600)
}

func parseAnswer(text []byte, name string) (*compare.Answer, error) {
	// "HTTP/2 200" has no minor version, which net/http wants.
	if rest, ok := bytes.CutPrefix(text, []byte("HTTP/2 ")); ok {
		text = append([]byte("HTTP/1.1 "), rest...)
	}
	head, body, ok := bytes.Cut(text, []byte("\r\n\r\n"))
	if !ok {
		if head, body, ok = bytes.Cut(text, []byte("\n\n")); !ok {
			head, body = bytes.TrimRight(text, "\r\n"), nil
		}
	}
	r, err := http.ReadResponse(bufio.NewReader(io.MultiReader(bytes.NewReader(head), bytes.NewReader([]byte("\r\n\r\n")))), nil)
	if err != nil {
		return nil, fmt.Errorf("%s is not an HTTP answer as \"curl -i\" writes it: %w", name, err)
	}
	if len(r.TransferEncoding) > 0 {
		if whole, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(text)), nil); err == nil {
			if decoded, err := io.ReadAll(whole.Body); err == nil {
				body = decoded // else curl has decoded it already
			}
		}
	}
	return &compare.Answer{Status: r.StatusCode, Header: r.Header, Body: body}, nil
}
