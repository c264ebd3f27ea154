//go:build !linux && !darwin

package load

// describe knows no description that every write changes, so nothing is sealed.
func describe(string) (d description, known bool) { return description{}, false }
