package mapping

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/specs"
)

// shelf is a small gateway: names, requests and words as documents have them.
func shelf() []*Tool {
	tool := func(name, method, path, title, description string, arguments ...string) *Tool {
		t := &Tool{Name: name, Title: title, Description: description, Upstream: "shop", Method: method, Path: path, names: arguments}
		t.Annotations.ReadOnly = method == "GET"
		return t
	}
	return []*Tool{
		tool("createIssue", "POST", "/issues", "Create an issue", "Opens an issue. Anybody may."),
		tool("createIssueComment", "POST", "/issues/{id}/comments", "Create an issue comment", "Comments on an issue."),
		tool("deleteIssueComment", "DELETE", "/issues/{id}/comments/{comment}", "Delete an issue comment", "Takes a comment away."),
		tool("listIssues", "GET", "/issues", "List issues", "Returns issues.", "assignee", "since"),
		tool("get_repository", "GET", "/repositories/{id}", "Get repository", "Returns one."),
		tool("list-webhooks", "GET", "/hooks", "List webhooks", "Returns webhooks."),
		tool("setNotificationSettings", "PUT", "/notifications/settings", "Set notification settings", "Says what is told, and where to."),
		tool("queryOrders", "GET", "/dingdan", "查询订单列表", "返回当前用户的订单。"),
		tool("besuche", "GET", "/besuche", "Kundenbesuche ändern", "Größere Änderungen."),
		tool("cfg_put", "PUT", "/cfg", "Cfg put", "PUT /cfg"),
	}
}

func namesOf(hits []Hit) []string {
	out := []string{}
	for _, hit := range hits {
		out = append(out, hit.Tool.Name)
	}
	return out
}

func TestSearch(t *testing.T) {
	index := NewIndex(shelf())
	for query, want := range map[string]string{
		"create an issue comment":              "createIssueComment",
		"create issue":                         "createIssue",
		"Issues, created":                      "createIssue",
		"list the issues":                      "listIssues",
		"issues":                               "listIssues", // names a thing: to read it is the safe guess
		"createIssueComment":                   "createIssueComment",
		"POST /issues/{id}/comments":           "createIssueComment",
		"remove a comment":                     "deleteIssueComment",
		"repo":                                 "get_repository",
		"show me the repository":               "get_repository",
		"web hooks":                            "list-webhooks",
		"notif":                                "setNotificationSettings",
		"notificatoin setings":                 "setNotificationSettings",
		"change where I get notifications":     "setNotificationSettings",
		"issues by assignee":                   "listIssues",
		"add a comment to the isue":            "createIssueComment",
		"/cfg":                                 "cfg_put",
		"订单":                                   "queryOrders",
		"我想查询订单":                               "queryOrders",
		"kundenbesuch":                         "besuche",
		"größere":                              "besuche",
		"comment " + strings.Repeat("x ", 9e3): "createIssueComment",
	} {
		hits := index.Search(query, 3, nil)
		if len(hits) == 0 || hits[0].Tool.Name != want {
			t.Errorf("%.60q finds %q, not %s", query, namesOf(hits), want)
		}
	}
	for _, query := range []string{"", "   ", "the of", "xyzzy", "日本語", "\x00\xff", strings.Repeat("q", 5000)} {
		if hits := index.Search(query, 3, nil); len(hits) > 0 {
			t.Errorf("%.20q finds %q", query, namesOf(hits))
		}
	}
	if hits := index.Search("issue", 2, nil); len(hits) != 2 {
		t.Errorf("at most 2: %q", namesOf(hits))
	}
}

// The order of tools is that of documents, which change; what is found does not change with it.
func TestSearchIsStable(t *testing.T) {
	tools := shelf()
	same := *tools[3]
	same.Name = "listIssues2"
	tools = append(tools, &same)
	want := namesOf(NewIndex(tools).Search("issues", 10, nil))
	slices.Reverse(tools)
	if diff := cmp.Diff(want, namesOf(NewIndex(tools).Search("issues", 10, nil))); diff != "" {
		t.Error(diff)
	}
	empty := NewIndex(nil)
	if hits := empty.Search("issues", 10, nil); len(hits) > 0 || len(empty.Nearest("x", 3)) > 0 {
		t.Errorf("an empty index finds %q", namesOf(hits))
	}
}

func TestNearest(t *testing.T) {
	index := NewIndex(shelf())
	for name, want := range map[string][]string{
		"createIssu":            {"createIssue"},
		"issue_create_comment":  {"createIssueComment"},
		"CREATEISSUECOMMENT":    {"createIssueComment"},
		"something_else_wholly": nil,
	} {
		got := index.Nearest(name, 1)
		if diff := cmp.Diff(want, slices.Clip(got)); diff != "" && len(want)+len(got) > 0 {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// FuzzSearch holds that whatever is asked, hits come in order, within the limit, and each at most once.
func FuzzSearch(f *testing.F) {
	f.Add("create an issue")
	f.Add("naïve Ωmega 'quoted' PRs")
	index := NewIndex(shelf())
	f.Fuzz(func(t *testing.T, query string) {
		hits := index.Search(query, 5, nil)
		if len(hits) > 5 {
			t.Fatalf("%d hits", len(hits))
		}
		for i, hit := range hits {
			if !(hit.Score > 0) || i > 0 && hits[i-1].Score < hit.Score {
				t.Fatalf("%q: %v", query, hits)
			}
			if slices.Contains(namesOf(hits[:i]), hit.Tool.Name) {
				t.Fatalf("%q: %s twice", query, hit.Tool.Name)
			}
		}
	})
}

func manyTools(b *testing.B) []*Tool {
	tools, problems := Compile(everything(), map[string][]*specs.Document{"api": {generated(b, 1500)}})
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	return tools
}

// BenchmarkSearch asks 1,500 tools that all have the query's words.
func BenchmarkSearch(b *testing.B) {
	index := NewIndex(manyTools(b))
	b.ReportAllocs()
	for b.Loop() {
		if hits := index.Search("create a thing of kind 77", 8, nil); len(hits) == 0 || hits[0].Tool.Name != "createThing77" {
			b.Fatal(namesOf(hits))
		}
	}
}

// BenchmarkSearchMisspelt asks for what is nowhere, so that every term is compared.
func BenchmarkSearchMisspelt(b *testing.B) {
	index := NewIndex(manyTools(b))
	for b.Loop() {
		index.Search("notificatoin recivved tomorzow", 8, nil)
	}
}

func BenchmarkNewIndex(b *testing.B) {
	tools := manyTools(b)
	b.ReportAllocs()
	for b.Loop() {
		NewIndex(tools)
	}
}
