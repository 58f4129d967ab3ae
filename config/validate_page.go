package config

// pageKeys are the keys of page that mean something with a style. The path items is for all of them.
var pageKeys = map[string]map[string]bool{
	"offset":   {"limit": true, "offset": true, "more": true, "size": true},
	"page":     {"limit": true, "page": true, "more": true, "size": true},
	"cursor":   {"limit": true, "cursor": true, "more": true, "next": true, "size": true},
	"link":     {"limit": true, "size": true},
	"next_url": {"limit": true, "next": true, "size": true},
}

func (v *validator) page(at Path, p *Page) {
	if !v.given(at) {
		return
	}
	if p.Style == "" {
		v.missing(at, "style", "nothing says how the lists are paged", "write style: offset, page, cursor, link or next_url")
		return
	}
	for _, each := range []struct {
		key   string
		given bool
	}{
		{"limit", p.Limit != ""}, {"offset", p.Offset != ""}, {"page", p.Page != ""}, {"cursor", p.Cursor != ""},
		{"more", p.More != ""}, {"next", p.Next != ""}, {"size", p.Size != 0},
	} {
		v.unless(!each.given || pageKeys[p.Style][each.key], at.Child(each.key), each.key+" means nothing with style: "+p.Style, "")
	}
	v.unless(p.Size >= 0, at.Child("size"), "a page has no negative size", "")
	v.unless(p.Size == 0 || p.Limit != "", at.Child("size"), "a size needs the parameter that it is sent in", "write limit: limit")
	if (p.Style == "cursor" || p.Style == "next_url") && p.Next == "" {
		v.missing(at, "next", "nothing says where an answer has the next page", `write next: .next_cursor, or where it is`)
	}
}
