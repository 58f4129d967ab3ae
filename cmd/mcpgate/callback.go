package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"mcpgate/auth/oauthproxy"
	"mcpgate/internal/fault"
)

// callback is where the provider sends the browser back to: a listener on loopback (RFC 8252 section 7.3) that lives for one login.
type callback struct {
	uri   string // redirect_uri
	state string // ties the answer to this login (RFC 6749 section 10.12)

	server   *http.Server
	arrived  chan arrival
	stranger chan struct{} // somebody came with another state
	done     chan struct{}
}

// arrival is the browser's request, which waits for its page.
type arrival struct {
	query url.Values
	page  chan<- error // what became of the login
}

// openCallback listens at host and port, 0 for a free one.
func openCallback(ctx context.Context, host string, port int, path string) (*callback, error) {
	listener, err := listen(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), "the login's answer", "--port")
	if err != nil {
		return nil, err
	}
	_, chosen, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, err
	}
	c := &callback{
		uri: "http://" + net.JoinHostPort(host, chosen) + path, state: randomText(),
		arrived: make(chan arrival), stranger: make(chan struct{}, 1), done: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path, c.serve)
	c.server = &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout, MaxHeaderBytes: maxHeaderBytes}
	go func() {
		defer close(c.done)
		_ = c.server.Serve(listener) // ends with close, whose errors matter to nobody
	}()
	return c, nil
}

// serve takes the one answer that is to this login. Whoever guesses at the address, another page in the browser too, can't end
// the login by it.
func (c *callback) serve(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(c.state)) != 1 {
		select {
		case c.stranger <- struct{}{}:
		default:
		}
		_ = oauthproxy.WriteDone(w, "This belongs to another login", "Go back to the terminal, and open the address that it shows.")
		return
	}
	result := make(chan error, 1)
	select {
	case c.arrived <- arrival{query, result}:
	case <-r.Context().Done():
		return
	}
	select {
	case err := <-result:
		c.tell(w, err)
	case <-r.Context().Done():
	}
}

// tell shows the person what became of it.
func (c *callback) tell(w http.ResponseWriter, err error) {
	title, text := "You are connected", "You can close this window and go back to the terminal."
	if err != nil {
		title, text = "You are not connected", "The login failed. The terminal says why; close this window and try again."
		if failed, ok := errors.AsType[*fault.Fault](err); ok && failed.Code == fault.LoginRequired {
			text = "The login was not completed. Close this window; to try again, run the command once more."
		}
	}
	_ = oauthproxy.WriteDone(w, title, text) // a window that is closed already misses nothing
}

// wait returns what the provider sent the browser back with; answer shows the page of how it ended. ctx bounds the wait.
func (c *callback) wait(ctx context.Context, stranger func()) (_ url.Values, answer func(error), _ error) {
	for {
		select {
		case a := <-c.arrived:
			return a.query, func(err error) { a.page <- err }, nil
		case <-c.stranger:
			stranger()
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// close lets the browser have its page, then ends the listener.
func (c *callback) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if c.server.Shutdown(ctx) != nil {
		_ = c.server.Close()
	}
	<-c.done
}

// randomText is 256 random bits, as a state, a nonce or a code_verifier takes them (RFC 7636 section 4.1).
func randomText() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(raw)
}

var _ fmt.Formatter = (*callback)(nil)

// Format keeps the state out of whatever is printed (fmt.Formatter).
func (c *callback) Format(s fmt.State, _ rune) { fmt.Fprint(s, c.uri) }
