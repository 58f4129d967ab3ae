package specs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// secretParameter finds a query parameter that is a credential by its name, as links to private files have.
var secretParameter = regexp.MustCompile(`(?i)([?&][^=&#]*(?:token|key|secret|sig|signature|passw(?:or)?d|credential|auth)=)[^&#]+`)

// ShownLocation is a document's location as messages and lists show it: a URL without the credentials in it.
func ShownLocation(location string) string {
	if u, err := url.Parse(location); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		return shownURL(u)
	}
	return location
}

// shownURL is a URL as messages show it: without its password, and without the credentials in its query.
func shownURL(u *url.URL) string {
	return secretParameter.ReplaceAllString(u.Redacted(), "${1}xxxxx")
}

func (f *files) neighbourURL(ctx context.Context, from *file, reference *url.URL) (*node, error) {
	target := reference
	if from.url != nil {
		target = from.url.ResolveReference(reference)
	}
	target.Fragment = ""
	if err := f.permit(target); err != nil {
		return nil, err
	}
	slot, err := f.slot(target.String(), func() *file { return &file{name: shownURL(target), url: target} })
	if err != nil {
		return nil, err
	}
	return f.parse(slot, func() ([]byte, error) {
		if f.Client == nil {
			return f.fetch(ctx, target, nil)
		}
		client := *f.Client
		client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
			if err := f.permit(req.URL); err != nil {
				return err
			}
			if f.Client.CheckRedirect != nil {
				return f.Client.CheckRedirect(req, via)
			}
			if len(via) >= 10 {
				return errors.New("stopped after 10 redirects")
			}
			return nil
		}
		return f.fetch(ctx, target, &client)
	})
}

// permit says whether a URL that a document names may be read.
func (f *files) permit(u *url.URL) error {
	if main := f.main.url; main != nil && u.Scheme == main.Scheme && u.Host == main.Host &&
		strings.HasPrefix(path.Clean("/"+u.Path), strings.TrimSuffix(path.Dir(path.Clean("/"+main.Path)), "/")+"/") {
		return nil
	}
	if f.Allow == nil {
		return fmt.Errorf("%s is refused: the document refers to another place, and nothing allows it", shownURL(u))
	}
	if err := f.Allow(u); err != nil {
		return fmt.Errorf("%s is refused: %w", shownURL(u), err)
	}
	return nil
}

func (f *files) fetch(ctx context.Context, u *url.URL, client *http.Client) ([]byte, error) {
	if client == nil {
		return nil, errors.New("fetching documents is switched off")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/openapi+json, application/openapi+yaml, application/json, application/yaml;q=0.9, */*;q=0.5")
	resp, err := client.Do(req)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // its text repeats the URL
		}
		return nil, fmt.Errorf("can't be fetched: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close() // the status is the news
		return nil, fmt.Errorf("can't be fetched: the server answers %s", resp.Status)
	}
	return f.read(resp.Body)
}
