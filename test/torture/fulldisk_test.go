package torture

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// onSmallDisk runs the program twice on a file system of its own: first as the
// mount options say, then with room enough. It needs a private mount namespace,
// so that nothing is left mounted whatever happens.
const onSmallDisk = `set -eu
mount -t tmpfs -o size=200m tmpfs "$DATA"
cp -a "$BASE/." "$DATA/"
mount -o "remount,$FIRST" "$DATA"
set +e
"$@" 2>"$OUT/err1"; echo $? >"$OUT/code1"
cp -a "$DATA/." "$OUT/after1/"
[ "$ONCE" ] && exit 0
mount -o remount,rw,size=200m "$DATA"
"$@" 2>"$OUT/err2"; echo $? >"$OUT/code2"
cp -a "$DATA/." "$OUT/after2/"
exit 0
`

// disk is what is run there, and what came of it.
type disk struct {
	*world
	out string
}

// mounting skips a test where no private file system can be had.
func mounting(t *testing.T) []string {
	t.Helper()
	flags := "-m"
	if os.Getuid() != 0 {
		flags = "-rm"
	}
	unshare := []string{"unshare", flags, "sh", "-c"}
	try := exec.Command(unshare[0], unshare[1], "sh", "-c", "mount -t tmpfs tmpfs "+t.TempDir())
	if output, err := try.CombinedOutput(); err != nil {
		lacking(t, fmt.Sprintf("no file system can be mounted in a namespace of its own: %v %s", err, output))
	}
	return unshare
}

// runsOnDisk does the two runs, or only the first one.
func (w *world) runsOnDisk(t *testing.T, unshare []string, base, first string, once bool) (d disk, one, two result) {
	t.Helper()
	w.t = t
	d = disk{w, t.TempDir()}
	w.useFolder(filepath.Join(d.out, "data"))
	for _, folder := range []string{"data", "after1", "after2", "nothing"} {
		if err := os.Mkdir(filepath.Join(d.out, folder), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	if base == "" {
		base = filepath.Join(d.out, "nothing")
	}
	inner := w.command("sync")
	script := exec.Command(unshare[0], append(append(append([]string{}, unshare[1:]...), onSmallDisk, "sh"), inner.Args...)...)
	script.Env = slices.Concat(inner.Env, []string{"DATA=" + w.data, "BASE=" + base, "OUT=" + d.out, "FIRST=" + first, "ONCE="})
	if once {
		script.Env = append(script.Env, "ONCE=1")
	}
	var output bytes.Buffer
	script.Stdout, script.Stderr = &output, &output
	if err := script.Run(); err != nil {
		t.Fatalf("%v\n%s", err, output.String())
	}
	return d, d.read(1), d.read(2)
}

func (d disk) read(n int) result {
	code, err := os.ReadFile(filepath.Join(d.out, fmt.Sprint("code", n)))
	if err != nil {
		return result{code: -1}
	}
	stderr, _ := os.ReadFile(filepath.Join(d.out, fmt.Sprint("err", n)))
	r := result{stderr: string(stderr)}
	r.code, _ = strconv.Atoi(strings.TrimSpace(string(code)))
	return r
}

// sizes go from far too small to enough, in kilobytes.
var sizes = []int{16, 256, 1200, 1600, 2200, 3200, 4000, 7000, 14000}

func TestAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	long(t)
	unshare := mounting(t)
	first, later := newWorld(t, 9), newWorld(t, 10)
	later.useFolder(filepath.Join(later.dir, "base"))
	base := later.data
	later.sync()
	before := later.analyst()
	if err := before.read(); err != nil {
		t.Fatal(err)
	}
	later.change(rand.New(rand.NewPCG(2, 0)))
	for _, size := range sizes {
		t.Run(fmt.Sprintf("first run/%dk", size), func(t *testing.T) {
			d, one, two := first.runsOnDisk(t, unshare, "", fmt.Sprintf("size=%dk", size), false)
			d.judgeFull(one, two, map[string]int{})
		})
	}
	full := diskUsage(t, base)
	for _, size := range sizes {
		t.Run(fmt.Sprintf("later run/%dk more", size), func(t *testing.T) {
			d, one, two := later.runsOnDisk(t, unshare, base, fmt.Sprintf("size=%dk", full+size), false)
			d.judgeFull(one, two, before.stored)
		})
	}
}

// diskUsage is what a folder takes on a tmpfs, in kilobytes.
func diskUsage(t *testing.T, dir string) (kilobytes int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := entry.Info()
		if err == nil {
			kilobytes += int((file.Size() + 4095) / 4096 * 4)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes
}

// judgeFull holds both runs against the source: one that may have lacked room,
// and one that had it.
func (d disk) judgeFull(one, two result, before map[string]int) {
	d.t.Helper()
	d.data = filepath.Join(d.out, "after1")
	said := complaint(one.stderr)
	switch {
	case crashed(one):
		d.t.Errorf("it crashed: exit %d\n%.600s", one.code, said)
	case one.code == 0:
		if err := d.judge(); err != nil {
			d.t.Errorf("exit 0, but %v", err)
		}
	case one.code != 6:
		d.t.Errorf("exit %d, want 6\n%s", one.code, said)
	case !toldClearly(said):
		d.t.Errorf("not one line and a hint:\n%s", said)
	}
	reader := d.analyst()
	for table, rows := range before {
		reader.stored[table] = rows
	}
	if err := reader.read(); err != nil {
		d.t.Errorf("a reader was disturbed: %v", err)
	}
	d.data = filepath.Join(d.out, "after2")
	if two.code != 0 {
		d.t.Fatalf("with room again: exit %d\n%s", two.code, two.stderr)
	}
	d.equalsTruth()
}

func TestAReadOnlyFolderIsSaidBeforeTheSourceIsAsked(t *testing.T) {
	t.Parallel()
	unshare := mounting(t)
	w := newWorld(t, 11)
	w.useFolder(filepath.Join(w.dir, "base"))
	base := w.data
	w.sync()
	for name, base := range map[string]string{"empty": "", "used": base} {
		t.Run(name, func(t *testing.T) {
			asked := w.sim.RequestCount()
			_, r, _ := w.runsOnDisk(t, unshare, base, "ro", true)
			if said := complaint(r.stderr); r.code != 6 || !toldClearly(said) {
				t.Errorf("exit %d, want 6\n%s", r.code, said)
			}
			if n := w.sim.RequestCount() - asked; n != 0 {
				t.Errorf("the source was asked %d times", n)
			}
		})
	}
}
