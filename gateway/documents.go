package gateway

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"mcpgate/config"
	"mcpgate/specs"
)

// maxLoading bounds the documents that are read at once: each may be some hundred megabytes while it is.
const maxLoading = 4

// read reads the documents of every upstream, several at once. What can't be read is a problem of the place that names it.
func (c *compiled) read(ctx context.Context, cfg *config.Config, loader specs.Loader) {
	var mu sync.Mutex
	var work errgroup.Group
	work.SetLimit(maxLoading)
	unmatched := map[*config.Upstream][]specs.Warning{}
	for _, name := range slices.Sorted(maps.Keys(cfg.Upstreams)) {
		u := cfg.Upstreams[name]
		overlays, problems := readOverlays(ctx, cfg, loader, u)
		if len(problems) > 0 {
			// Its documents as they are might offer what an overlay was to take away.
			mu.Lock()
			c.report.Problems = append(c.report.Problems, problems...)
			mu.Unlock()
			continue
		}
		documents := make([]*specs.Document, len(u.Spec))
		c.documents[name] = documents
		own := loader
		own.Overlays = overlays
		for i, location := range u.Spec {
			work.Go(func() error {
				doc, warnings, err := own.Load(ctx, location)
				mu.Lock()
				defer mu.Unlock()
				for _, w := range warnings {
					if w.Kind == specs.Unmatched {
						unmatched[u] = append(unmatched[u], w)
					} else {
						c.report.Warnings = append(c.report.Warnings, w)
					}
				}
				if err != nil {
					path := u.Path().Child("spec", strconv.Itoa(i))
					c.report.Problems = append(c.report.Problems, cfg.Problem(path, documentError(err), ""))
				}
				documents[i] = doc
				return nil
			})
		}
	}
	_ = work.Wait() // no function above returns an error: each is a problem of its document
	for u, list := range unmatched {
		c.report.Warnings = append(c.report.Warnings, inAll(list, len(u.Spec))...)
	}
	for name, documents := range c.documents {
		c.documents[name] = slices.DeleteFunc(documents, func(d *specs.Document) bool { return d == nil })
	}
}

// readOverlays reads those of one upstream.
func readOverlays(ctx context.Context, cfg *config.Config, loader specs.Loader, u *config.Upstream) ([]*specs.Overlay, config.Problems) {
	var overlays []*specs.Overlay
	var problems config.Problems
	for i, location := range u.Overlays {
		overlay, err := loader.Overlay(ctx, location)
		if err != nil {
			problems = append(problems, cfg.Problem(u.Path().Child("overlays", strconv.Itoa(i)), documentError(err), ""))
			continue
		}
		overlays = append(overlays, overlay)
	}
	return overlays, problems
}

// inAll returns the warnings that each of n documents gave: a target that one of an upstream's documents has is no mistake.
func inAll(list []specs.Warning, n int) []specs.Warning {
	times := map[specs.Warning]int{}
	var all []specs.Warning
	for _, w := range list {
		if times[w]++; times[w] == n {
			all = append(all, w)
		}
	}
	return all
}
