package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pipe is a client on the other end of ServeStdio.
type pipe struct {
	testing.TB
	in    *io.PipeWriter
	out   *bufio.Scanner
	ended chan error
}

// dial starts ServeStdio.
func dial(ctx context.Context, t testing.TB, g *Gateway) *pipe {
	t.Helper()
	inReader, inWriter := io.Pipe()
	outReader, outWriter := io.Pipe()
	p := &pipe{TB: t, in: inWriter, out: bufio.NewScanner(outReader), ended: make(chan error, 1)}
	go func() {
		p.ended <- g.ServeStdio(ctx, inReader, outWriter)
		outWriter.Close()
	}()
	t.Cleanup(func() { inWriter.Close(); outReader.Close() })
	return p
}

func (p *pipe) say(message string) {
	p.Helper()
	if _, err := io.WriteString(p.in, message+"\n"); err != nil {
		p.Fatal(err)
	}
}

// hear reads one message, and fails where out carries anything else.
func (p *pipe) hear() map[string]any {
	p.Helper()
	if !p.out.Scan() {
		p.Fatalf("out ended: %v", p.out.Err())
	}
	var message map[string]any
	if err := json.Unmarshal(p.out.Bytes(), &message); err != nil || message["jsonrpc"] != "2.0" {
		p.Fatalf("not a message: %s", p.out.Text())
	}
	return message
}

func TestStdio(t *testing.T) {
	g := newGateway(t, setup{})
	p := dial(t.Context(), t, g)
	p.say(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	if got := p.hear()["result"].(map[string]any)["protocolVersion"]; got != "2025-11-25" {
		t.Errorf("initialize: %v", got)
	}
	p.say(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	p.say("")
	p.say(listings[0].message)
	if got := p.hear()["result"].(map[string]any)["tools"].([]any); len(got) != 3 {
		t.Errorf("tools/list: %v", got)
	}
	p.say(`{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{` + modern + `}}`)
	if got := p.hear()["result"].(map[string]any); got["resultType"] != "complete" || got["ttlMs"] != 0.0 {
		t.Errorf("tools/list of 2026-07-28: %v", got)
	}
	p.say(callGetPet)
	if got := p.hear()["result"].(map[string]any)["structuredContent"].(map[string]any)["ok"]; got != true {
		t.Errorf("tools/call: %v", got)
	}
	for _, tt := range []struct {
		line string
		code float64
	}{{`{`, -32700}, {`garbage`, -32700}, {`[]`, -32600}, {`{"jsonrpc":"2.0","id":9,"method":"nope"}`, -32601}} {
		p.say(tt.line)
		if got := p.hear(); got["error"].(map[string]any)["code"] != tt.code {
			t.Errorf("%s: %v", tt.line, got)
		}
	}
	p.say(`{"jsonrpc":"2.0","id":7,"result":{}}`) // an answer to what nobody asked
	p.say(`{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"x"}}`)
	p.in.Close()
	if err := within(t, p.ended, "the end of input ends it"); err != nil {
		t.Error(err)
	}
	if p.out.Scan() {
		t.Errorf("said unasked: %s", p.out.Text())
	}
}

// mcp-go's own stdio would cancel the call.
func TestStdioAnswersWhatIsUnderWayAtTheEnd(t *testing.T) {
	upstream := newHanging()
	p := dial(t.Context(), t, newGateway(t, setup{upstream: upstream}))
	if _, err := io.WriteString(p.in, callGetPet); err != nil { // and no end of line
		t.Fatal(err)
	}
	p.in.Close()
	within(t, upstream.called, "the call")
	close(upstream.release)
	if got := p.hear(); got["result"].(map[string]any)["structuredContent"].(map[string]any)["ok"] != true {
		t.Errorf("%v", got)
	}
	if err := within(t, p.ended, "the end"); err != nil {
		t.Error(err)
	}
}

func TestStdioGivesUpAfterTheGrace(t *testing.T) {
	upstream := newHanging()
	p := dial(t.Context(), t, newGateway(t, setup{upstream: upstream, yaml: "server: {shutdown_grace: 10ms}\n"}))
	p.say(callGetPet)
	within(t, upstream.called, "the call")
	p.in.Close()
	within(t, upstream.gone, "the call is cancelled")
	if got := p.hear()["result"].(map[string]any)["isError"]; got != true {
		t.Errorf("%v", got)
	}
	if err := within(t, p.ended, "the end"); err != nil {
		t.Error(err)
	}
}

func TestStdioEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	upstream := newHanging()
	p := dial(ctx, t, newGateway(t, setup{upstream: upstream}))
	p.say(callGetPet)
	within(t, upstream.called, "the call")
	cancel() // the call under way still has its grace
	close(upstream.release)
	if got := p.hear()["result"].(map[string]any)["structuredContent"].(map[string]any)["ok"]; got != true {
		t.Errorf("%v", got)
	}
	if err := within(t, p.ended, "the end"); err != nil {
		t.Error(err)
	}
}

// A client that neither reads nor goes does not keep the gateway.
func TestStdioDoesNotWaitForAClientThatDoesNotRead(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := dial(ctx, t, newGateway(t, setup{yaml: "server: {shutdown_grace: 10ms}\n"}))
	p.say(callGetPet)
	p.say(strings.Replace(callGetPet, `"id":1,`, `"id":2,`, 1))
	cancel()
	if err := within(t, p.ended, "the end"); err == nil {
		t.Error("no error says that answers were lost")
	}
}

func TestStdioCancellation(t *testing.T) {
	upstream := newHanging()
	p := dial(t.Context(), t, newGateway(t, setup{upstream: upstream}))
	p.say(callGetPet)
	// At once, before the call can have started: it must not be missed.
	p.say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"changed my mind"}}`)
	p.say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}`)
	p.say(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	if got := p.hear(); got["id"] != 2.0 {
		t.Errorf("a cancelled call was answered: %v", got)
	}
	p.in.Close()
	if err := within(t, p.ended, "the end"); err != nil {
		t.Error(err)
	}
	if p.out.Scan() {
		t.Errorf("a cancelled call was answered: %s", p.out.Text())
	}
}

