package mapping

import (
	"cmp"
	"mime"
	"slices"
	"strings"

	"mcpgate/specs"
)

// contentType puts the media type that gateway.yaml says in the place of those that the document lists for a body.
func (c *compilation) contentType(p *plan) *specs.Operation {
	said := p.entry.ContentType
	if said == "" || p.entry.Operation == "" {
		return p.op
	}
	at := p.path.Child("content_type")
	if p.op.Body == nil || len(p.op.Body.Content) == 0 {
		c.problem(at, "leave it out", "%s %s has no body", p.op.Method, p.op.Path)
		return p.op
	}
	var all []string
	for _, media := range p.op.Body.Content {
		all = append(all, media.Type)
	}
	found := slices.IndexFunc(all, func(listed string) bool { return baseType(listed) == baseType(mediaType(said)) })
	if found < 0 {
		found = slices.IndexFunc(all, func(listed string) bool { return covers(baseType(listed), said) })
	}
	if found < 0 {
		short := cmp.Or(suggest(said, append(all, "json", "form", "multipart")), "it takes "+listed(all))
		if len(all) == 1 {
			short = "it takes " + all[0]
		}
		c.problem(at, short, "%s %s takes no %s", p.op.Method, p.op.Path, mediaType(said))
		return p.op
	}
	op, body := *p.op, *p.op.Body
	media := body.Content[found]
	if strings.Contains(media.Type, "*") {
		media.Type = mediaType(said)
	}
	body.Content = []specs.Media{media}
	op.Body = &body
	return &op
}

// covers reports whether a media type of the document has room for what gateway.yaml says: a range has, and json stands
// for what ends in it.
func covers(listed, said string) bool {
	switch said {
	case "json":
		return isJSON(listed) || listed == "*/*" || listed == "application/*"
	case "multipart":
		return strings.HasPrefix(listed, "multipart/") || listed == "*/*"
	}
	wanted, _, err := mime.ParseMediaType(mediaType(said))
	prefix, isRange := strings.CutSuffix(listed, "*")
	return err == nil && isRange && (prefix == "*/" || strings.HasPrefix(wanted, prefix))
}
