package verify

import "io"

// WriteHTML placeholder until merged.
func (r *Report) WriteHTML(w io.Writer) error { return nil }
