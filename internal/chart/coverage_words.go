package chart

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/internal/span"
)

// summary tells what of the ledgers is covered, and what is not.
func (c *Coverage) summary(all []piece) string {
	whole, ok := extremes(c.Covers)
	if !ok {
		return "Nothing is covered yet."
	}
	text := fmt.Sprintf("Covered from %s to %s", stamp(whole.From), stamp(whole.To))
	if n := len(c.Covers); n > 1 {
		text += fmt.Sprintf(", by %s", plural(n, c.Noun))
	}
	gaps := stretches(all, func(p piece) bool { return p.gaps > 0 })
	if len(gaps) == 0 {
		text += ", without a gap"
	} else {
		text += fmt.Sprintf(", with %s: %s", plural(len(gaps), "gap"), extent(gaps))
	}
	if lost := stretches(all, func(p piece) bool { return p.losses > 0 }); len(lost) > 0 {
		text += fmt.Sprintf(". The source can no longer give %s: %s", plural(len(lost), "time range"), extent(lost))
	}
	return text + "."
}

func extent(all []Range) string {
	slices.SortStableFunc(all, byLength)
	r := all[0]
	text := fmt.Sprintf("%s, from %s to %s", span.Words(r.To.Sub(r.From)), stamp(r.From), stamp(r.To))
	if len(all) > 1 {
		return "the longest " + text
	}
	return text
}

// stretches joins neighbouring pieces that are alike in one respect.
func stretches(all []piece, is func(piece) bool) (out []Range) {
	for _, p := range all {
		switch last := len(out) - 1; {
		case !is(p):
		case last >= 0 && out[last].To.Equal(p.From):
			out[last].To = p.To
		default:
			out = append(out, p.Range)
		}
	}
	return out
}

func (c *Coverage) table(all []piece) Table {
	t := Table{Caption: c.Title, Head: []string{"from", "to", "what"}, Texts: true}
	for _, p := range slices.Backward(all) {
		if len(all) > mostRows && p.State == Full {
			continue
		}
		if len(t.Rows) == mostRows {
			t.More = "The newest " + fmt.Sprint(mostRows) + " stretches that are not covered."
			break
		}
		t.Rows = append(t.Rows, []string{stamp(p.From), stamp(p.To), c.words(p)})
	}
	return t
}

// words say what a piece is, and of how many ledgers if there are several.
func (c *Coverage) words(p piece) string {
	if len(c.Covers) == 1 {
		return string(p.State)
	}
	words := []string{fmt.Sprintf("covered by %s", humanize.Comma(int64(p.full)))}
	if p.gaps > 0 {
		words = append(words, fmt.Sprintf("gap in %s", humanize.Comma(int64(p.gaps))))
	}
	if p.losses > 0 {
		words = append(words, fmt.Sprintf("lost in %s", humanize.Comma(int64(p.losses))))
	}
	return strings.Join(words, ", ")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

func plural(n int, noun string) string {
	return humanize.Comma(int64(n)) + " " + english.PluralWord(n, noun, pluralOf[noun])
}

var pluralOf = map[string]string{"series": "series"}
