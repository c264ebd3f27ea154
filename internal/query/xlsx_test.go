package query_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/flashback-sync/flashback-sync/internal/query"
)

// workbook writes the results of the SQL and opens the file as another program does.
func workbook(t *testing.T, r query.Request) *excelize.File {
	t.Helper()
	target := filepath.Join(t.TempDir(), "result.xlsx")
	r.Format, r.Limits = "xlsx", query.DefaultLimits()
	if err := query.ToFile(t.Context(), r, target, filepath.Dir(r.Database)); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenFile(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	return book
}

func TestAWorkbookHasASheetForEachStatement(t *testing.T) {
	path := published(t)
	book := workbook(t, query.Request{Database: path, SQL: "SELECT 1 AS a; FROM alerts; FROM alerts WHERE false; SELECT 1 AS a, 2 AS a; EXPLAIN SELECT 1; FROM types"})
	if got := book.GetSheetList(); !slices.Equal(got, []string{"Result 1", "Result 2", "Result 3", "Result 4", "Result 5", "Result 6"}) {
		t.Error(got)
	}
	for sheet, want := range map[string]int{"Result 1": 2, "Result 2": 1001, "Result 3": 1, "Result 4": 2} {
		if rows, err := book.GetRows(sheet); err != nil || len(rows) != want {
			t.Errorf("%s: %d rows, %v", sheet, len(rows), err)
		}
	}
	var filters []string
	for _, name := range book.GetDefinedName() {
		filters = append(filters, name.RefersTo)
	}
	if !slices.Contains(filters, "'Result 2'!$A$1:$C$1001") || len(filters) != 6 {
		t.Error(filters)
	}
}

func TestAWorkbookHasTypedCells(t *testing.T) {
	path := published(t)
	const formula = `=HYPERLINK("http://x","y")`
	for _, test := range []struct {
		sql, raw, shown string
		kind            excelize.CellType
	}{
		{"123456789012345", "123456789012345", "123456789012345", excelize.CellTypeUnset},
		{"-1234567890123456", "-1234567890123456", "-1234567890123456", excelize.CellTypeInlineString},
		{"12.50::DECIMAL(9,2)", "12.5", "12.5", excelize.CellTypeUnset},
		{"123456789012.0000::DECIMAL(18,4)", "123456789012", "123456789012", excelize.CellTypeUnset},
		{"1234567890123456.5::DECIMAL(18,1)", "1234567890123456.5", "1234567890123456.5", excelize.CellTypeInlineString},
		{"(1/3)::DOUBLE", "0.333333333333333", "0.333333333333333", excelize.CellTypeUnset},
		{"'nan'::DOUBLE", "nan", "nan", excelize.CellTypeInlineString},
		{"'inf'::FLOAT", "inf", "inf", excelize.CellTypeInlineString},
		{"true", "1", "TRUE", excelize.CellTypeBool},
		{"DATE '2026-08-30'", "46264", "2026-08-30", excelize.CellTypeUnset},
		{"TIMESTAMP '2026-08-30 12:00:36'", "46264.5004166666", "2026-08-30 12:00:36.000", excelize.CellTypeUnset},
		{"TIMESTAMPTZ '2026-10-25 00:30:00+00'", "46320.1041666666", "2026-10-25 02:30:00.000", excelize.CellTypeUnset},
		{"DATE '1899-12-31'", "1899-12-31", "1899-12-31", excelize.CellTypeInlineString},
		{"'infinity'::TIMESTAMPTZ", "infinity", "infinity", excelize.CellTypeInlineString},
		{"'" + formula + "'", formula, formula, excelize.CellTypeInlineString},
		{"'00123'", "00123", "00123", excelize.CellTypeInlineString},
		{"' a' || chr(10) || 'b<&>'", " a\nb<&>", " a\nb<&>", excelize.CellTypeInlineString},
		{"chr(27) || '[2J'", `\x1b[2J`, `\x1b[2J`, excelize.CellTypeInlineString},
		{"[1, NULL]", "[1, NULL]", "[1, NULL]", excelize.CellTypeInlineString},
		{"NULL", "", "", excelize.CellTypeUnset},
	} {
		book := workbook(t, query.Request{Database: path, SQL: "SELECT " + test.sql + ` AS "=1+1"`, Zone: "Europe/Berlin"})
		raw, err1 := book.GetCellValue("Result", "A2", excelize.Options{RawCellValue: true})
		shown, err2 := book.GetCellValue("Result", "A2")
		kind, err3 := book.GetCellType("Result", "A2")
		formula, err4 := book.GetCellFormula("Result", "A1")
		own, err5 := book.GetCellFormula("Result", "A2")
		if err := errors.Join(err1, err2, err3, err4, err5); err != nil || raw != test.raw || shown != test.shown || kind != test.kind || formula+own != "" {
			t.Errorf("%s: %q, shown %q, type %d, formulas %q; want %q, %q, %d (%v)", test.sql, raw, shown, kind, formula+own, test.raw, test.shown, test.kind, err)
		}
	}
}

func TestWhatExcelCannotHoldIsAnError(t *testing.T) {
	path := published(t)
	wide := make([]string, excelize.MaxColumns+1)
	for i := range wide {
		wide[i] = fmt.Sprintf("1 AS c%d", i)
	}
	for sql, want := range map[string]string{
		"SELECT 1 FROM range(1048576)":                      "more than 1,048,575 rows",
		"SELECT repeat('x', 32768) AS message":              `32,768 characters in the column "message", and Excel takes 32,767`,
		"SELECT repeat('🦆', 16384) AS message":              "32,768 characters",
		"SELECT " + strings.Join(wide, ", "):                "16,385 columns",
		"SELECT 1 AS \"" + strings.Repeat("n", 40000) + `"`: "40,000 characters",
	} {
		_, err := run(t, query.Request{Database: path, SQL: sql, Format: "xlsx"})
		var refused *query.StatementError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %.200v, want %s", sql, err, want)
		}
	}
	if out, err := run(t, query.Request{Database: path, SQL: "SELECT repeat('é', 32767) AS a", Format: "xlsx"}); err != nil || !strings.HasPrefix(out, "PK") {
		t.Error(err)
	}
	if found := names(t, filepath.Dir(path)); len(found) != 1 {
		t.Error(found)
	}
}
