package html

import (
	"io"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/schema"
)

// erasurePage is an erasure arranged for reading.
type erasurePage struct {
	*forgotten.Erased
	At                 time.Time
	DataDir, Generator string
	Words              string
	Tone               audit.Status
	Tables             []erasedTable
	OutOfReach         []string
}

type erasedTable struct {
	Name        string
	Rows, Texts int64
}

// WriteErasure writes what a forget did, and its proof, as one HTML file that needs
// nothing else. It has nothing of the person but the keyed hash.
func WriteErasure(w io.Writer, e *forgotten.Erased, dataDir, version string, at time.Time) error {
	p := erasurePage{
		Erased: e, At: at.UTC(), DataDir: dataDir, Generator: "flashback-sync " + version,
		Words: "Nothing was erased yet", Tone: audit.Extra, OutOfReach: erasure.OutOfReach,
	}
	if e.Proof != nil {
		p.Words, p.Tone = "Erased: "+e.Proof.Verdict(), audit.Match
		if !e.Proof.Clean() {
			p.Words, p.Tone = "Not erased completely: "+e.Proof.Verdict(), audit.Missing
		}
	}
	for _, t := range schema.Tables() {
		if n := e.Rows[t.Name] + e.Texts[t.Name]; n > 0 {
			p.Tables = append(p.Tables, erasedTable{t.Name, e.Rows[t.Name], e.Texts[t.Name]})
		}
	}
	p.Tables = append(p.Tables, erasedTable{Name: schema.RejectedRecords().Name, Rows: e.Rejects})
	return pageTemplate.ExecuteTemplate(w, "erasure.html.tmpl", p)
}
