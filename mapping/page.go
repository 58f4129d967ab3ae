package mapping

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// pager knows how one tool's list goes on, page after page. It is nil where the tool's answers are whole.
type pager struct {
	style    string   // offset, page, cursor, link or next_url
	limit    string   // the parameter that says how many items a page has; "" where there is none
	param    string   // the parameter that offset, page and cursor change
	inBody   bool     // both are properties of a JSON body, not of the query
	wanted   string   // the client's name for limit; "" where the model does not see it
	handle   string   // the client's name for what continues the list
	auto     bool     // pages are joined
	items    location // nil: the array is found in the answer
	more     location
	moreDone bool // more says whether that was all
	total    location
	pages    location // the number of all pages
	next     location // of the cursor or URL
	size     int      // of a page, where a call says nothing; 0 leaves it to the API
	first    int      // the number of the first page
}

// position is a page of a list, by what its request has that the first has not.
type position struct {
	Value  string `json:"v,omitempty"` // of the pager's parameter
	Target string `json:"u,omitempty"` // the URL, where an answer named it
	Skip   int    `json:"s,omitempty"` // items of the page that were handed out before
}

// errEnd says that there is no page after this one.
var errEnd = errors.New("the list ends here")

// first returns the request for the page that a call begins with.
func (p *pager) start(req *http.Request) error {
	if p.size == 0 || p.limit == "" || p.get(req, p.limit) != "" {
		return nil
	}
	return p.set(req, p.limit, strconv.Itoa(p.size), true)
}

// at returns the request for a page: base with what the position changes. A URL is checked here, before anything is sent
// to it; root is the path that the API's own begin with.
func (p *pager) at(base *http.Request, root string, pos position) (*http.Request, error) {
	req := base.Clone(base.Context())
	if base.GetBody != nil {
		body, err := base.GetBody()
		if err != nil {
			return nil, err
		}
		req.Body = body
	}
	switch {
	case pos.Target != "":
		target, err := follow(base.URL, root, pos.Target)
		if err != nil {
			return nil, err
		}
		req.URL = target
	case pos.Value != "":
		if err := p.set(req, p.param, pos.Value, p.style != "cursor"); err != nil {
			return nil, err
		}
	}
	return req, nil
}

// after returns the position of the page after one, of which req is the request and count the number of items that it has;
// the largest page so far had largest. The error is errEnd where there is none.
func (p *pager) after(req *http.Request, page Page, count, largest int) (position, error) {
	switch p.style {
	case "link":
		return p.target(nextLink(page.Header))
	case "next_url":
		return p.target(text(p.next.in(page.Body)))
	}
	more, known := p.tellsMore(page.Body)
	if known && !more {
		return position{}, errEnd
	}
	switch p.style {
	case "cursor":
		if cursor := text(p.next.in(page.Body)); cursor != "" && cursor != p.get(req, p.param) {
			return position{Value: cursor}, nil
		}
		return position{}, errEnd
	case "offset":
		// By what came, not by what was asked for: many APIs give fewer than that, and some refuse more than they give.
		offset, _ := strconv.Atoi(p.get(req, p.param))
		if count == 0 || !known && p.isAll(req, page.Body, offset+count, count) {
			return position{}, errEnd
		}
		return position{Value: strconv.Itoa(offset + count)}, nil
	}
	number, err := strconv.Atoi(p.get(req, p.param))
	if err != nil {
		number = p.first
	}
	if count == 0 || !known && p.isLast(req, page.Body, number, count, largest) {
		return position{}, errEnd
	}
	return position{Value: strconv.Itoa(number + 1)}, nil
}

func (p *pager) target(text string) (position, error) {
	if text == "" {
		return position{}, errEnd
	}
	if p.style == "next_url" && !isReference(text) {
		return position{}, errNoURL
	}
	return position{Target: text}, nil
}

// tellsMore reads the flag that says whether there is another page.
func (p *pager) tellsMore(body []byte) (more, known bool) {
	more, known = truth(p.more.in(body))
	return more != p.moreDone, known
}

// isAll reports whether the list ends at so many items: the answer says so, or the page is shorter than was asked for.
func (p *pager) isAll(req *http.Request, body []byte, reached, count int) bool {
	if total, ok := whole(p.total.in(body)); ok {
		return reached >= total
	}
	limit, err := strconv.Atoi(p.get(req, p.limit))
	if p.size > 0 {
		limit = min(limit, p.size) // a caller may ask for more than the API gives
	}
	return err == nil && count < limit
}

// isLast reports whether a page is the last by its number. size is that of a full page, or less: then a page is asked for
// in vain, but none is lost.
func (p *pager) isLast(req *http.Request, body []byte, number, count, size int) bool {
	if pages, ok := whole(p.pages.in(body)); ok {
		return number-p.first+1 >= pages
	}
	return p.isAll(req, body, (number-p.first)*size+count, count)
}

// get returns a parameter of a request, "" where it is not there.
func (p *pager) get(req *http.Request, name string) string {
	switch {
	case name == "":
		return ""
	case p.inBody:
		return text(bodyOf(req)[name])
	}
	return queryValue(req.URL.RawQuery, name)
}

// set puts a parameter on a request; of a body, as a number or as a string.
func (p *pager) set(req *http.Request, name, value string, number bool) error {
	if !p.inBody {
		req.URL.RawQuery = withQueryValue(req.URL.RawQuery, name, value)
		return nil
	}
	fields := bodyOf(req)
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	fields[name] = json.RawMessage(value)
	if !number {
		fields[name] = json.RawMessage(compactJSON(value))
	}
	return setBody(req, fields)
}
