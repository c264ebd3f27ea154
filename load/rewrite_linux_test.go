package load_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/rewrite"
)

// rewriteDir is set for the process that TestRewriteAlone is: it rewrites this data_dir.
const rewriteDir = "TEST_REWRITE_DIR"

// rewritePanics is set if its function is to panic.
const rewritePanics = "TEST_REWRITE_PANICS"

// halve leaves out half of the alerts and blanks a quarter.
func halve() rewrite.Changes {
	blank := "blank"
	return rewrite.Changes{
		Functions: map[string]duckdb.Function{"blank": {Call: func([]*string) *string { return &blank }}},
		Where:     map[string]string{"alerts": "id[-1] NOT IN ('1', '3', '5', '7', '9')"},
		Columns:   map[string]map[string]string{"alerts": {"message": "CASE WHEN id[-1] = '4' THEN blank() ELSE message END"}},
	}
}

// TestRewriteAlone is not a test of its own: others kill it.
func TestRewriteAlone(t *testing.T) {
	dir := os.Getenv(rewriteDir)
	if dir == "" {
		t.Skip("started by TestRewriteSurvives...")
	}
	runtime.LockOSThread() // strace counts each thread's calls by themselves
	w := open(t, dir)
	r := halve()
	if os.Getenv(rewritePanics) != "" {
		r.Functions["blank"] = duckdb.Function{Call: func([]*string) *string { panic(canary) }}
	}
	rewritten(t, w, r)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func rewriteAlone(ctx context.Context, dir string, wrapper ...string) *exec.Cmd {
	command := slices.Concat(wrapper, []string{os.Args[0], "-test.run=^TestRewriteAlone$"})
	child := exec.CommandContext(ctx, command[0], command[1:]...)
	child.Env = append(os.Environ(), rewriteDir+"="+dir)
	return child
}

// interrupted is a warehouse before a Rewrite, and the rows before and after it.
type interrupted struct {
	file     []byte
	old, new map[string][]string
}

func newInterrupted(t *testing.T) (i interrupted) {
	t.Helper()
	unraced(t)
	dir := t.TempDir()
	w := kept(t, dir, alert{"first", epoch, "x"})
	for day := range 3 {
		commit(t, w, "run-1", many(t, day, 5000))
	}
	published(t, w, dir)
	i.old = rowsOf(t, w.Conn())
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	i.file = contents(t, load.File(dir))
	w = open(t, dir)
	rewritten(t, w, halve())
	i.new = rowsOf(t, w.Conn())
	return i
}

// verify opens the warehouse after a crash: it has the old rows or the new ones, and nothing
// else is left. Another Rewrite ends with the new ones.
func (i interrupted) verify(t *testing.T, dir string, again bool) (renamed bool) {
	t.Helper()
	w := open(t, dir)
	defer func() { _ = w.Close() }()
	rows := rowsOf(t, w.Conn())
	if renamed = cmp.Equal(i.new, rows); !renamed {
		if diff := cmp.Diff(i.old, rows); diff != "" {
			t.Errorf("neither old nor new: %s", diff)
		}
	} else if _, err := os.Lstat(filepath.Join(dir, load.Unpublished)); err != nil {
		t.Errorf("renamed, and not marked: %v", err)
	}
	if left := names(t, load.File(dir)+".*"); len(left) > 0 && fmt.Sprint(left) != "[warehouse.duckdb.wal]" {
		t.Errorf("left are %v", left)
	}
	if !again {
		return renamed
	}
	rewritten(t, w, halve())
	if diff := cmp.Diff(i.new, rowsOf(t, w.Conn())); diff != "" {
		t.Error(diff)
	}
	return renamed
}

// It is killed before each system call that makes, fsyncs or renames a file, and before some
// of those that write or remove one.
func TestRewriteSurvivesAKillAtEachStep(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("needs strace")
	}
	i := newInterrupted(t)
	for call, every := range map[string]bool{
		"fsync": true, "rename,renameat,renameat2": true, "mkdir,mkdirat": true, "chmod,fchmodat": true, "unlink,unlinkat": false, "pwrite64": false,
	} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			old, renamed := 0, 0
			for n := 1; ; {
				dir := placed(t, i.file, nil)
				out, err := rewriteAlone(context.Background(), dir, "strace", "-f", "-qq", "-o", os.DevNull,
					"-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, n)).CombinedOutput()
				if err != nil && !killed(err) {
					t.Fatalf("%v: %s", err, out)
				}
				switch isNew := i.verify(t, dir, n == 1); {
				case err == nil && !isNew:
					t.Error("it ended without the new file")
				case err == nil:
					t.Logf("killed %d times with the old file in its place, %d times with the new one", old, renamed)
					return
				case isNew:
					renamed++
				default:
					old++
				}
				if every {
					n++
				} else {
					n *= 2
				}
			}
		})
	}
}

func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && (status.Signal() == syscall.SIGKILL || status.ExitStatus() == 128+int(syscall.SIGKILL))
}

