package torture

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"
)

// holder is an analyst who has everything open and does not let go.
type holder struct {
	db     *sql.DB
	conn   *sql.Conn
	rows   *sql.Rows // begun and not finished
	files  []*os.File
	counts [2]int
	sums   []string
}

func (w *world) hold() (h *holder, err error) {
	h = &holder{}
	if h.db, err = sql.Open("duckdb", published(w.data)+"?access_mode=READ_ONLY"); err != nil {
		return nil, err
	}
	if h.conn, err = h.db.Conn(context.Background()); err != nil {
		return nil, err
	}
	if h.counts, err = h.count(); err != nil {
		return nil, err
	}
	h.rows, err = h.db.Query("SELECT id FROM alerts") //nolint:rowserrcheck // read to its end, and checked, after the runs
	if err != nil {
		return nil, err
	}
	if !h.rows.Next() {
		return nil, errors.Join(errors.New("no rows"), h.rows.Err())
	}
	paths, err := parquetFiles(w.data)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		h.files = append(h.files, file)
	}
	h.sums, err = h.sum()
	return h, err
}

// count is what the old view holds.
func (h *holder) count() (counts [2]int, err error) {
	err = h.conn.QueryRowContext(context.Background(), "SELECT count(DISTINCT message), count(DISTINCT _last_changed_at) FROM alerts").Scan(&counts[0], &counts[1])
	return counts, err
}

func (h *holder) sum() (sums []string, err error) {
	for _, file := range h.files {
		content, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<30))
		if err != nil {
			return nil, err
		}
		sums = append(sums, fmt.Sprintf("%x", sha256.Sum256(content)))
	}
	return sums, nil
}

func (h *holder) letGo() {
	h.rows.Close()
	h.conn.Close()
	h.db.Close()
	for _, file := range h.files {
		file.Close()
	}
}

func TestReadersWhoHoldFilesDisturbNoRunAndKeepTheirView(t *testing.T) {
	w := newWorld(t, 13)
	dice := rand.New(rand.NewPCG(3, 0))
	w.sync()
	usual := w.median(dice, 5)
	h, err := w.hold()
	if err != nil {
		t.Fatal(err)
	}
	stored := w.median(dice, 5)
	if stored > 3*usual+time.Second {
		t.Errorf("a run takes %v, and %v while files are stored", usual, stored)
	}
	counts, err := h.count()
	if err != nil || counts != h.counts {
		t.Errorf("the old view changed: %v, %v before (%v)", counts, h.counts, err)
	}
	sums, err := h.sum()
	if err != nil || !slices.Equal(sums, h.sums) {
		t.Errorf("a Parquet file was written in place (%v)", err)
	}
	rest := 1
	for h.rows.Next() {
		rest++
	}
	if err := h.rows.Err(); err != nil || rest < 400 {
		t.Errorf("a query that was under way gave %d rows: %v", rest, err)
	}
	h.letGo()
	w.equalsTruth()
}

// median is how long a run takes that finds something new.
func (w *world) median(dice *rand.Rand, runs int) time.Duration {
	w.t.Helper()
	var times []time.Duration
	for range runs {
		w.change(dice)
		times = append(times, w.must().took)
	}
	slices.Sort(times)
	return times[runs/2]
}
