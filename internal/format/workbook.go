package format

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/dustin/go-humanize"
	"github.com/xuri/excelize/v2"
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