// Notifications come before the result they belong to, every time.
func TestStdioProgress(t *testing.T) {
	p := dial(t.Context(), t, newGateway(t, setup{}))
	p.say(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	p.hear()
	for i := range 30 {
		p.say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"getPet","arguments":{"id":1},"_meta":{"progressToken":%d}}}`, i, i))
		for range 2 {
			if got := p.hear(); got["method"] != "notifications/progress" || got["params"].(map[string]any)["progressToken"] != float64(i) {
				t.Fatalf("call %d: %v", i, got)
			}
		}
		if got := p.hear(); got["id"] != float64(i) || got["result"] == nil {
			t.Fatalf("call %d: %v", i, got)
		}
	}
}

func TestStdioLineLimit(t *testing.T) {
	p := dial(t.Context(), t, newGateway(t, setup{yaml: "server: {max_body: 10KiB}\n"}))
	p.say(strings.Repeat("x", 100_000))
	if got := p.hear()["error"].(map[string]any)["message"]; got != "the message is larger than server.max_body" {
		t.Errorf("%v", got)
	}
	p.say(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	if got := p.hear(); got["id"] != 2.0 {
		t.Errorf("after it: %v", got)
	}
}

func TestStdioRefusesAnIDThatIsInUse(t *testing.T) {
	upstream := newHanging()
	p := dial(t.Context(), t, newGateway(t, setup{upstream: upstream}))
	p.say(callGetPet)
	within(t, upstream.called, "the call")
	p.say(callGetPet)
	if got := p.hear(); got["error"] == nil {
		t.Errorf("%v", got)
	}
	close(upstream.release)
	if got := p.hear(); got["result"] == nil {
		t.Errorf("%v", got)
	}
}

// A listen lasts as long as the input, and is told of changes.
func TestStdioListen(t *testing.T) {
	g := newGateway(t, setup{})
	p := dial(t.Context(), t, g)
	p.say(`{"jsonrpc":"2.0","id":"l","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` + modern + `}}`)
	if got := p.hear(); got["method"] != "notifications/subscriptions/acknowledged" {
		t.Errorf("%v", got)
	}
	publishing(t, g, handMade("tool", `{"type":"object"}`))
	if got := p.hear(); got["method"] != "notifications/tools/list_changed" {
		t.Errorf("%v", got)
	}
	p.in.Close()
	if got := p.hear(); got["id"] != "l" || got["result"] == nil {
		t.Errorf("the listen's end: %v", got)
	}
	if err := within(t, p.ended, "the end"); err != nil {
		t.Error(err)
	}
}

func TestStdioCallerIsLocal(t *testing.T) {
	var log bytes.Buffer
	g := newGateway(t, setup{
		yaml:    "auth: {mode: api_key, api_key: {keys: [{name: ci, sha256: " + strings.Repeat("00", 32) + "}]}}\n",
		options: Options{Logger: slog.New(slog.NewJSONHandler(&log, nil))},
	})
	p := dial(t.Context(), t, g)
	p.say(callGetPet)
	p.hear()
	p.in.Close()
	within(t, p.ended, "the end")
	if !strings.Contains(log.String(), `"caller":"local"`) {
		t.Errorf("the log: %s", log.String())
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestStdioSaysWhyItBroke(t *testing.T) {
	g := newGateway(t, setup{})
	err := g.ServeStdio(t.Context(), strings.NewReader(callGetPet+"\n"), brokenPipe{})
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v", err)
	}
}

func TestReadLine(t *testing.T) {
	reader := bufio.NewReaderSize(strings.NewReader("one\r\n"+strings.Repeat("x", 50)+"\ntwo\n\n"+strings.Repeat("y", 50)), 16)
	var got []string
	for {
		l := readLine(reader, 40)
		got = append(got, fmt.Sprintf("%s|%v", strings.TrimSpace(string(l.text)), l.err))
		if errors.Is(l.err, io.EOF) {
			break
		}
	}
	want := []string{"one|<nil>", "|line too long", "two|<nil>", "|<nil>", "|line too long", "|EOF"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
