package format

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"github.com/flashback-sync/flashback-sync/internal/visible"
)

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
