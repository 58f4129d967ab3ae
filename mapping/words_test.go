package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitWords(t *testing.T) {
	for text, want := range map[string]string{
		"listPets":                    "list pets",
		"list_pets":                   "list pets",
		"issues/create-comment":       "issues create comment",
		"/repos/{owner}/PRs":          "repos owner prs",
		"getHTTPServer":               "get http server",
		"OAuth2Token":                 "o auth2 token",
		"listPRsOfUser":               "list prs of user",
		"What's in the user's inbox?": "whats in the users inbox",
		"Größe ändern":                "größe ändern",
		"x":                           "x",
		"PRs":                         "prs",
		" -- ":                        "",
	} {
		if diff := cmp.Diff(want, strings.Join(splitWords(text), " ")); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// Words of one kind have one stem, and words of different kinds don't.
func TestStem(t *testing.T) {
	for _, same := range []string{
		"create creates created creating", "policy policies", "issue issues", "branch branches", "class classes",
		"merge merged merging merges", "plan plans planned planning", "update updating updates", "box boxes",
		"list lists listing listed", "archive archived", "delete deleting",
	} {
		words := strings.Fields(same)
		for _, word := range words[1:] {
			if stem(word) != stem(words[0]) {
				t.Errorf("%s is %s, %s is %s", words[0], stem(words[0]), word, stem(word))
			}
		}
	}
	for _, word := range []string{"status", "address", "user", "ping", "bed", "red", "is", "analysis", "größen"} {
		if stem(word) != word {
			t.Errorf("%s is %s", word, stem(word))
		}
	}
}

func TestLeaning(t *testing.T) {
	for query, want := range map[string][2]bool{
		"pin a message":                  {true, false},
		"please delete the branch":       {true, true},
		"list pull requests":             {false, false},
		"audit log":                      {false, false},
		"comments of an issue":           {false, false},
		"get the latest release":         {false, false},
		"the issue that I want to close": {true, false},
		"":                               {false, false},
	} {
		changes, removes := leaning(query)
		if diff := cmp.Diff(want, [2]bool{changes, removes}); diff != "" {
			t.Errorf("%q: %s", query, diff)
		}
	}
}
