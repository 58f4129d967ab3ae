package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// upstream starts a small API for the script and puts its URL into $UPSTREAM: upstream KIND. It ends with the script.
//
//	pets    answers as petstore.yaml says, if it is shown the right credential
//	html    answers everything with a login page
//	large   answers with 11 MiB of JSON
//	silent  never answers
//	busy    answers 429 with Retry-After: 120
//	spec    answers with a document whose server is relative
//	bearer  says whether it was shown a token
//	down    is not there
func upstream(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: upstream KIND")
	}
	handlers := map[string]http.HandlerFunc{
		"pets": answerPets, "html": answerHTML, "large": answerLarge, "silent": answerNothing, "busy": answerBusy, "spec": answerSpec, "bearer": answerBearer, "down": nil,
	}
	handler, ok := handlers[args[0]]
	if !ok {
		ts.Fatalf("there is no upstream of kind %s", args[0])
	}
	server := httptest.NewServer(handler)
	ts.Setenv("UPSTREAM", server.URL)
	if handler == nil {
		server.Close() // the port was free a moment ago, and nobody listens there
		return
	}
	ts.Defer(func() {
		server.CloseClientConnections() // a silent one would keep Close waiting
		server.Close()
	})
}

func answerBearer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"shown": %t}`, strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "))
}

func answerPets(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer s3cr3t-token" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"message": "who are you?"}`)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch r.Method + " " + r.URL.Path {
	case "GET /pets":
		fmt.Fprintf(w, `[{"id": 9007199254740993, "name": "Rex", "query": %q}]`, r.URL.RawQuery)
	case "GET /pets/7":
		fmt.Fprint(w, `{"id": 7, "name": "Rex"}`)
	case "POST /pets":
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusCreated)
		w.Write(body)
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message": "no such pet"}`)
	}
}

func answerHTML(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, `<!doctype html><html><head><title>Please log in</title></head><body>hello</body></html>`)
}

func answerLarge(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `[%s"x"]`, strings.Repeat(`"0123456789abcdef",`, (11<<20)/19))
}

func answerNothing(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func answerBusy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "120")
	w.WriteHeader(http.StatusTooManyRequests)
}

func answerSpec(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"openapi": "3.1.0", "info": {"title": "Remote API", "version": "1"}, "servers": [{"url": "/v2"}],
		"paths": {"/things": {"get": {"operationId": "listThings", "responses": {"200": {"description": "ok"}}}}}}`)
}

// taken holds a port of this machine until the script ends, and puts its address into $TAKEN.
func taken(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: taken")
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv("TAKEN", l.Addr().String())
	ts.Setenv("TAKEN_PORT", port)
	ts.Defer(func() { _ = l.Close() })
}

// freePort is a port of this machine that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
