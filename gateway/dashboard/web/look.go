package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"

	"github.com/go-chi/chi/v5"
)

//go:embed templates assets
var files embed.FS

// A look is how the pages look: their templates and assets. It is immutable.
type look struct {
	pages  map[string]*template.Template // by the name of the file
	assets map[string]asset
}

// An asset is a file that a page names. Its address changes with its content,
// so that a browser may keep it for ever.
type asset struct {
	content []byte
	kind    string
	version string
}

var assetKinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".woff2": "font/woff2", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
}

func newLook() (*look, error) {
	l := &look{pages: map[string]*template.Template{}, assets: map[string]asset{}}
	entries, err := files.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		content, err := files.ReadFile("assets/" + e.Name())
		if err != nil {
			return nil, err
		}
		l.keep(e.Name(), content)
	}
	// The style sheet names the font by its versioned address.
	style := bytes.ReplaceAll(l.assets["ficus.css"].content, []byte("figtree.woff2"), []byte(l.url("figtree.woff2")))
	l.keep("ficus.css", style)
	return l, l.parse()
}

func (l *look) keep(name string, content []byte) {
	hash := sha256.Sum256(content)
	l.assets[name] = asset{content, assetKinds[path.Ext(name)], hex.EncodeToString(hash[:6])}
}

// url returns the address of an asset.
func (l *look) url(name string) string { return "/assets/" + name + "?" + l.assets[name].version }

// parse makes a template of each page: the layout, the parts that several
// pages share, and the page itself.
func (l *look) parse() error {
	funcs := template.FuncMap{
		"asset": l.url, "percent": percent, "perSecond": perSecond, "millis": millis, "span": span, "recovered": recovered,
		"count": func(n any) string { return countAny(n) },
	}
	shared, err := template.New("").Funcs(funcs).ParseFS(files, "templates/layout.html", "templates/parts/*.html")
	if err != nil {
		return fmt.Errorf("web: %w", err)
	}
	entries, err := files.ReadDir("templates")
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".html")
		if e.IsDir() || name == "layout" {
			continue
		}
		page, err := template.Must(shared.Clone()).ParseFS(files, "templates/"+e.Name())
		if err != nil {
			return fmt.Errorf("web: %w", err)
		}
		l.pages[name] = page
	}
	return nil
}

// countAny is [count] for what templates hold.
func countAny(n any) string {
	switch n := n.(type) {
	case int:
		return count(n)
	case int64:
		return count(n)
	case uint64:
		return count(n)
	}
	return fmt.Sprint(n)
}

func (l *look) serveAsset(w http.ResponseWriter, r *http.Request) {
	a, ok := l.assets[chi.URLParam(r, "name")]
	if !ok {
		http.Error(w, "no such asset", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("ETag", `"`+a.version+`"`)
	if r.URL.RawQuery == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if r.Header.Get("If-None-Match") == h.Get("ETag") {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(a.content) // the client may be gone
}
