package durable

// Identity is what the system knows of a file. Whoever writes to the file, or puts
// another one in its place, changes it: the time of change is the kernel's, and cannot
// be set.
type Identity struct {
	Inode    uint64 `json:"inode"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified_ns"`
	Changed  int64  `json:"changed_ns"`
}
