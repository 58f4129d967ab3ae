package mapping

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strings"

	"mcpgate/config"
)

// How much a word counts by where it stands, and how strongly a long text thins its words out (BM25's b and k1).
const (
	weightName     = 2.5
	weightTitle    = 3.0
	weightPath     = 1.2
	weightResource = 1.0 // the last fixed segment of the path, besides
	weightTag      = 1.0
	weightSummary  = 1.2 // the first sentence of the description
	weightText     = 0.4 // the rest of it
	weightArgument = 0.4
	weightMethod   = 0.8
	weightUpstream = 0.4

	thinning   = 0.5
	saturation = 1.4
)

// What a word of a query counts where the index has only a relative of it.
const (
	likeSynonym = 0.6
	likeLonger  = 0.5 // the query's word is the beginning of the index's
	likeShorter = 0.4 // the other way around
	likeTypo    = 0.6
	likeJoined  = 0.9 // two words of the query are one of the index
)

// unasked is what a tool counts that reads where the query asks to change something, or the other way around, and one
// that deletes where nothing is said of it.
const unasked = 0.8

// fewestShare is the part of the best hit's score that a hit has to reach.
const fewestShare = 0.25

// Index finds tools by words, ranked as BM25 does over their names, titles, paths, tags, descriptions and arguments. It
// is immutable and safe for concurrent use.
type Index struct {
	tools    []*Tool
	postings map[string][]posting // by term, in the order of tools
	terms    []string             // sorted
	titled   []int                // of each tool: the words of its title
}

// posting says how much a term says about a tool.
type posting struct {
	tool   int32
	titled bool // it stands in the tool's title
	weight float32
}

// Hit is a tool that a search found.
type Hit struct {
	Tool  *Tool
	Score float64 // comparable within one search
}

// NewIndex indexes tools. Their order does not matter to what is found.
func NewIndex(tools []*Tool) *Index {
	x := &Index{tools: slices.SortedFunc(slices.Values(tools), byName), postings: map[string][]posting{},
		titled: make([]int, len(tools))}
	texts := make([][]passage, len(tools))
	lengths := map[int]int{} // of all passages of a kind together
	for i, t := range x.tools {
		texts[i] = passages(t)
		for kind, p := range texts[i] {
			lengths[kind] += len(p.terms)
		}
	}
	for i := range x.tools {
		weights, titled := map[string]float64{}, map[string]bool{}
		for kind, p := range texts[i] {
			average := float64(lengths[kind]) / float64(len(tools))
			thin := 1 - thinning + thinning*float64(len(p.terms))/max(average, 1)
			for _, term := range p.terms {
				weights[term] += p.weight / thin
				if p.title {
					titled[term] = true
				}
			}
		}
		x.titled[i] = len(titled)
		for term, w := range weights {
			x.postings[term] = append(x.postings[term], posting{int32(i), titled[term], float32(w / (saturation + w))})
		}
	}
	x.terms = sortedKeys(x.postings)
	return x
}

func byName(a, b *Tool) int { return cmp.Compare(a.Name, b.Name) }

// passage is a text of a tool, and what its words count.
type passage struct {
	weight float64
	terms  []string
	title  bool
}

// passages are the texts by which a tool is found, of each tool in the same order.
func passages(t *Tool) []passage {
	summary, rest := t.Description, ""
	if i := strings.Index(summary, ". "); i >= 0 {
		summary, rest = summary[:i], summary[i+1:]
	}
	path := placeholder.ReplaceAllString(t.Path, "/")
	fixed := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	resource := ""
	if len(fixed) > 0 {
		resource = fixed[len(fixed)-1]
	}
	return []passage{
		{weight: weightName, terms: terms(t.Name)},
		{weight: weightTitle, terms: terms(t.Title), title: true},
		{weight: weightPath, terms: terms(path)},
		{weight: weightResource, terms: terms(resource)},
		{weight: weightTag, terms: terms(strings.Join(t.Tags, " "))},
		{weight: weightSummary, terms: terms(summary)},
		{weight: weightText, terms: terms(rest)},
		{weight: weightArgument, terms: terms(strings.Join(t.names, " "))},
		{weight: weightMethod, terms: terms(intent(t))},
		{weight: weightUpstream, terms: terms(t.Upstream)},
	}
}

// intent is the verb that a request's method stands for.
func intent(t *Tool) string {
	switch t.Method {
	case http.MethodPost:
		return "create"
	case http.MethodPut, http.MethodPatch:
		return "update"
	case http.MethodDelete:
		return "delete"
	case http.MethodGet:
		if !strings.HasSuffix(t.Path, "}") {
			return "list"
		}
		return "get"
	}
	return ""
}

