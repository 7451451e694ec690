package compare

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// errBounds means that a body is beyond a limit: nothing is wrong with it, but
// it won't be read.
var errBounds = errors.New("beyond the limits")

var gzips = sync.Pool{New: func() any { return new(gzip.Reader) }}

// decode undoes the content codings of a body, the last first, under the
// limits of size and ratio. Without a coding it returns body itself.
func decode(encoding, body []byte, limits Limits) ([]byte, error) {
	if len(body) > limits.Body {
		return nil, fmt.Errorf("%d bytes, %w", len(body), errBounds)
	}
	codings := strings.Split(strings.ToLower(string(encoding)), ",")
	if len(codings) > 4 {
		return nil, fmt.Errorf("%d content codings, %w", len(codings), errBounds)
	}
	for i := len(codings) - 1; i >= 0; i-- {
		coding := strings.TrimSpace(codings[i])
		if coding == "" || coding == "identity" || len(body) == 0 {
			continue
		}
		var err error
		if body, err = undo(coding, body, limits); err != nil {
			return nil, fmt.Errorf("content coding %s: %w", coding, err)
		}
	}
	return body, nil
}

func undo(coding string, body []byte, limits Limits) ([]byte, error) {
	in := bytes.NewReader(body)
	var out io.Reader
	switch coding {
	case "gzip", "x-gzip":
		z := gzips.Get().(*gzip.Reader)
		defer gzips.Put(z)
		if err := z.Reset(in); err != nil {
			return nil, err
		}
		out = z
	case "deflate":
		// By the standard a zlib stream, in the field often a bare one.
		if z, err := zlib.NewReader(in); err == nil {
			out = z
		} else {
			out = flate.NewReader(bytes.NewReader(body))
		}
	case "br":
		out = brotli.NewReader(in)
	case "zstd":
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		out = z
	default:
		return nil, fmt.Errorf("unknown, %w", errBounds)
	}
	most := min(limits.Body, max(1<<20, len(body)*limits.Ratio))
	var b bytes.Buffer
	b.Grow(min(most, len(body)*4) + 512)
	n, err := io.Copy(&b, io.LimitReader(out, int64(most)+1))
	if err != nil {
		return nil, err
	}
	if n > int64(most) {
		return nil, fmt.Errorf("%d bytes became more than %d, %w", len(body), most, errBounds)
	}
	return b.Bytes(), nil
}
