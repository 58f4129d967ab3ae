package mapping

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mcpgate/specs"
)

// corpusTools compiles every operation of a published document.
func corpusTools(t testing.TB, document string) []*Tool {
	t.Helper()
	dir := os.Getenv("MCPGATE_CORPUS")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI wants MCPGATE_CORPUS, the folder of published documents")
		}
		t.Skip("MCPGATE_CORPUS names no folder of OpenAPI documents")
	}
	loaded, _, err := specs.Loader{}.Load(t.Context(), filepath.Join(dir, document))
	if err != nil {
		t.Fatal(err)
	}
	tools, problems := Compile(everything(), map[string][]*specs.Document{"api": {loaded}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return tools
}

// sought is what somebody says who wants a tool, and the tool.
type sought struct{ query, tool string }

// The queries were written down before the weights were.
var soughtAtDiscord = []sought{
	{"send a message to a channel", "create_message"},
	{"delete a message", "delete_message"},
	{"edit a message", "update_message"},
	{"ban a user", "ban_user_from_guild"},
	{"unban user", "unban_user_from_guild"},
	{"list the channels of a guild", "list_guild_channels"},
	{"create a new channel in the guild", "create_guild_channel"},
	{"give a role to a member", "add_guild_member_role"},
	{"remove a role from a member", "delete_guild_member_role"},
	{"create role", "create_guild_role"},
	{"pin a message", "create_pin"},
	{"react to a message with an emoji", "add_my_message_reaction"},
	{"search messages in a guild", "guild_search"},
	{"find members by name", "search_guild_members"},
	{"list scheduled events", "list_guild_scheduled_events"},
	{"create webhook", "create_webhook"},
	{"execute a webhook", "execute_webhook"},
	{"audit log", "list_guild_audit_log_entries"},
	{"start a thread from a message", "create_thread_from_message"},
	{"leave a guild", "leave_guild"},
	{"open a dm with a user", "create_dm"},
	{"list archived public threads", "list_public_archived_threads"},
	{"which guilds am I in", "list_my_guilds"},
	{"change the guild's welcome screen", "update_guild_welcome_screen"},
	{"upload a sticker", "create_guild_sticker"},
}

var soughtAtBox = []sought{
	{"upload a file", "post_files_content"},
	{"download a file", "get_files_id_content"},
	{"create a folder", "post_folders"},
	{"list what is in a folder", "get_folders_id_items"},
	{"delete folder", "delete_folders_id"},
	{"copy a file", "post_files_id_copy"},
	{"add a comment to a file", "post_comments"},
	{"comments of a file", "get_files_id_comments"},
	{"search for documents", "get_search"},
	{"share a file with a link", "put_files_id_add_shared_link"},
	{"invite someone to collaborate on a folder", "post_collaborations"},
	{"create user", "post_users"},
	{"get the current user", "get_users_me"},
	{"add a user to a group", "post_group_memberships"},
	{"members of a group", "get_groups_id_memberships"},
	{"lock a folder", "post_folder_locks"},
	{"restore a file from the trash", "post_files_id"},
	{"permanently delete a file", "delete_files_id_trash"},
	{"file versions", "get_files_id_versions"},
	{"create a webhook", "post_webhooks"},
	{"assign a task to someone", "post_task_assignments"},
	{"send a document for signature", "post_sign_requests"},
	{"ask a question about a file with AI", "post_ai_ask"},
	{"put a watermark on a file", "put_files_id_watermark"},
	{"thumbnail of a file", "get_files_id_thumbnail_id"},
}

// TestSearchOfRealDocuments holds the ranking: 23 of 25 come first, and all are among the first five.
func TestSearchOfRealDocuments(t *testing.T) {
	for document, table := range map[string][]sought{"discord__openapi.json": soughtAtDiscord, "box__openapi.json": soughtAtBox} {
		t.Run(document, func(t *testing.T) {
			index := NewIndex(corpusTools(t, document))
			first := 0
			for _, s := range table {
				var names []string
				for _, hit := range index.Search(s.query, 5, nil) {
					names = append(names, hit.Tool.Name)
				}
				switch place := slices.Index(names, s.tool); place {
				case 0:
					first++
				case -1:
					t.Errorf("%q does not find %s but %q", s.query, s.tool, names)
				default:
					t.Logf("%q finds %s at %d, behind %q", s.query, s.tool, place+1, names[:place])
				}
			}
			if first < 23 {
				t.Errorf("%d of %d come first", first, len(table))
			}
			t.Logf("%d of %d come first", first, len(table))
		})
	}
}
