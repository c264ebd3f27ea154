// Package page writes the status page and the report: one HTML document, drawn
// from a status.Status and from nothing else. It reads no clock (Status.At is
// now) and no file.
//
// The document needs nothing but itself: no script, no style attribute, no
// address that a browser would request. Everything in a Status may come from a
// stranger, so html/template escapes it all, and what does not print is spelled
// out.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// Form is which form of the document is wanted.
type Form int

// Forms. The addresses of the others, below that of the live page, are in top.html.tmpl.
const (
	Live   Form = iota // loads itself again
	Paused             // does not
	File               // the report, to keep: brings the policy that a server would send
)

//go:embed *.tmpl
var files embed.FS

//go:embed page.css
var pageCSS string

// css is all of the style element's content: its hash is in the policy.
var css = "\n" + pageCSS + chart.CSS

// policy is what a <meta> can say as well.
var policy = fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; img-src data:; base-uri 'none'; form-action 'none'", hash(css))

// Policy is the value of the header Content-Security-Policy for the document.
func Policy() string { return policy + "; frame-ancestors 'none'" }

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"css":     func() template.CSS { return template.CSS(css) }, //nolint:gosec // it is ours
	"policy":  func() string { return policy },
	"show":    visible.Text,
	"span":    span.Words,
	"comma":   humanize.Comma,
	"size":    size,
	"clock":   chart.Stamp,
	"iso":     iso,
	"title":   title,
	"tone":    tone,
	"glyph":   glyph,
	"capital": capital,
	"share":   share,
	"ago":     span.Ago, // Write gives it its first argument
}).ParseFS(files, "*.tmpl"))

// Write writes the document of a status, whole or not at all.
func Write(w io.Writer, s *status.Status, form Form) error {
	var out bytes.Buffer
	ago := func(t time.Time) string { return span.Ago(s.At, t) }
	if err := template.Must(templates.Clone()).Funcs(template.FuncMap{"ago": ago}).ExecuteTemplate(&out, "page.html.tmpl", newView(s, form)); err != nil {
		return fmt.Errorf("draw page: %w", err)
	}
	if _, err := out.WriteTo(w); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}
