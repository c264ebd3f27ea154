package load

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flashback-sync/flashback-sync/schema"
)

// reader reads the rows of the warehouse through one connection.
type reader struct{ conn *sql.Conn }

// transact runs one transaction.
func (r reader) transact(ctx context.Context, doing string, do func(tx *sql.Tx) error) error {
	tx, err := r.conn.BeginTx(ctx, nil)
	if err != nil {
		return storage(doing, err)
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return storage(doing, err)
	}
	return storage(doing, tx.Commit())
}

// Reader reads what is committed, beside the warehouse that writes. Another
// goroutine may use it; once the warehouse is closed it only fails.
type Reader struct {
	mu sync.Mutex // held while the connection is in use
	reader
	closed bool
}

var errClosed = errors.New("the warehouse is closed")

// Beside returns the warehouse's second connection, which reads.
func (w *Warehouse) Beside(ctx context.Context) (*Reader, error) {
	if w.beside == nil {
		conn, err := w.db.Conn(ctx)
		if err != nil {
			return nil, storage("read warehouse", err)
		}
		w.beside = &Reader{reader: reader{conn}}
	}
	return w.beside, nil
}

// closeBeside waits until the second connection is not in use, and closes it.
func (w *Warehouse) closeBeside() {
	if w.beside == nil {
		return
	}
	w.beside.mu.Lock()
	defer w.beside.mu.Unlock()
	_ = w.beside.conn.Close() // it only read
	w.beside.closed = true
	w.beside = nil
}

// Copy is that of the warehouse.
func (r *Reader) Copy(ctx context.Context, table *schema.Table, from, to time.Time, file, options string) (copied bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false, errClosed
	}
	return r.reader.Copy(ctx, table, from, to, file, options)
}

// Rows is that of the warehouse.
func (r *Reader) Rows(ctx context.Context, table *schema.Table, from, to time.Time) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.closed {
			yield(nil, errClosed)
			return
		}
		r.reader.Rows(ctx, table, from, to)(yield)
	}
}
