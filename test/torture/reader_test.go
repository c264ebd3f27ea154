package torture

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// analyst reads what is published, as people and dashboards do. It must never
// meet an error, half a file, a row twice, or fewer rows than before.
type analyst struct {
	data   string
	stored map[string]int // rows of each table, when they were read last
}

func published(data string) string { return filepath.Join(data, "flashback.duckdb") }

func (w *world) analyst() *analyst { return &analyst{data: w.data, stored: map[string]int{}} }

// readDuckDB reads flashback.duckdb, if it is published yet.
func (a *analyst) readDuckDB() error {
	if _, err := os.Stat(published(a.data)); errors.Is(err, fs.ErrNotExist) && a.stored["alerts"] == 0 {
		return nil
	}
	db, err := sql.Open("duckdb", published(a.data)+"?access_mode=READ_ONLY")
	if err != nil {
		return err
	}
	defer db.Close()
	for _, table := range []string{"alerts", "violations"} {
		var rows, distinct, complete int
		err := db.QueryRow("SELECT count(*), count(DISTINCT id), count(policy_id || _run_id) FROM "+table).Scan(&rows, &distinct, &complete)
		if err != nil {
			return err
		}
		if rows != distinct || rows != complete || rows < a.stored[table] {
			return fmt.Errorf("%s: %d rows, %d distinct, %d complete, %d before", table, rows, distinct, complete, a.stored[table])
		}
		a.stored[table] = rows
	}
	return nil
}

// readParquet reads every value of a file, if it is still there. DuckDB opens a path twice
// for one read, and may meet two versions of the file; so it is given one that is open.
func readParquet(db *sql.DB, path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	var rows int
	err = db.QueryRow(fmt.Sprintf("SELECT count(hash(t)) FROM read_parquet('/dev/fd/%d') t", file.Fd())).Scan(&rows)
	if err == nil && rows == 0 {
		err = errors.New("no rows")
	}
	return err
}

// engine reads Parquet files. It remembers nothing of them: a descriptor is a path, and
// names another file the next time.
var engine = sync.OnceValues(func() (*sql.DB, error) {
	return sql.Open("duckdb", "?enable_external_file_cache=false")
})

// readLake reads every Parquet file, and the manifest. A file may go away when
// the last row of its day has moved to another.
func (a *analyst) readLake() error {
	files, err := parquetFiles(a.data)
	if err != nil || len(files) == 0 {
		return err
	}
	db, err := engine()
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := readParquet(db, file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	m, err := readManifest(a.data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // before the first one
	}
	if err == nil && m.Format != 1 {
		err = fmt.Errorf("the manifest's format is %d", m.Format)
	}
	return err
}

func (a *analyst) read() error { return errors.Join(a.readDuckDB(), a.readLake()) }

// asReader makes this test binary a reader of its own: DuckDB would hand two
// openings of one path within a process the same file, and locks work between
// processes only.
const asReader = "TORTURE_READER"

// readAll reads until stdin ends, then tells how often.
func readAll(what, data string) error {
	a := &analyst{data: data, stored: map[string]int{}}
	read := map[string]func() error{"duckdb": a.readDuckDB, "lake": a.readLake}[what]
	told := make(chan error)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		told <- err
	}()
	pace := time.NewTicker(400 * time.Millisecond) // leaves the machine to the runs
	defer pace.Stop()
	for reads := 0; ; reads++ {
		select {
		case err := <-told:
			_, _ = fmt.Fprint(os.Stdout, reads)
			return err
		case <-pace.C:
		}
		if err := read(); err != nil {
			return fmt.Errorf("read %d of %s: %w", reads+1, what, err)
		}
	}
}

// reader is such a process.
type reader struct {
	*exec.Cmd
	stdin          io.Closer
	stdout, stderr bytes.Buffer
}

// readers reads flashback.duckdb and the lake all the time, in two processes. end
// gives the number of reads; a reader that was disturbed fails the test.
func (w *world) readers() (end func() (reads int)) {
	w.t.Helper()
	var all []*reader
	for _, what := range []string{"duckdb", "lake"} {
		r := &reader{Cmd: exec.Command(os.Args[0])}
		r.Env = append(os.Environ(), asReader+"="+what, asReader+"_DATA="+w.data)
		r.Stdout, r.Stderr = &r.stdout, &r.stderr
		stdin, err := r.StdinPipe()
		if err == nil {
			r.stdin, err = stdin, r.Start()
		}
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, r)
	}
	return func() (reads int) {
		w.t.Helper()
		for _, r := range all {
			_ = r.stdin.Close()
			if err := r.Wait(); err != nil {
				w.t.Errorf("a reader was disturbed: %v %s", err, r.stderr.String())
			}
			n, _ := strconv.Atoi(r.stdout.String())
			reads += n
		}
		return reads
	}
}
