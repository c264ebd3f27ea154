package schema

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// ViewSchema is the schema of the views, in the warehouse and in the published file.
const ViewSchema = "bi"

// View is one view for analysts. Each is a file in views: its comment has the meaning of
// the view, its key, and the name, type and meaning of every column, in order; the rest is
// its query.
//
// A view names its columns itself, so that a table may get columns without changing it.
// They have types that every BI tool reads: VARCHAR, BIGINT, INTEGER, DOUBLE, BOOLEAN,
// DATE, and TIMESTAMP in UTC. A TIMESTAMPTZ becomes one by make_timestamp(epoch_us(t)),
// which does not depend on the client's time zone and needs no extension.
type View struct {
	Name       string
	Doc        string
	Key        []string            // what identifies a row; NULLs in it are equal
	Streams    []string            // what its rows are made of; nil if that is not one kind of data
	Values     map[string][]string // all values of some columns
	References map[string]string   // columns that hold the id of another view's row, or NULL
	Columns    []ViewColumn
	Query      string
}

// ViewColumn is a column of a view.
type ViewColumn struct {
	Name string `json:"name"`
	Type string `json:"duckdb_type"`
	Doc  string `json:"description"`
}

//go:embed views/*.sql derived/*.sql dictionary/*.tmpl
var files embed.FS

// Views returns every view; those that a view reads come before it.
func Views() []*View { return slices.Clone(views()) }

var views = sync.OnceValue(func() []*View {
	names, err := fs.Glob(files, "views/*.sql")
	if err != nil { // the pattern is valid
		panic(err)
	}
	var pending []*View
	for _, name := range names {
		pending = append(pending, parseView(strings.TrimSuffix(path.Base(name), ".sql"), read(name)))
	}
	var ordered []*View
	for len(pending) > 0 {
		ready := slices.IndexFunc(pending, func(v *View) bool {
			return !slices.ContainsFunc(pending, func(other *View) bool { return other != v && v.reads(other.Name) })
		})
		if ready < 0 {
			panic("views read each other: " + pending[0].Name)
		}
		ordered = append(ordered, pending[ready])
		pending = slices.Delete(pending, ready, ready+1)
	}
	return ordered
})

func read(name string) string {
	content, err := files.ReadFile(name)
	if err != nil { // it is embedded
		panic(err)
	}
	return string(content)
}

func parseView(name, content string) *View {
	v := &View{Name: name, Values: map[string][]string{}, References: map[string]string{}}
	lines := strings.Split(content, "\n")
	n := slices.IndexFunc(lines, func(line string) bool { return !strings.HasPrefix(line, "--") })
	for _, line := range lines[:n] {
		text := strings.TrimSpace(strings.TrimPrefix(line, "--"))
		column, rest, isColumn := strings.Cut(text, "  ")
		title, list, _ := strings.Cut(text, ": ")
		listed := strings.Split(list, ", ")
		constrained, isValues := strings.CutPrefix(title, "Values of ")
		switch {
		case text == "":
		case title == "Key":
			v.Key = listed
		case title == "Streams":
			v.Streams = listed
		case isValues:
			v.Values[constrained] = listed
		case title == "References":
			for _, reference := range listed {
				from, to, _ := strings.Cut(reference, " ")
				v.References[from] = to
			}
		case isColumn:
			kind, doc, _ := strings.Cut(strings.TrimSpace(rest), "  ")
			v.Columns = append(v.Columns, ViewColumn{column, kind, strings.TrimSpace(doc)})
		default:
			v.Doc = strings.TrimSpace(v.Doc + " " + text)
		}
	}
	v.Query = strings.TrimSpace(strings.Join(lines[n:], "\n"))
	return v
}

// StreamsOf lists the streams that the rows of a table or view are made of; nil if that is
// not one kind of data.
func StreamsOf(name string) []string {
	for _, v := range Views() {
		if v.Name == name {
			return v.Streams
		}
	}
	if s := streamOf(name); s != nil {
		return []string{s.Name}
	}
	return nil
}

func (v *View) reads(name string) bool {
	return regexp.MustCompile(`\b` + ViewSchema + `\.` + name + `\b`).MatchString(v.Query)
}

// DDL returns the statements that make the view and its comments, in order.
func (v *View) DDL() []string {
	name := ViewSchema + "." + Ident(v.Name)
	statements := []string{
		"CREATE VIEW " + name + " AS " + v.Query,
		fmt.Sprintf("COMMENT ON VIEW %s IS %s", name, Literal(v.Doc)),
	}
	for _, c := range v.Columns {
		statements = append(statements, fmt.Sprintf("COMMENT ON COLUMN %s.%s IS %s", name, Ident(c.Name), Literal(c.Doc)))
	}
	return statements
}

// ViewsDigest differs for other views.
func ViewsDigest() string {
	hash := sha256.New()
	for _, v := range Views() {
		for _, statement := range v.DDL() {
			hash.Write([]byte(statement))
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}
