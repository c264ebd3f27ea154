package terminal

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/internal/visible"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Erased prints what a forget did or, if it was not done, would do.
func Erased(out io.Writer, e *forgotten.Erased, done bool) {
	t := Table(out, "table", ">rows of it", ">rows of others that lose a text")
	for _, of := range schema.Tables() {
		if e.Rows[of.Name]+e.Texts[of.Name] > 0 {
			t.AppendRow(table.Row{of.Name, humanize.Comma(e.Rows[of.Name]), humanize.Comma(e.Texts[of.Name])})
		}
	}
	t.AppendRow(table.Row{schema.RejectedRecords().Name, humanize.Comma(e.Rejects), ""})
	t.Render()
	fmt.Fprintf(out, "%s %s…, %s; %s are written again.\n", e.Tombstone.Kind, e.Tombstone.Hash[:12], english.Plural(e.Names, "name", ""), english.Plural(e.Days, "day", ""))
	for _, note := range e.Unsearch {
		fmt.Fprintf(out, "Note: %s.\n", note)
	}
	if !done {
		fmt.Fprintln(out, "Nothing was changed. Add --yes to erase it; that cannot be undone.")
		return
	}
	if e.Proof != nil {
		Proof(out, e.Proof)
	}
}

// Proof prints a search for what was erased.
func Proof(out io.Writer, p *erasure.Proof) {
	fmt.Fprintf(out, "\nSearched: %s (%s), %s with %s in %s.\n", english.Plural(int(p.Files), "file", ""), humanize.Bytes(uint64(max(p.Bytes, 0))),
		english.Plural(int(p.Tables), "table", ""), english.Plural(int(p.Values), "text", ""), english.Plural(int(p.Columns), "column", ""))
	for _, n := range p.Needles {
		fmt.Fprintf(out, "  %s: %s\n", n.Label, found(n.Found))
	}
	for _, place := range p.Found {
		fmt.Fprintf(out, "  found: %s\n", visible.Short(place.String(), 300))
	}
	for _, file := range p.Unread {
		fmt.Fprintf(out, "  not searched: %s: %s\n", visible.Short(file.Path, 200), visible.Short(file.Reason, 200))
	}
	for _, note := range p.Notes {
		fmt.Fprintf(out, "  note: %s\n", note)
	}
	fmt.Fprintln(out, "\nOut of its reach:\n  - "+strings.Join(erasure.OutOfReach, "\n  - "))
	colour := text.FgGreen
	if !p.Clean() {
		colour = text.FgYellow
	}
	fmt.Fprintf(out, "\n%s.\n", colour.Sprint("Result: "+p.Verdict()))
}

func found(n int64) string {
	if n == 0 {
		return "not found"
	}
	return "found " + english.Plural(int(n), "time", "")
}

// Forgotten prints the list of those who were forgotten or are suppressed.
func Forgotten(out io.Writer, list *forgotten.List) {
	if len(list.Entries) == 0 {
		fmt.Fprintln(out, "Nobody was forgotten, and nobody is suppressed.")
		return
	}
	t := Table(out, "kind", "hash", "what", "decided", ">rows", ">texts", ">rejects", "proven")
	for _, e := range list.Entries {
		what, proven := "forgotten", "no"
		switch {
		case !e.Erases():
			what, proven = "suppressed from "+Stamp(&e.Since)+" on", "–"
		case !e.ProvenAt.IsZero():
			proven = Stamp(&e.ProvenAt)
		case len(e.Sealed) > 0:
			proven = "the next run completes it"
		}
		t.AppendRow(table.Row{e.Kind, e.Hash[:min(len(e.Hash), 12)], what, Stamp(&e.At), humanize.Comma(e.Rows), humanize.Comma(e.Texts), humanize.Comma(e.Rejects), proven})
	}
	t.Render()
}

// ErasedDays prints what a forget of days dropped or, if it was not done, would drop.
func ErasedDays(out io.Writer, before time.Time, rows map[string]int64, done bool) {
	t := Table(out, "table", ">rows before "+before.Format(time.DateOnly))
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		t.AppendRow(table.Row{name, humanize.Comma(rows[name])})
	}
	t.Render()
	if !done {
		fmt.Fprintln(out, "Nothing was changed. Add --yes to erase it; that cannot be undone.")
		return
	}
	fmt.Fprintln(out, "They are erased, and no later run reads that time again. Out of its reach:\n  - "+strings.Join(erasure.OutOfReach, "\n  - "))
}
