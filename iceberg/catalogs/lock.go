package catalogs

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"
)

// lockWait bounds the wait for the lock. It is held for the second that a commit takes.
const lockWait = 2 * time.Minute

// Lock takes the lock of a table's commits, and returns what releases it. Commits are safe
// without it: it only spares writers at the same time the conflicts. So it is there for
// PostgreSQL only, and whoever does not get it in time goes on without.
//
// The lock belongs to a connection: the server releases it when the writer dies. It is tried
// again and again, since a connection that waits is one of the few that the server has.
func (c *Catalog) Lock(ctx context.Context, name string) (release func()) {
	if !c.postgres {
		return func() {}
	}
	hash := fnv.New64a()
	hash.Write([]byte(c.name + "\x00" + strings.Join(c.Identifier(name), "\x00")))
	key := int64(hash.Sum64())
	deadline := time.Now().Add(lockWait)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		if release := c.tryLock(ctx, key); release != nil {
			return release
		}
		_ = Sleep(ctx, 20*time.Millisecond, 300*time.Millisecond)
	}
	return func() {}
}

func (c *Catalog) tryLock(ctx context.Context, key int64) (release func()) {
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return nil // the commit itself will report it
	}
	var taken bool
	if err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", key).Scan(&taken); err != nil || !taken {
		_ = conn.Close()
		return nil
	}
	return func() {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", key)
		_ = errors.Join(err, conn.Close()) // no connection is kept, so closing releases it as well
	}
}

// Sleep waits for a random time between two bounds.
func Sleep(ctx context.Context, least, most time.Duration) error {
	timer := time.NewTimer(least + rand.N(most-least)) //nolint:gosec // no secret
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