func TestRewriteSurvivesKillsAtRandom(t *testing.T) {
	t.Parallel()
	i := newInterrupted(t)
	began := time.Now()
	if out, err := rewriteAlone(context.Background(), placed(t, i.file, nil)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	usual := time.Since(began)
	ended := 0
	for range 10 {
		dir := placed(t, i.file, nil)
		ctx, cancel := context.WithTimeout(context.Background(), rand.N(usual))
		if err := rewriteAlone(ctx, dir).Run(); err == nil {
			ended++
		}
		cancel()
		i.verify(t, dir, false)
	}
	t.Logf("%d of 10 ended before they were killed", ended)
}

// DuckDB calls a function from C: a panic in it ends the process as any other does.
func TestRewriteSurvivesAPanicOfAFunction(t *testing.T) {
	t.Parallel()
	i := newInterrupted(t)
	dir := placed(t, i.file, nil)
	child := rewriteAlone(context.Background(), dir)
	child.Env = append(child.Env, rewritePanics+"=true")
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "internal error") || strings.Contains(string(out), canary) {
		t.Errorf("%v: %s", err, out)
	}
	i.verify(t, dir, true)
}

// Whatever fails, the old file is in use afterwards, and nothing of the new one is left.
func TestRewriteLeavesTheOldFileWhenTheDiskFails(t *testing.T) {
	t.Parallel()
	unraced(t)
	file := func(suffix string) func(dir string) string {
		return func(dir string) string { return load.File(dir) + suffix }
	}
	rows := file(".new.rows/alerts-0.parquet")
	for name, c := range map[string]struct {
		path  func(dir string) string
		fault string
		want  duckdb.Cause
	}{
		"folder of rows":    {file(".new.rows"), "mkdirat:error=EACCES:when=1+", duckdb.CausePermission},
		"rows full":         {rows, "write,pwrite64:error=ENOSPC:when=1+", duckdb.CauseFull},
		"rows unreadable":   {rows, "read,pread64:error=EIO:when=1+", duckdb.CauseDisk},
		"new not made":      {file(".new"), "openat:error=EACCES:when=1+", duckdb.CausePermission},
		"new full at first": {file(".new"), "pwrite64:error=ENOSPC:when=1+", duckdb.CauseFull},
		"new full":          {file(".new"), "pwrite64:error=ENOSPC:when=4+", duckdb.CauseFull},
		"new fails":         {file(".new"), "pwrite64:error=EIO:when=6+", duckdb.CauseDisk},
		"new not synced":    {file(".new"), "fsync:error=EIO:when=1+", duckdb.CauseDisk},
		"mark not written":  {func(dir string) string { return filepath.Join(dir, load.Unpublished) }, "renameat:error=EROFS:when=1+", duckdb.CauseReadOnly},
		"not renamed":       {file(""), "renameat:error=EIO:when=1+", duckdb.CauseDisk},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !alone(t, func(dir string) []string {
				putWarehouse(t, dir, filled(t), nil)
				return injecting(c.path(dir), c.fault)
			}) {
				return
			}
			w := open(t, os.Getenv(aloneDir))
			before := rowsOf(t, w.Conn())
			_, err := w.Rewrite(context.Background(), halve())
			var storage *duckdb.StorageError
			var damaged *duckdb.DamagedError
			if !errors.As(err, &storage) || errors.As(err, &damaged) || storage.Cause() != c.want {
				t.Fatalf("%v", err)
			}
			if diff := cmp.Diff(before, rowsOf(t, w.Conn())); diff != "" {
				t.Error(diff)
			}
			if left := names(t, load.File(os.Getenv(aloneDir))+".new*"); len(left) > 0 {
				t.Errorf("left are %v", left)
			}
			if counts := commit(t, w, "run-2", batch(t, alert{"later", epoch, "x"})); counts.Inserted != 1 {
				t.Errorf("%+v", counts)
			}
		})
	}
}

func TestRewriteWithoutFreeSpaceIsRefused(t *testing.T) {
	t.Parallel()
	if !alone(t, mounting) {
		return
	}
	file := filled(t)
	for disk, enough := range map[int]bool{17<<20 + 2*len(file): false, 18<<20 + 3*len(file): true} {
		dir := mount(t, fmt.Sprint(disk))
		putWarehouse(t, dir, file, nil)
		w := open(t, dir)
		before := rowsOf(t, w.Conn())
		_, err := w.Rewrite(context.Background(), halve())
		var storage *duckdb.StorageError
		switch {
		case enough && err != nil:
			t.Errorf("%v", err)
		case enough:
		case !errors.As(err, &storage) || storage.Cause() != duckdb.CauseFull || !strings.Contains(err.Error(), "are free, a run needs"):
			t.Errorf("%v", err)
		default:
			if diff := cmp.Diff(before, rowsOf(t, w.Conn())); diff != "" {
				t.Error(diff)
			}
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}
