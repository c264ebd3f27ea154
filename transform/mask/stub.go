// Package mask replaces what identifies people in texts.
package mask

// Text replaces the whole text.
func Text(text []byte) []byte {
	if len(text) == 0 {
		return text
	}
	return []byte("[masked]")
}

// JSON replaces the whole value.
func JSON([]byte) ([]byte, error) { return []byte(`"[masked]"`), nil }
