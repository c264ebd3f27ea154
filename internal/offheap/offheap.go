// Package offheap gives memory for Arrow batches that lies outside Go's heap.
//
// Batches are large and short-lived, and DuckDB reads them where they are. On Go's
// heap they made it twice as large as what is in use, and the collector busy.
package offheap

import (
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"

	_ "github.com/flashback-sync/flashback-sync/internal/malloc" // what is freed is to go back to the system
)

// New returns an allocator on C's heap. What it gives must be released.
func New() memory.Allocator { return mallocator.NewMallocator() }
