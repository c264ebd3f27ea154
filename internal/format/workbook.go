package format

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/dustin/go-humanize"
	"github.com/xuri/excelize/v2"

	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// Sheet is a result with its name in a workbook.
type Sheet struct {
	Name string
	Rows
}

// emptySheet is the one that a new workbook has.
const emptySheet = "Sheet1"

// Workbook writes a workbook for Excel. Temporary files go into the folder.
func Workbook(out io.Writer, sheets []Sheet, folder string) (err error) {
	book := excelize.NewFile(excelize.Options{TmpDir: folder})
	defer func() { err = errors.Join(err, book.Close()) }()
	styles, err := newStyles(book)
	if err != nil {
		return err
	}
	for _, sheet := range sheets {
		if err := sheet.write(book, styles); err != nil {
			return err
		}
	}
	if err := book.DeleteSheet(emptySheet); err != nil {
		return err
	}
	_, err = book.WriteTo(out)
	return err
}

// styles are those of the header and of the kinds that a plain number could be taken for.
type styles struct {
	header int
	of     map[Kind]int
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
	s.of = map[Kind]int{Day: style(excelize.Style{CustomNumFmt: &date}), Moment: style(excelize.Style{CustomNumFmt: &instant}), Boolean: style(excelize.Style{CustomNumFmt: &truth})}
	return s, err
}

// write writes a header row, which stays in view and has filters, and the rows.
func (s Sheet) write(book *excelize.File, styles styles) error {
	if taken, err := book.GetSheetIndex(s.Name); err != nil || taken >= 0 {
		return errors.Join(err, unfit("xlsx: two sheets would have the name %s", s.Name))
	}
	if _, err := book.NewSheet(s.Name); err != nil {
		return err
	}
	if len(s.Columns) > excelize.MaxColumns {
		return tooMuch("%s columns, and Excel takes %s", len(s.Columns), excelize.MaxColumns)
	}
	// The dimension is written before the rows, so that it can only be wrong.
	if err := book.SetSheetDimension(s.Name, ""); err != nil {
		return err
	}
	stream, err := book.NewStreamWriter(s.Name)
	if err != nil {
		return err
	}
	cells := make([]any, len(s.Columns))
	for i, c := range s.Columns {
		text, err := asText(c, c.Name)
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
	err = s.Each(func(values []*string) error {
		if row++; row > excelize.TotalRows {
			return tooMuch("a result of more than %s rows, and Excel takes %s", excelize.TotalRows-1, excelize.TotalRows-1)
		}
		for i, value := range values {
			content, err := s.Columns[i].forExcel(value)
			if err != nil {
				return err
			}
			cells[i] = content
			switch content.(type) {
			case float64, bool:
				cells[i] = excelize.Cell{StyleID: styles.of[s.Columns[i].Kind], Value: content}
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
	return errors.Join(book.AutoFilter(s.Name, "A1:"+last, nil), stream.Flush())
}

// UnfitError reports what the format cannot hold.
type UnfitError struct{ Text string }

func (e *UnfitError) Error() string { return e.Text }

func unfit(format string, args ...any) error { return &UnfitError{fmt.Sprintf(format, args...)} }

// tooMuch reports what Excel cannot hold.
func tooMuch(format string, is, most int) error {
	return unfit("xlsx: "+format+"; narrow the query, or write parquet or csv", humanize.Comma(int64(is)), humanize.Comma(int64(most)))
}

// forExcel is a value as a cell holds it: nil, a truth value, a number, which also
// represents a time, or a text. A cell that is written as a text is no formula.
func (c Column) forExcel(value *string) (any, error) {
	if value == nil {
		return nil, nil
	}
	switch c.Kind {
	case Boolean:
		if truth, err := strconv.ParseBool(*value); err == nil {
			return truth, nil
		}
	case Number:
		// Excel keeps 15 digits, and would put zeros for the others of an id.
		if figure, err := strconv.ParseFloat(*value, 64); err == nil && significant(*value) <= 15 {
			return figure, nil
		}
	case Inexact:
		if figure, err := strconv.ParseFloat(*value, 64); err == nil && !math.IsInf(figure, 0) && !math.IsNaN(figure) {
			return figure, nil
		}
	case Day, Moment:
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
func asText(c Column, text string) (string, error) {
	text = visible.Controls(text)
	if len(text) > excelize.TotalCellChars {
		if length := len(utf16.Encode([]rune(text))); length > excelize.TotalCellChars {
			return "", tooMuch("a text of %s characters in the column "+strconv.Quote(c.Name)+", and Excel takes %s", length, excelize.TotalCellChars)
		}
	}
	return text, nil
}
