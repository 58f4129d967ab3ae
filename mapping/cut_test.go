package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCut(t *testing.T) {
	row := func(i int) string { return fmt.Sprintf(`{"id":%d,"name":"customer %d"}`, i, i) }
	var rows []string
	for i := range 100 {
		rows = append(rows, row(i))
	}
	var byID []string
	for i := range 100 {
		byID = append(byID, fmt.Sprintf(`"c%02d":%s`, i, row(i)))
	}
	list := "[" + strings.Join(rows, ",") + "]"
	tests := map[string]struct {
		data      string
		limit     int
		want      string
		truncated *Truncated
	}{
		"small enough": {data: `{"id":12345678901234567890}`, limit: 100, want: `{"id":12345678901234567890}`},
		"array at the root": {
			data: list, limit: 100, want: "[" + row(0) + "," + row(1) + "," + row(2) + "]",
			truncated: &Truncated{3, 100, "items", "the answer holds the first 3 of 100 items. " +
				"Ask for less with limit (fewer at a time), fields (less of each)."},
		},
		"the big array of an object": {
			data: `{"total":100,"records":` + list + `,"next":"/q?after=2"}`, limit: 180,
			want: `{"total":100,"records":[` + row(0) + "," + row(1) + "," + row(2) + "," + row(3) + `],"next":"/q?after=2"}`,
			truncated: &Truncated{4, 100, "items", "records holds the first 4 of 100 items. " +
				"Ask for less with limit (fewer at a time), fields (less of each)."},
		},
		"an array in an object in an object": {
			data: `{"d":{"results":` + list + `}}`, limit: 100,
			want: `{"d":{"results":[` + row(0) + "," + row(1) + `]}}`,
			truncated: &Truncated{2, 100, "items", "d.results holds the first 2 of 100 items. " +
				"Ask for less with limit (fewer at a time), fields (less of each)."},
		},
		"a long text in an object": {
			data: `{"id":1,"notes":"` + strings.Repeat("word ", 100) + `"}`, limit: 120,
			want: `{"id":1,"notes":"` + strings.Repeat("word ", 14) + "word [cut: 500 bytes in all]\"}",
			truncated: &Truncated{117, 519, "bytes", "notes holds 74 of 500 bytes. " +
				"Ask for less with limit (fewer at a time), fields (less of each)."},
		},
		"encoded data in an object": {
			data: `{"id":1,"pdf":"` + strings.Repeat("JVBERi0x", 100) + `"}`, limit: 120,
			want: `{"id":1,"pdf":"[cut: string, 802 bytes]"}`,
			truncated: &Truncated{41, 817, "bytes", "pdf holds 0 of 800 bytes. " +
				"Ask for less with limit (fewer at a time), fields (less of each)."},
		},
		"a text at the root ends at a line": {
			data: `"` + strings.Repeat(`first line\n`, 20) + `"`, limit: 32,
			want: `"first line\nfirst line\n"`,
			truncated: &Truncated{26, 242, "bytes", "the answer holds 24 of 240 bytes. " +
				"Ask for less with limit (fewer at a time), fields (less of each)."},
		},
		"one item that is too large": {
			data: `[{"id":1,"lines":` + list + `}]`, limit: 120,
			want: `[{"id":1,"lines":[` + row(0) + "," + row(1) + "," + row(2) + `]}]`,
			truncated: &Truncated{0, 1, "items", "the answer holds none of 1 items whole, [0].lines holds the first 3 of 100 items. " +
				"Ask for less with limit (fewer at a time), fields (less of each)."},
		},
		"records by their ids": {
			data: "{" + strings.Join(byID, ",") + "}", limit: 400,
			want: "{" + strings.Join(byID[:10], ",") + `,"...":"90 more members"}`,
			truncated: &Truncated{10, 100, "items", "the answer holds the first 10 of 100 items. " +
				"Ask for less with limit (fewer at a time), fields (less of each)."},
		},
		"more keys than fit": {
			data: `{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10,"k":11,"l":12}`, limit: 60,
			want: `{"a":1,"b":2,"c":3,"d":4,"e":5,"...":"7 more members"}`,
			truncated: &Truncated{5, 12, "items", "the answer holds the first 5 of 12 items. " +
				"Ask for less with limit (fewer at a time), fields (less of each)."},
		},
	}
	tool := &Tool{InputSchema: json.RawMessage(`{"type": "object", "properties": {"limit": {}, "fields": {}, "id": {}}}`)}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, truncated := tool.cut([]byte(test.data), test.limit)
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.truncated, truncated); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzCut: whatever is cut is valid JSON within the limit, and the items kept are the first of the original.
func FuzzCut(f *testing.F) {
	f.Add([]byte(`[{"id":1,"name":"Ann"},{"id":2,"name":"Bob"},[1,2,3],"text"]`), 30)
	f.Add([]byte(`{"items":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18],"a":{"b":"c\"\\\u00e9\ud83d\ude00"}}`), 40)
	f.Add([]byte(`"`+strings.Repeat(`a long text\n\\n`, 30)+`"`), 70)
	f.Add([]byte(`[`+strings.Repeat(`{"k":"`+strings.Repeat("v w", 40)+`","l":[[[1]]]},`, 5)+`0]`), 200)
	f.Add([]byte(`123456789012345678901234567890`), 8)
	f.Fuzz(func(t *testing.T, text []byte, limit int) {
		data, err := compacted(toUTF8(text, ""))
		if err != nil || limit < bytesPerToken {
			return
		}
		got, truncated := (&Tool{}).cut(data, limit)
		if !json.Valid(got) {
			t.Fatalf("not JSON: %s", got)
		}
		if len(got) > limit {
			t.Fatalf("%d bytes, the limit is %d: %s", len(got), limit, got)
		}
		if truncated == nil {
			if !bytes.Equal(got, data) {
				t.Fatalf("changed though nothing was cut: %s", got)
			}
			return
		}
		if truncated.Kept > truncated.Total || truncated.HowToGetMore == "" {
			t.Errorf("%+v", truncated)
		}
		if data[0] != '[' || got[0] != '[' {
			return
		}
		var before, after []json.RawMessage
		if err := json.Unmarshal(data, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatal(err)
		}
		if truncated.Total != len(before) {
			t.Errorf("%d items in all, want %d", truncated.Total, len(before))
		}
		if diff := cmp.Diff(before[:truncated.Kept], after[:truncated.Kept]); diff != "" {
			t.Error(diff)
		}
	})
}

