// Command corpus takes every OpenAPI document of a folder through the whole way: load, compile, draw arguments from
// each tool's own schema, send the request, and have it judged against the original document by kin-openapi's
// validator, which shares no code with us.
//
//	go run ./internal/bench/corpus DIR
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: corpus DIR")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

// run measures every document of a folder and prints what came of them.
func run(ctx context.Context, folder string, out io.Writer) error {
	outcomes, err := measureAll(ctx, folder)
	if err != nil {
		return err
	}
	return report(out, outcomes)
}

func measureAll(ctx context.Context, folder string) ([]outcome, error) {
	names, err := documents(folder)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no documents in %s", filepath.Clean(folder))
	}
	upstream := newRecorder()
	defer upstream.Close()
	var outcomes []outcome
	for _, name := range names {
		outcomes = append(outcomes, measure(ctx, name, upstream))
	}
	return outcomes, nil
}

// report prints a line for each document, each rejection with its reason, and the sums.
func report(out io.Writer, outcomes []outcome) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "document\tversion\toperations\ttools\tlost\twarnings\trenamed\tlargest\tcorrected\taccepted\tseconds\t")
	for _, o := range outcomes {
		accepted := fmt.Sprintf("%d/%d", o.accepted, o.requests)
		if o.unjudged != nil {
			accepted = "kin refuses"
		}
		if o.err != nil {
			fmt.Fprintf(table, "%s\tdoes not load\t\t\t\t\t\t\t\t\t\t\n", o.name)
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%.2f\t\n", o.name, o.version, o.operations, o.tools, o.lost,
			o.warnings, o.renamed, o.largest, o.corrected, accepted, o.seconds)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, o := range outcomes {
		if o.err != nil {
			fmt.Fprintf(out, "%s: %v\n", o.name, o.err)
		}
		for _, r := range o.rejections {
			first, _, _ := strings.Cut(r.reason, "\n") // kin-openapi goes on with schema and value
			fmt.Fprintf(out, "%s: %s (%s): %.500s%s\n", o.name, r.tool, r.variant, first, because(r.reason))
		}
	}
	_, err := fmt.Fprintln(out, sum(outcomes))
	return err
}

// totals are the sums over all documents.
type totals struct {
	documents, loaded, operations, tools, lost, requests, accepted int
	peak                                                           uint64 // bytes of memory
}

func sum(outcomes []outcome) totals {
	t := totals{documents: len(outcomes), peak: peakMemory()}
	for _, o := range outcomes {
		if o.err == nil {
			t.loaded++
		}
		t.operations += o.operations
		t.tools += o.tools
		t.lost += o.lost
		t.requests += o.requests
		t.accepted += o.accepted
	}
	return t
}

// share is that of the requests which were accepted, 0 to 1.
func (t totals) share() float64 { return float64(t.accepted) / float64(max(t.requests, 1)) }

// String is the line at the end.
func (t totals) String() string {
	return fmt.Sprintf("%d of %d documents load; %d operations, %d tools, %d lost; kin-openapi accepts %d of %d requests (%.2f %%); peak memory %d MiB",
		t.loaded, t.documents, t.operations, t.tools, t.lost, t.accepted, t.requests, 100*t.share(), t.peak>>20)
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMemory is the process's peak resident memory where the system tells it, else what Go has taken from it.
func peakMemory() uint64 {
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		if m := highWater.FindSubmatch(status); m != nil {
			if kilobytes, err := strconv.ParseUint(string(m[1]), 10, 64); err == nil {
				return kilobytes << 10
			}
		}
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Sys
}
