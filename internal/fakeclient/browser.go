// Package fakeclient is a person with a browser and an MCP client, scripted, for tests and benchmarks: they log in at a gateway and
// call its tools.
package fakeclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Browser is a person's, scripted: it keeps cookies, follows redirects, and allows what a page asks. It stops before it leaves
// for the client that the login is for.
type Browser struct {
	HTTP *http.Client
}

// NewBrowser returns one that stops at URLs which begin so, such as a client's redirect URI.
func NewBrowser(stop string) *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it never is one
	}
	return &Browser{&http.Client{Jar: jar, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if strings.HasPrefix(req.URL.String(), stop) {
			return http.ErrUseLastResponse
		}
		if len(via) > 20 {
			return errors.New("more than 20 redirects")
		}
		return nil
	}}}
}

// Page is where a browser came to: a page, or back to the client.
type Page struct {
	Status int
	Text   string
	URL    *url.URL
	Back   *url.URL // where the client is sent back to; nil on a page
}

// Open reads a page.
func (b *Browser) Open(ctx context.Context, target string) (Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return Page{}, err
	}
	return b.do(req)
}

// Press submits a page's one form with its button of this value, as the browser that shows the page would. A button without
// a value is "".
func (b *Browser) Press(ctx context.Context, p Page, button string) (Page, error) {
	return b.Submit(ctx, p, button, nil)
}

// Submit is Press after these fields were typed in.
func (b *Browser) Submit(ctx context.Context, p Page, button string, typed map[string]string) (Page, error) {
	action, fields, err := form(p.Text, button)
	if err != nil {
		return Page{}, err
	}
	for name, text := range typed {
		fields.Set(name, text)
	}
	to, err := p.URL.Parse(action)
	if err != nil {
		return Page{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		return Page{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", p.URL.Scheme+"://"+p.URL.Host)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(req)
}

// Allow opens an authorization URL, allows what the page asks, and returns where the client is sent back to.
func (b *Browser) Allow(ctx context.Context, target string) (*url.URL, error) {
	page, err := b.Open(ctx, target)
	if err == nil && page.Back == nil {
		page, err = b.Press(ctx, page, "allow")
	}
	if err == nil && page.Back == nil {
		err = fmt.Errorf("%d, and no way back to the client:\n%s", page.Status, page.Text)
	}
	return page.Back, err
}

func (b *Browser) do(req *http.Request) (Page, error) {
	resp, err := b.HTTP.Do(req)
	if err != nil {
		return Page{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	page := Page{Status: resp.StatusCode, Text: string(text), URL: resp.Request.URL}
	if location, noLocation := resp.Location(); noLocation == nil {
		page.Back = location
	}
	return page, err
}

// form returns a page's one form, with what its button of this value says.
func form(page, button string) (action string, fields url.Values, err error) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return "", nil, err
	}
	fields = url.Values{}
	found := false
	for n := range root.Descendants() {
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "form":
			action = attr["action"]
		case n.Data == "input":
			fields.Set(attr["name"], attr["value"])
		case n.Data == "button" && attr["value"] == button:
			if found = true; attr["name"] != "" {
				fields.Set(attr["name"], attr["value"])
			}
		}
	}
	if !found {
		return "", nil, fmt.Errorf("no form with a button %q on the page:\n%s", button, page)
	}
	return action, fields, nil
}