// Search returns the tools that fit the query, the best first, at most limit. Equal ones come by name. A keep that is not
// nil says which tools count.
func (x *Index) Search(query string, limit int, keep func(*Tool) bool) []Hit {
	n := len(x.tools)
	scores, covered, titled := make([]float64, n), make([]float64, n), make([]int, n)
	best, bestTitled := make([]float64, n), make([]bool, n)
	share := make([]float64, n)
	var touched []int32
	total := 0.0
	for _, word := range x.read(query) {
		total += word.idf
		touched = touched[:0]
		for _, like := range word.like {
			for _, p := range x.postings[like.term] {
				value := like.factor * word.idf * float64(p.weight)
				if best[p.tool] == 0 {
					touched = append(touched, p.tool)
				}
				best[p.tool] = max(best[p.tool], value)
				share[p.tool] = max(share[p.tool], like.factor)
				bestTitled[p.tool] = bestTitled[p.tool] || p.titled
			}
		}
		for _, i := range touched {
			scores[i] += best[i]
			covered[i] += share[i] * word.idf
			if bestTitled[i] {
				titled[i]++
			}
			best[i], share[i], bestTitled[i] = 0, 0, false
		}
	}
	var hits []Hit
	changes, removes := leaning(query)
	for i, score := range scores {
		if score == 0 || keep != nil && !keep(x.tools[i]) {
			continue
		}
		// A tool that has all of the query's words is meant, not one that has the rarest of them often; and of two, the
		// one whose title has no others: "create issue" is not "create issue comment".
		precision := min(float64(titled[i])/float64(max(x.titled[i], 1)), 1)
		score *= covered[i] / total * (1 + precision)
		if changes == x.tools[i].Annotations.ReadOnly {
			score *= unasked
		}
		if x.tools[i].Method == http.MethodDelete && !removes {
			score *= unasked
		}
		hits = append(hits, Hit{x.tools[i], score})
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	for i, hit := range hits {
		if i == limit || hit.Score < fewestShare*hits[0].Score {
			return hits[:i]
		}
	}
	return hits
}

// rarity is how much a word of a query tells tools apart (BM25's idf). Synonyms are as common as the commonest of them:
// where all others update, one tool that edits is not what "edit a message" is about.
func (x *Index) rarity(like []likeness) float64 {
	common := 0
	for _, l := range like {
		if l.factor >= likeSynonym || common == 0 {
			common = max(common, len(x.postings[l.term]))
		}
	}
	n, of := float64(common), float64(len(x.tools))
	return math.Log(1 + (of-n+0.5)/(n+0.5))
}

// word is one word of a query, and what stands for it in the index.
type word struct {
	idf  float64
	like []likeness
}

type likeness struct {
	term   string
	factor float64
}

// maxQueryWords bounds what is looked for: a model may send a page.
const maxQueryWords = 24

// read takes a query apart. A word that is nowhere in the index, not even nearly, does not count.
func (x *Index) read(query string) []word {
	wanted := terms(cut(query, 64*maxQueryWords))
	if len(wanted) > maxQueryWords {
		wanted = wanted[:maxQueryWords]
	}
	var out []word
	seen := map[string]bool{}
	for i, term := range wanted {
		if seen[term] {
			continue
		}
		seen[term] = true
		w := word{like: x.alike(term)}
		for _, joined := range neighbours(wanted, i) {
			if len(x.postings[joined]) > 0 {
				w.like = append(w.like, likeness{joined, likeJoined})
			}
		}
		if len(w.like) > 0 {
			w.idf = x.rarity(w.like)
			out = append(out, w)
		}
	}
	return out
}

// neighbours are the words that i makes with the one before and the one behind it: web hook is webhook.
func neighbours(words []string, i int) []string {
	var out []string
	if i > 0 {
		out = append(out, words[i-1]+words[i])
	}
	if i+1 < len(words) {
		out = append(out, words[i]+words[i+1])
	}
	return out
}

// alike are the terms of the index that may be meant by one of a query.
func (x *Index) alike(term string) []likeness {
	var out []likeness
	add := func(other string, factor float64) {
		if len(x.postings[other]) > 0 && !slices.ContainsFunc(out, func(l likeness) bool { return l.term == other }) {
			out = append(out, likeness{other, factor})
		}
	}
	add(term, 1)
	for _, other := range synonyms[term] {
		add(other, likeSynonym)
	}
	if len(term) >= 3 {
		from, _ := slices.BinarySearch(x.terms, term)
		for _, other := range x.terms[from:min(from+16, len(x.terms))] {
			if strings.HasPrefix(other, term) {
				add(other, likeLonger)
			}
		}
		for end := 4; end < len(term); end++ {
			add(term[:end], likeShorter)
		}
	}
	if len(out) == 0 {
		for _, other := range x.misspelt(term) {
			add(other, likeTypo)
		}
	}
	return out
}

// misspelt are the terms that a slip of the finger away. The first letter is taken to be right, which keeps this cheap.
func (x *Index) misspelt(term string) []string {
	slips := 1
	switch {
	case len(term) < 4 || !isASCII(term): // distances are in bytes
		return nil
	case len(term) >= 8:
		slips = 2
	}
	var out []string
	from, _ := slices.BinarySearch(x.terms, term[:1])
	for _, other := range x.terms[from:] {
		if other[0] != term[0] {
			break
		}
		if d := len(other) - len(term); -slips <= d && d <= slips && config.EditDistance(term, other) <= slips {
			out = append(out, other)
		}
	}
	return out
}

// Nearest returns the names of tools that somebody may have meant who wrote name: misspelt, or in other words. The best
// come first.
func (x *Index) Nearest(name string, most int) []string {
	type near struct {
		name     string
		distance int
	}
	var nearby []near
	for _, t := range x.tools {
		if d := config.EditDistance(strings.ToLower(name), strings.ToLower(t.Name)); d <= len(name)/4 {
			nearby = append(nearby, near{t.Name, d})
		}
	}
	slices.SortStableFunc(nearby, func(a, b near) int { return cmp.Compare(a.distance, b.distance) })
	var names []string
	for _, n := range nearby {
		names = append(names, n.name)
	}
	for _, hit := range x.Search(name, most, nil) {
		if !slices.Contains(names, hit.Tool.Name) {
			names = append(names, hit.Tool.Name)
		}
	}
	return names[:min(most, len(names))]
}
