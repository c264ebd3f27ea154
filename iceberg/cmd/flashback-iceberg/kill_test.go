package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/iceberg/internal/lakegen"
)

// TestKilledWritersLoseNothing lets writers of several organisations push changing lakes, and
// kills them at random. In the end each table has what each lake has, exactly.
//
// ICEBERG_TEST_CATALOG and ICEBERG_TEST_WAREHOUSE name another catalog and storage,
// ICEBERG_TEST_WRITERS and ICEBERG_TEST_SECONDS the size. With ICEBERG_TEST_DROP answers of a
// REST catalog get lost as well.
func TestKilledWritersLoseNothing(t *testing.T) {
	p := somewhere(t)
	if catalog := os.Getenv("ICEBERG_TEST_CATALOG"); catalog != "" {
		p = place{catalog, os.Getenv("ICEBERG_TEST_WAREHOUSE")}
	}
	if os.Getenv("ICEBERG_TEST_DROP") != "" {
		p.catalog = dropping(t, p.catalog)
	}
	until := time.Now().Add(time.Duration(number("ICEBERG_TEST_SECONDS", 8)) * time.Second)
	prefix := strconv.FormatInt(time.Now().Unix(), 36)
	var group sync.WaitGroup
	for w := range number("ICEBERG_TEST_WRITERS", 3) {
		l, err := lakegen.New(t.TempDir(), uint64(w))
		must(t, err)
		v := &victim{T: t, lake: l, place: p, org: fmt.Sprintf("%s-%d", prefix, w), random: rand.New(rand.NewPCG(uint64(w), 1))}
		group.Go(func() { v.live(until) })
	}
	group.Wait()
}

func number(variable string, initial int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return initial
}

// victim is a writer that is killed again and again.
type victim struct {
	*testing.T
	place
	lake    *lakegen.Lake
	org     string
	random  *rand.Rand
	version uint64
	killed  int
	done    int
}

func (v *victim) live(until time.Time) {
	longest := time.Second
	for time.Now().Before(until) {
		v.change()
		began := time.Now()
		c := program(v.T, nil, v.args("push")...)
		var output strings.Builder
		c.Stderr = &output
		if err := c.Start(); err != nil {
			v.Error(err)
			return
		}
		timer := time.AfterFunc(time.Duration(v.random.Int64N(int64(longest+longest/4))), func() { _ = c.Process.Kill() })
		err := c.Wait()
		timer.Stop()
		switch {
		case err == nil:
			v.done++
			longest = time.Since(began)
		case c.ProcessState.ExitCode() == -1:
			v.killed++
			longest += longest / 8
		default:
			v.Errorf("push: %v\n%s", err, output.String())
			return
		}
	}
	for _, command := range []string{"push", "verify"} {
		if output, err := program(v.T, nil, v.args(command)...).CombinedOutput(); err != nil {
			v.Errorf("%s after %d kills: %v\n%s", command, v.killed, err, output)
		}
	}
	v.Logf("%s: %d pushes killed, %d not", v.org, v.killed, v.done)
}

func (v *victim) args(command string) []string {
	return []string{command, "--lake", v.lake.Dir, "--catalog", v.catalog, "--warehouse", v.warehouse, "--org", v.org}
}

// change publishes the lake with some days changed, added or gone.
func (v *victim) change() {
	v.version++
	for range 1 + v.random.IntN(3) {
		if err := v.lake.Set("alerts", day(v.random.IntN(20)), v.random.IntN(50), v.version); err != nil {
			v.Error(err)
		}
	}
	if err := v.lake.Set("policy_stats", day(0).AddDate(0, v.random.IntN(3), 0), 1+v.random.IntN(50), v.version); err != nil {
		v.Error(err)
	}
	if err := v.lake.Publish(day(20).Add(time.Duration(v.version) * time.Second)); err != nil {
		v.Error(err)
	}
}
