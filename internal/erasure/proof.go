// Package erasure proves that nothing of a person is left in data_dir: it reads every byte
// of every file, and every text of every table, since DuckDB and Parquet compress.
package erasure

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Needle is a text to search for.
type Needle struct {
	Label string `json:"label"` // shown in its place, such as "name 1"
	Text  string `json:"text"`
	// Exact: only values of tables that are the same are looked for. It is a hash, which the
	// list of those who were forgotten has, or so short that it is in many texts.
	Exact bool `json:"exact,omitempty"`
	// Column, if not "", is the only one whose values are compared.
	Column string `json:"column,omitempty"`
}

// Proof is what a search read, and what it found. It has no text that was searched for.
type Proof struct {
	Files   int64   `json:"files"`
	Bytes   int64   `json:"bytes"`
	Tables  int64   `json:"tables"`  // of DuckDB files; each Parquet file is one
	Columns int64   `json:"columns"` // with texts
	Values  int64   `json:"values"`  // texts in them
	Needles []Count `json:"needles"`
	Found   []Place `json:"found"`
	// Unread are files that could not be searched completely, and why.
	Unread []Unread `json:"unread"`
	// FreeBlocks are those of the private file: they could have former content.
	FreeBlocks int64 `json:"free_blocks"`
	// Notes qualify what was searched.
	Notes []string `json:"notes"`
}

// Count is how often one text was found.
type Count struct {
	Label string `json:"label"`
	Found int64  `json:"found"`
}

// Place is where something was found. A path that has it itself is not named.
type Place struct {
	Path   string `json:"path"` // below data_dir, with slashes
	Table  string `json:"table,omitempty"`
	Column string `json:"column,omitempty"`
	Label  string `json:"label"`
	Count  int64  `json:"count"`
}

// Unread is a file that was not searched.
type Unread struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Clean reports whether nothing was found, and everything was searched.
func (p *Proof) Clean() bool { return len(p.Found)+len(p.Unread) == 0 }

// Verdict is the result in one line.
func (p *Proof) Verdict() string {
	switch {
	case len(p.Found) > 0:
		return "found in " + english.Plural(len(p.Found), "place", "") + " still"
	case len(p.Unread) > 0:
		return "nothing was found, and " + english.Plural(len(p.Unread), "file", "") + " could not be searched"
	}
	return "nothing was found"
}

// ErrLeft says that a search found something that was to be erased.
var ErrLeft = errors.New("something of what was erased is left")

// Err is an ErrLeft if the search found something, or could not search everything.
func (p *Proof) Err() error {
	if p == nil || p.Clean() {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrLeft, p.Verdict())
}

// OutOfReach is what no search of data_dir can see.
var OutOfReach = []string{
	"backups and snapshots of data_dir or its file system",
	"exports and copies that somebody made, and dashboards that keep results",
	"programs that hold an older file open, until they close it",
	"consumers of the lake: Iceberg tables keep old snapshots until they expire",
	"blocks of the disk that deleted files had, until they are written again",
	"the source itself, and what received alarms",
}

// search is a Search in progress.
type search struct {
	dir     string
	needles []*needle
	proof   *Proof
	binary  []Place   // byte hits in files whose texts are searched in tables, too
	parquet *sql.Conn // reads Parquet files
}

// Search reads everything below a data_dir whose files nobody has open for writing. Links
// are not followed.
func Search(ctx context.Context, dir string, needles []Needle) (*Proof, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &search{dir: dir, proof: &Proof{Found: []Place{}, Unread: []Unread{}, Notes: []string{}}}
	for _, n := range needles {
		s.needles = append(s.needles, newNeedle(n))
	}
	session := duckdb.Session{MemoryLimit: memory, Folder: dir + string(filepath.Separator)}
	err = duckdb.Use(ctx, "", session, func(conn *sql.Conn) error {
		s.parquet = conn
		return s.walk(ctx)
	})
	if err != nil {
		return nil, err
	}
	s.checkBinary()
	for _, n := range s.needles {
		s.proof.Needles = append(s.proof.Needles, Count{Label: n.Label, Found: n.found})
	}
	slices.SortFunc(s.proof.Found, func(a, b Place) int {
		return strings.Compare(a.Path+"\x00"+a.Table+"\x00"+a.Column, b.Path+"\x00"+b.Table+"\x00"+b.Column)
	})
	return s.proof, ctx.Err()
}

// walk searches every file: its bytes first, then its tables.
func (s *search) walk(ctx context.Context) error {
	return filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		below, _ := filepath.Rel(s.dir, path)
		below = filepath.ToSlash(below)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			s.unread(below, err)
			if entry != nil && entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		s.searchName(below, entry.Name())
		switch {
		case entry.Type()&fs.ModeSymlink != 0:
			s.note("links are not followed")
			return nil
		case !entry.Type().IsRegular():
			return nil
		}
		return s.file(ctx, path, below)
	})
}

// searchName notes the name of a file or folder that has what is searched for.
func (s *search) searchName(below, name string) {
	for _, n := range s.needles {
		if !n.Exact && n.inText(name) {
			n.found++
			s.proof.Found = append(s.proof.Found, Place{Path: s.shown(below), Label: n.Label + ", in the name of a file", Count: 1})
			return
		}
	}
}

// shown is a path without names that have what is searched for.
func (s *search) shown(below string) string {
	parts := strings.Split(below, "/")
	for i, part := range parts {
		for _, n := range s.needles {
			if n.inText(part) {
				parts[i] = "(a name that has it)"
			}
		}
	}
	return strings.Join(parts, "/")
}

func (s *search) file(ctx context.Context, path, below string) error {
	kind, err := s.bytes(ctx, path, below)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = s.tables(ctx, path, below, kind)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.unread(below, err)
	}
	return nil
}

func (s *search) unread(below string, err error) {
	reason := "it cannot be read"
	var of *fs.PathError
	if errors.As(err, &of) {
		reason = of.Err.Error()
	} else if errors.Is(err, errTables) {
		reason = "its tables cannot be read: only its bytes were searched"
	}
	s.proof.Unread = append(s.proof.Unread, Unread{Path: s.shown(below), Reason: reason})
}

func (s *search) note(text string) {
	if !slices.Contains(s.proof.Notes, text) {
		s.proof.Notes = append(s.proof.Notes, text)
	}
}

// checkBinary decides what hits in the bytes of DuckDB and Parquet files mean. They keep
// texts without anything between them, so that an id may seem to be there that is a part of
// a longer one, or of two neighbours. Where such texts are in the tables, the bytes prove
// nothing, and the tables do.
func (s *search) checkBinary() {
	for _, place := range s.binary {
		for _, n := range s.needles {
			switch {
			case n.Label != place.Label:
			case n.embedded:
				s.note(fmt.Sprintf("%s is a part of other texts that are stored: for it the tables were searched, and the bytes of DuckDB and Parquet files say nothing", n.Label))
			default:
				n.found += place.Count
				s.proof.Found = append(s.proof.Found, place)
			}
		}
	}
}

// String names the place.
func (p Place) String() string {
	text := p.Path
	if p.Table != "" {
		text += ", table " + p.Table
	}
	if p.Column != "" {
		text += ", column " + p.Column
	}
	return fmt.Sprintf("%s: %s, %s", text, p.Label, english.Plural(int(p.Count), "time", ""))
}
