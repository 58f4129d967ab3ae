package mapping

import (
	"bufio"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"mcpgate/internal/fault"
)

// uncompressed returns the body as it was before its Content-Encoding. net/http undoes the gzip that it asked for; some
// stores send what they have compressed without being asked.
func (t *Tool) uncompressed(resp *http.Response) (io.Reader, error) {
	coding := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding")))
	if coding == "" || coding == "identity" || resp.Uncompressed {
		return resp.Body, nil
	}
	body := bufio.NewReader(resp.Body)
	if _, err := body.Peek(1); err != nil {
		return body, nil // nothing there, or an error that reading tells
	}
	var reader io.Reader
	var err error
	switch coding {
	case "gzip", "x-gzip":
		reader, err = gzip.NewReader(body)
	case "deflate":
		reader, err = zlib.NewReader(body)
	default:
		err = errors.ErrUnsupported
	}
	if err != nil {
		return nil, t.unreadable(resp, coding, err)
	}
	return codedReader{reader, func(err error) error { return t.unreadable(resp, coding, err) }}, nil
}

func (t *Tool) unreadable(resp *http.Response, coding string, cause error) error {
	f := fault.New(fault.UnexpectedResponse, fmt.Sprintf("%s answered %d with a body compressed as %s, which can't be read",
		t.Upstream, resp.StatusCode, cutText(oneLine(coding), 20)), cause)
	f.Upstream = &fault.Upstream{Status: resp.StatusCode, RequestID: requestID(resp.Header)}
	return f
}

// codedReader turns the errors of a decompression into faults.
type codedReader struct {
	reader io.Reader
	fail   func(error) error
}

func (r codedReader) Read(p []byte) (int, error) {
	n, err := r.reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.fail(err)
	}
	return n, err
}