// An answer that is nothing but brackets takes no longer than another.
func TestCutDeep(t *testing.T) {
	data := []byte(strings.Repeat(`[{"a":`, 4000) + `"` + strings.Repeat("x", 1<<20) + `"` + strings.Repeat("}]", 4000))
	got, truncated := (&Tool{}).cut(data, 60000)
	if !json.Valid(got) || len(got) > 60000 || truncated == nil {
		t.Errorf("%d bytes, %+v", len(got), truncated)
	}
}

func BenchmarkCut(b *testing.B) {
	data := []byte(`{"records":[` + strings.Repeat(`{"id":"0015g00000XyZ","name":"Example","amount":12.50},`, 100_000) + `{}]}`)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		(&Tool{}).cut(data, 60_000)
	}
}

// TestRaw walks a value and puts it together again.
func TestRaw(t *testing.T) {
	const text = `{"a":[1,{"b":"}]\"\\"},[],{}],"c\"d":null,"":{"x":-1.5e3},"z":true}`
	var rebuild func(value []byte) string
	rebuild = func(value []byte) string {
		var parts []string
		switch value[0] {
		case '[':
			for item := range rawItems(value) {
				parts = append(parts, rebuild(item))
			}
			return "[" + strings.Join(parts, ",") + "]"
		case '{':
			for key, value := range rawMembers(value) {
				parts = append(parts, string(key)+":"+rebuild(value))
			}
			return "{" + strings.Join(parts, ",") + "}"
		}
		return string(value)
	}
	if diff := cmp.Diff(text, rebuild([]byte(text))); diff != "" {
		t.Error(diff)
	}
}

func TestLoneSurrogates(t *testing.T) {
	for in, want := range map[string]string{
		`"\ud83d\ude00"`:        `"\ud83d\ude00"`,
		`"\ud83d!"`:             `"\ufffd!"`,
		`"\ude00\ud83d"`:        `"\ufffd\ufffd"`,
		`"\\ud83d \u00e9 \uD8"`: `"\\ud83d \u00e9 \uD8"`,
		`"\ud83d\ud83d\ude00"`:  `"\ufffd\ud83d\ude00"`,
	} {
		if diff := cmp.Diff(want, string(withoutLoneSurrogates([]byte(in)))); diff != "" {
			t.Error(diff)
		}
	}
}
