package checkpoints

import "time"

// Window is a relative range of time that the statistics endpoint can be asked
// for. There is no other way to reach back.
type Window struct {
	Name   string
	Length time.Duration
}

const day = 24 * time.Hour

// Windows are all windows, the smallest first.
func Windows() []Window {
	return []Window{
		{"24h", day},
		{"7d", 7 * day},
		{"30d", 30 * day},
		{"90d", 90 * day},
		{"180d", 180 * day},
		{"365d", 365 * day},
	}
}

// Reaching lists the windows to try, in order: the smallest that reaches back
// from now to since, or the largest if none does; then those below it, since a
// source may refuse a window.
func Reaching(now, since time.Time) []Window {
	windows := Windows()
	best := 0
	for best < len(windows)-1 && now.Add(-windows[best].Length).After(since) {
		best++
	}
	var tries []Window
	for i := best; i >= 0; i-- {
		tries = append(tries, windows[i])
	}
	return tries
}
