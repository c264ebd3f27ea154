package config

import _ "embed" // the template is a file of its own, so that it can be read as one

//go:embed template.yaml
var template string

// Template is the commented file that `init` writes. Every key is in it, with
// its default.
func Template() []byte { return []byte(template) }
