// Command footprint starts the built program on a gateway.yaml and prints how long it takes until it is ready, and how
// much memory it holds then and after some calls. Linux only: it reads /proc.
//
//	go run ./internal/bench/footprint [-c gateway.yaml] [-runs 5]
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	file := flag.String("c", "gateway.yaml", "the gateway.yaml to start with")
	runs := flag.Int("runs", 5, "how often to start")
	flag.Parse()
	if err := run(*file, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "footprint:", err)
		os.Exit(1)
	}
}

// sample is what one start showed.
type sample struct {
	ready     time.Duration // from exec to the first 200 of /readyz
	idle, max int           // resident memory in KiB: when ready, and the peak after 200 listings
}

func run(file string, runs int) error {
	folder, err := os.MkdirTemp("", "footprint-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	program := filepath.Join(folder, "mcpgate")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./cmd/mcpgate")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	size, err := os.Stat(program)
	if err != nil {
		return err
	}
	var samples []sample
	for range runs {
		s, err := measure(program, file)
		if err != nil {
			return err
		}
		samples = append(samples, s)
	}
	slices.SortFunc(samples, func(a, b sample) int { return int(a.ready - b.ready) })
	median := samples[len(samples)/2]
	fmt.Printf("binary %.1f MB; %d starts of %s\n", float64(size.Size())/1e6, runs, file)
	fmt.Printf("ready after: median %d ms, fastest %d ms, slowest %d ms\n",
		median.ready.Milliseconds(), samples[0].ready.Milliseconds(), samples[runs-1].ready.Milliseconds())
	fmt.Printf("resident: idle %.1f MB, peak after 200 listings %.1f MB\n", float64(median.idle)/1000, float64(median.max)/1000)
	return nil
}

func measure(program, file string) (sample, error) {
	address, err := freeAddress()
	if err != nil {
		return sample{}, err
	}
	var log bytes.Buffer
	cmd := exec.Command(program, "serve", "-c", file, "--listen", address)
	cmd.Stderr = &log
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return sample{}, err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for ask(ctx, http.MethodGet, "http://"+address+"/readyz", "") != nil {
		if ctx.Err() != nil {
			return sample{}, fmt.Errorf("%s is not ready after 30 s:\n%s", program, log.String())
		}
		time.Sleep(time.Millisecond)
	}
	s := sample{ready: time.Since(begin)}
	if s.idle, err = status(cmd.Process.Pid, "VmRSS"); err != nil {
		return sample{}, err
	}
	for range 200 {
		if err := ask(ctx, http.MethodPost, "http://"+address+"/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); err != nil {
			return sample{}, err
		}
	}
	s.max, err = status(cmd.Process.Pid, "VmHWM")
	return s, err
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func ask(ctx context.Context, method, url, body string) error {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", url, resp.StatusCode)
	}
	return nil
}

// status returns a figure of /proc/PID/status in KiB.
func status(pid int, field string) (int, error) {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			return strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
		}
	}
	return 0, fmt.Errorf("no %s in /proc", field)
}
