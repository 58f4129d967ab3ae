package mapping

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"regexp"
	"strings"
)

// readXML finds the message and the code in an XML error, as of SOAP or S3.
func readXML(body []byte) detail {
	var d detail
	var element string
	decoder := xml.NewDecoder(bytes.NewReader(body))
	decoder.Strict = false
	for {
		token, err := decoder.Token()
		if err != nil {
			if !errors.Is(err, io.EOF) && d.message == "" {
				return detail{}
			}
			return d
		}
		switch token := token.(type) {
		case xml.StartElement:
			element = strings.ToLower(token.Name.Local)
		case xml.EndElement:
			element = ""
		case xml.CharData:
			switch element {
			case "message", "faultstring", "description", "detail", "reason", "error", "errormessage", "text":
				d.say(string(token))
			case "code", "faultcode", "errorcode":
				d.code = oneLine(string(token))
			}
		}
	}
}

var (
	titlePattern = regexp.MustCompile(`(?is)<(title|h1|h2)\b[^>]*>(.*?)</(?:title|h1|h2)`)
	tagPattern   = regexp.MustCompile(`(?s)<[^>]*>`)
)

// looksLikeHTML reports whether a text begins as a web page does.
func looksLikeHTML(body []byte) bool {
	begin := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 512)]))
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body", "<title", "<h1", "<center", "<!--"} {
		if bytes.HasPrefix(begin, []byte(tag)) {
			return true
		}
	}
	return false
}

// pageTitle is a web page's title, or its first heading.
func pageTitle(page []byte) string {
	for _, match := range titlePattern.FindAllSubmatch(page, 3) {
		if title := oneLine(html.UnescapeString(string(tagPattern.ReplaceAll(match[2], nil)))); title != "" {
			return cutText(title, 200)
		}
	}
	return ""
}
