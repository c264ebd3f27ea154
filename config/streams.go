package config

// Synced reports whether a stream is synced.
func (s Streams) Synced(name string) bool { return s.Lists[name] != nil || s.Series[name] != nil }

// Stream returns the schedule of its own that a stream has; "" if it has none.
func (s Schedule) Stream(name string) string {
	if own := s.Streams[name]; own != nil {
		return *own
	}
	return ""
}
