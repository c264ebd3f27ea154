package lake

import (
	"fmt"
	"time"
)

// Period is the UTC day or month that a file is about.
type Period struct {
	Month   bool
	Ordinal int32 // days or months since 1970-01-01, as Iceberg counts them
}

func parsePeriod(month bool, text string) (Period, error) {
	layout := time.DateOnly
	if month {
		layout = "2006-01"
	}
	start, err := time.Parse(layout, text)
	if err != nil {
		return Period{}, err
	}
	if month {
		return Period{true, int32(start.Year()-1970)*12 + int32(start.Month()-1)}, nil
	}
	return Period{false, int32(start.Unix() / 86400)}, nil
}

// Bounds is the period from its first instant to the first one after it.
func (p Period) Bounds() (from, to time.Time) {
	if p.Month {
		from = time.Date(1970, time.Month(p.Ordinal+1), 1, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 1, 0)
	}
	from = time.Unix(int64(p.Ordinal)*86400, 0).UTC()
	return from, from.AddDate(0, 0, 1)
}

func (p Period) String() string {
	from, _ := p.Bounds()
	if p.Month {
		return fmt.Sprintf("%04d-%02d", from.Year(), from.Month())
	}
	return from.Format(time.DateOnly)
}
