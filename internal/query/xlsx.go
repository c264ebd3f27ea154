package query

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/dustin/go-humanize"
	"github.com/xuri/excelize/v2"

	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// writeWorkbook writes a workbook for Excel with a sheet for each statement, and those
// that say what they are worth.
func writeWorkbook(ctx context.Context, s *session, r Request, statements []*statement, out Output) (err error) {
	book := excelize.NewFile(excelize.Options{TmpDir: s.spill.dir})
	defer func() { err = errors.Join(err, book.Close()) }()
	styles, err := newStyles(book)
	if err != nil {
		return err
	}
	results := sheetsOf(statements)
	for _, sheet := range results {
		if err := writeSheet(ctx, s, book, sheet, styles); err != nil {
			return err
		}
	}
	written := s.written.Load()
	about, err := s.about(ctx, r, results)
	if err != nil {
		return err
	}
	for _, sheet := range about {
		if err := writeSheet(ctx, s, book, sheet, styles); err != nil {
			return err
		}
	}
	s.written.Store(written)
	if err := book.DeleteSheet(emptySheet); err != nil {
		return err
	}
	_, err = book.WriteTo(out)
	return err
}

// emptySheet is the one that a new workbook has.
const emptySheet = "Sheet1"

// sheet is a statement with the name of its sheet.
type sheet struct {
	*statement
	name string
}

func sheetsOf(statements []*statement) (all []sheet) {
	for i, st := range statements {
		name := cmp.Or(st.table, "Result")
		if len(statements) > 1 && st.table == "" {
			name = fmt.Sprintf("Result %d", i+1)
		}
		all = append(all, sheet{st, name})
	}
	return all
}

// styles are those of the header and of the kinds that a plain number could be taken for.
type styles struct {
	header int
	of     map[kind]int
}

func newStyles(book *excelize.File) (s styles, err error) {
	style := func(style excelize.Style) int {
		id, failed := book.NewStyle(&style)
		err = errors.Join(err, failed)
		return id
	}
	date, instant := "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss.000"
	truth := `"TRUE";"TRUE";"FALSE"` // LibreOffice may show 1 and 0 without it
	s.header = style(excelize.Style{Font: &excelize.Font{Bold: true}})
	s.of = map[kind]int{day: style(excelize.Style{CustomNumFmt: &date}), moment: style(excelize.Style{CustomNumFmt: &instant}), boolean: style(excelize.Style{CustomNumFmt: &truth})}
	return s, err
}

// writeSheet writes a header row, which stays in view and has filters, and the rows.
func writeSheet(ctx context.Context, s *session, book *excelize.File, st sheet, styles styles) error {
	if taken, err := book.GetSheetIndex(st.name); err != nil || taken >= 0 {
		return errors.Join(err, refused("xlsx: two sheets would have the name %s", st.name))
	}
	if _, err := book.NewSheet(st.name); err != nil {
		return err
	}
	if len(st.columns) > excelize.MaxColumns {
		return tooMuch("%s columns, and Excel takes %s", len(st.columns), excelize.MaxColumns)
	}
	// The dimension is written before the rows, so that it can only be wrong.
	if err := book.SetSheetDimension(st.name, ""); err != nil {
		return err
	}
	stream, err := book.NewStreamWriter(st.name)
	if err != nil {
		return err
	}
	cells := make([]any, len(st.columns))
	for i, c := range st.columns {
		text, err := asText(c, c.name)
		if err != nil {
			return err
		}
		cells[i] = excelize.Cell{StyleID: styles.header, Value: text}
	}
	top := &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}
	if err := errors.Join(stream.SetColWidth(1, len(cells), 24), stream.SetPanes(top), stream.SetRow("A1", cells)); err != nil {
		return err
	}
	row := 1
	err = s.rows(ctx, st.texts(asIs), func(values []*string) error {
		if row++; row > excelize.TotalRows {
			return tooMuch("a result of more than %s rows, and Excel takes %s", excelize.TotalRows-1, excelize.TotalRows-1)
		}
		for i, value := range values {
			content, err := st.columns[i].forExcel(value)
			if err != nil {
				return err
			}
			cells[i] = content
			switch content.(type) {
			case float64, bool:
				cells[i] = excelize.Cell{StyleID: styles.of[st.columns[i].kind], Value: content}
			}
		}
		return stream.SetRow("A"+strconv.Itoa(row), cells)
	})
	if err != nil {
		return err
	}
	last, err := excelize.CoordinatesToCellName(len(cells), row)
	if err != nil {
		return err
	}
	return errors.Join(book.AutoFilter(st.name, "A1:"+last, nil), stream.Flush())
}

// forExcel is a value as a cell holds it: nil, a truth value, a number, which also
// represents a time, or a text. A cell that is written as a text is no formula.
func (c column) forExcel(value *string) (any, error) {
	if value == nil {
		return nil, nil
	}
	switch c.kind {
	case boolean:
		if truth, err := strconv.ParseBool(*value); err == nil {
			return truth, nil
		}
	case number:
		// Excel keeps 15 digits, and would put zeros for the others of an id.
		if figure, err := strconv.ParseFloat(*value, 64); err == nil && significant(*value) <= 15 {
			return figure, nil
		}
	case inexact:
		if figure, err := strconv.ParseFloat(*value, 64); err == nil && !math.IsInf(figure, 0) && !math.IsNaN(figure) {
			return figure, nil
		}
	case day, moment:
		if serial, ok := serialOf(*value); ok {
			return serial, nil
		}
	}
	return asText(c, *value)
}

// significant counts the digits of a decimal number, without zeros at either end that
// say nothing.
func significant(text string) int {
	text = strings.TrimLeft(text, "-0.")
	if strings.Contains(text, ".") {
		text = strings.TrimRight(text, "0")
	}
	return len(strings.TrimSuffix(strings.Replace(text, ".", "", 1), "."))
}

// forms are those in which DuckDB writes a date and a time.
var forms = []string{time.DateOnly, time.DateTime, time.DateTime + "-07", time.DateTime + "-07:00"}

// serialOf is a time in days as Excel counts them, by the clock of its zone. Before March
// 1900 Excel's calendar is wrong, and after 9999 it ends.
func serialOf(text string) (float64, bool) {
	for _, form := range forms {
		at, err := time.Parse(form, text)
		if err != nil {
			continue
		}
		_, offset := at.Zone()
		wall := at.Add(time.Duration(offset) * time.Second).UTC()
		if wall.Before(time.Date(1900, 3, 1, 0, 0, 0, 0, time.UTC)) || wall.Year() > 9999 {
			return 0, false
		}
		const epoch, perDay = 25569, 24 * 60 * 60 * 1e6 // 1970-01-01, microseconds
		return epoch + float64(wall.UnixMicro())/perDay, true
	}
	return 0, false
}

// asText is a text of a cell. One that is too long would be cut without a word.
func asText(c column, text string) (string, error) {
	text = visible.Controls(text)
	if len(text) > excelize.TotalCellChars {
		if length := len(utf16.Encode([]rune(text))); length > excelize.TotalCellChars {
			return "", tooMuch("a text of %s characters in the column "+strconv.Quote(c.name)+", and Excel takes %s", length, excelize.TotalCellChars)
		}
	}
	return text, nil
}

// tooMuch reports what Excel cannot hold.
func tooMuch(format string, is, most int) error {
	return refused("xlsx: "+format+"; narrow the query, or write parquet or csv", humanize.Comma(int64(is)), humanize.Comma(int64(most)))
}
