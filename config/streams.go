package config

// List returns the configuration of a stream of events; nil if it is not synced.
func (s Streams) List(name string) *ListStream {
	switch name {
	case "alerts":
		return s.Alerts
	case "violations":
		return s.Violations
	}
	return nil
}

// Series returns the configuration of a stream of statistics; nil if it is not synced.
func (s Streams) Series(name string) *StatsStream {
	if name == "policy_stats" {
		return s.PolicyStats
	}
	return nil
}

// Synced reports whether a stream is synced.
func (s Streams) Synced(name string) bool { return s.List(name) != nil || s.Series(name) != nil }

// Stream returns the schedule of its own that a stream has; "" if it has none.
func (s Schedule) Stream(name string) string {
	return map[string]string{"alerts": s.Alerts, "violations": s.Violations, "policy_stats": s.PolicyStats}[name]
}
