package page_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestPagesHaveLandmarksAndOneHeading(t *testing.T) {
	pages(t, func(t *testing.T, d document) {
		count, level := map[string]int{}, 0
		for n := range d.root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			count[n.Data]++
			if len(n.Data) == 2 && n.Data[0] == 'h' && '1' <= n.Data[1] && n.Data[1] <= '6' {
				if next := int(n.Data[1] - '0'); next > level+1 {
					t.Errorf("a heading of level %d follows one of level %d", next, level)
				} else {
					level = next
				}
			}
			if (n.Data == "section" || n.Data == "article") && attribute(n, "aria-labelledby") == "" {
				t.Errorf("a %s has no name", n.Data)
			}
		}
		for _, tag := range []string{"h1", "header", "nav", "main", "footer", "title"} {
			if tag != "title" && count[tag] != 1 || count[tag] == 0 {
				t.Errorf("the page has %d of %s", count[tag], tag)
			}
		}
		if !strings.Contains(d.text, `<html lang="en">`) || !strings.Contains(d.text, `<a class="skip" href="#main">`) {
			t.Error("the language or the skip link is missing")
		}
	})
}

func TestIDsAreUniqueAndReferencesResolve(t *testing.T) {
	pages(t, func(t *testing.T, d document) {
		ids := map[string]bool{}
		var references []string
		for n := range d.root.Descendants() {
			if id := attribute(n, "id"); id != "" {
				if ids[id] {
					t.Errorf("two elements have the id %q", id)
				}
				ids[id] = true
			}
			references = append(references, strings.Fields(attribute(n, "aria-labelledby"))...)
			references = append(references, strings.Fields(attribute(n, "aria-describedby"))...)
			if target, local := strings.CutPrefix(attribute(n, "href"), "#"); local {
				references = append(references, target)
			}
		}
		for _, id := range references {
			if !ids[id] {
				t.Errorf("nothing has the id %q", id)
			}
		}
	})
}

func TestEveryPictureHasANameOrIsHidden(t *testing.T) {
	pages(t, func(t *testing.T, d document) {
		for n := range d.root.Descendants() {
			switch {
			case n.Type != html.ElementNode || n.Data != "svg" && n.Data != "progress":
			case attribute(n, "aria-hidden") == "true":
			case attribute(n, "aria-labelledby") == "":
				t.Errorf("a %s has no name", n.Data)
			case n.Data == "svg" && (attribute(n, "role") != "img" || attribute(n, "aria-describedby") == ""):
				t.Error("a picture has no words beside it")
			}
		}
	})
}

func TestTablesHaveCaptionsAndHeads(t *testing.T) {
	pages(t, func(t *testing.T, d document) {
		for n := range d.root.Descendants() {
			switch {
			case n.Type != html.ElementNode:
			case n.Data == "table" && firstElement(n).Data != "caption":
				t.Error("a table has no caption")
			case n.Data == "th" && !slices.Contains([]string{"col", "row"}, attribute(n, "scope")):
				t.Error("a head has no scope")
			}
		}
	})
}

func firstElement(n *html.Node) *html.Node {
	for c := range n.ChildNodes() {
		if c.Type == html.ElementNode {
			return c
		}
	}
	return &html.Node{}
}
