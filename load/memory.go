package load

// memorySteps are what DuckDB may hold. Ordinary rows are written within the first.
// It works on 2,048 rows at a time, and a checkpoint on as many of a table as lie
// together; if their texts are larger than that, it cannot. What failed for want of
// memory is done again with the next step, by a warehouse that is opened anew: its
// configuration is locked.
var memorySteps = [...]string{defaultMemory, "256MB", "1GB"}

const defaultMemory = "96MB"

func (w *Warehouse) memory() string {
	if w.options.MemoryLimit != "" {
		return w.options.MemoryLimit
	}
	return memorySteps[w.step]
}

// allowsMore reports whether something failed for want of memory and the warehouse
// has more once it is opened again.
func (w *Warehouse) allowsMore(err error) bool {
	if w.step+1 == len(memorySteps) || w.options.MemoryLimit != "" || err == nil || !holds(err, memorySigns...) {
		return false
	}
	w.step++
	return true
}
