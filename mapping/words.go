package mapping

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// splitWords takes a name, a path or a text apart: listHTTPRoutes, /http_routes/{id} and "HTTP routes" have the words
// http and routes. They come in lower case.
func splitWords(s string) []string {
	var out []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			out = append(out, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case r == '\'' || r == '’': // user's is users
			continue
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			continue
		case unicode.IsUpper(r) && i > 0:
			before, follows := runes[i-1], i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if unicode.IsLower(before) || unicode.IsDigit(before) || unicode.IsUpper(before) && follows && !plural(runes, i) {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return out
}

// plural reports whether the letter at i ends an abbreviation that only has an s behind it: the R of PRs.
func plural(runes []rune, i int) bool {
	return runes[i+1] == 's' && (i+2 == len(runes) || !unicode.IsLower(runes[i+2]))
}

// silent are words that say nothing about which tool is meant.
var silent = wordSet(`a an the of for to in into on onto at with by from and or is are be been was am this that these those my
	me i we our you your it its who which what whose how do does can could please want need some any one given specified
	all there as if else about using via has have will new`)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}

// terms are the words of a text as the index knows them: without silent ones, stemmed.
func terms(text string) []string {
	var out []string
	for _, word := range splitWords(text) {
		switch {
		case silent[word]:
		case strings.ContainsFunc(word, ideographic):
			out = append(out, pairs(word)...)
		case len(word) <= maxWord:
			out = append(out, stem(word))
		}
	}
	return out
}

// maxWord bounds a word in bytes; what is longer is a key or a hash.
const maxWord = 40

// ideographic reports a letter of a script that puts no spaces between words.
func ideographic(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// pairs are the neighbouring letters of a text without spaces, which find it as well as its words would.
func pairs(text string) []string {
	runes := []rune(text)
	if len(runes) < 2 {
		return []string{text}
	}
	out := make([]string, len(runes)-1)
	for i := range out {
		out[i] = string(runes[i : i+2])
	}
	return out
}

// stem takes the endings off that a verb or a noun has by its grammar alone: creates, created, creating and create are
// one, and so are policy and policies. What is left need not be a word.
func stem(word string) string {
	if len(word) < 4 || !isASCII(word) {
		return word
	}
	switch {
	case strings.HasSuffix(word, "ies") && len(word) > 4:
		word = word[:len(word)-3] + "y"
	case strings.HasSuffix(word, "sses"), strings.HasSuffix(word, "xes"), strings.HasSuffix(word, "ches"), strings.HasSuffix(word, "shes"):
		word = word[:len(word)-2]
	case strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") && !strings.HasSuffix(word, "us") && !strings.HasSuffix(word, "is"):
		word = word[:len(word)-1]
	}
	for _, ending := range []string{"ing", "ed"} {
		rest, cut := strings.CutSuffix(word, ending)
		if !cut || len(rest) < 3 || !strings.ContainsAny(rest, "aeiouy") {
			continue
		}
		if n := len(rest); rest[n-1] == rest[n-2] && !strings.ContainsRune("lsz", rune(rest[n-1])) {
			rest = rest[:n-1] // planned -> plan
		}
		word = rest
		break
	}
	if len(word) > 4 {
		word = strings.TrimSuffix(word, "e")
	}
	return word
}

func isASCII(s string) bool { return utf8.RuneCountInString(s) == len(s) }

// verbWords are groups of words for doing the same thing, nounWords are groups of words for the same thing, as documents and
// people use them for one another. Each finds the others at a discount.
var (
	verbWords = []string{
		"create add make post insert register",
		"create send post write",
		"create start open begin",
		"add set put apply assign give grant",
		"add invite",
		"get show read fetch retrieve view see display",
		"list show browse enumerate get",
		"search find query lookup look",
		"update edit change modify patch set rename replace put",
		"delete remove destroy drop erase revoke",
		"start run execute trigger dispatch launch begin",
		"stop cancel end abort close",
		"enable activate",
		"disable deactivate",
		"approve accept confirm",
		"reject decline deny",
		"move transfer",
		"copy duplicate clone",
		"upload create add attach",
		"download content export",
	}
	nounWords = []string{
		"user member person people",
		"repo repository",
		"org organization organisation company",
		"app application",
		"message msg",
		"config configuration setting",
		"image picture photo",
		"folder directory",
		"file document doc",
		"email mail",
		"customer client",
		"invite share collaborate collaboration",
		"sign signature",
		"current self",
	}
	synonyms = synonymTable(slices.Concat(verbWords, nounWords))
	doing    = wordSet(stems(verbWords))
	removing = wordSet(stems([]string{"delete remove destroy drop erase revoke cancel clear leave unset disable"}))
	reading  = wordSet(stems([]string{"get show read fetch retrieve view see display list browse enumerate search find query lookup look download content export"}))
)

// leaning says whether a query asks to change something, and whether to take something away. What begins with a word and an article asks to do what
// the word says, known or not: "pin a message". One that only names a thing is taken to want to read it.
func leaning(query string) (changes, removes bool) {
	words := splitWords(query)
	removes = slices.ContainsFunc(words, func(word string) bool { return removing[stem(word)] })
	for i, word := range words {
		term := stem(word)
		switch {
		case silent[word]:
			continue
		case doing[term]:
			return !reading[term], removes
		case i+1 < len(words) && articles[words[i+1]]:
			return true, removes
		}
		break
	}
	changes = slices.ContainsFunc(words, func(word string) bool { return doing[stem(word)] && !reading[stem(word)] })
	return changes, removes
}

var articles = wordSet("a an the to")

func stems(groups []string) string {
	words := strings.Fields(strings.Join(groups, " "))
	for i := range words {
		words[i] = stem(words[i])
	}
	return strings.Join(words, " ")
}

// synonymTable lists for every word, stemmed, the others of its groups.
func synonymTable(groups []string) map[string][]string {
	table := map[string][]string{}
	for _, group := range groups {
		words := strings.Fields(group)
		for i := range words {
			words[i] = stem(words[i])
		}
		for _, word := range words {
			for _, other := range words {
				if other != word && !slices.Contains(table[word], other) {
					table[word] = append(table[word], other)
				}
			}
		}
	}
	return table
}
