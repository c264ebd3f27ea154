package load

// Ordinary rows are written within defaultMemory. DuckDB works on 2,048 rows at a
// time, and a checkpoint on as many of a table as lie together; if their texts are
// larger than what it may hold, it cannot. What failed for want of memory is done
// again with ampleMemory, by a warehouse that is opened anew: its configuration is
// locked.
const (
	defaultMemory = "96MB"
	ampleMemory   = "256MB"
)

func (w *Warehouse) memory() string {
	switch {
	case w.options.MemoryLimit != "":
		return w.options.MemoryLimit
	case w.ample:
		return ampleMemory
	}
	return defaultMemory
}

// allowsMore reports whether something failed for want of memory and the warehouse
// may have more once it is opened again.
func (w *Warehouse) allowsMore(err error) bool {
	if w.ample || w.options.MemoryLimit != "" || err == nil || !holds(err, memorySigns...) {
		return false
	}
	w.ample = true
	return true
}
