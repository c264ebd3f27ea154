package config

import (
	"fmt"
	"strconv"
	"strings"
)

const templateHead = `# The configuration of flashback-sync. What is left out has the default shown here.
# A variable overrides each key: FLASHBACK_SYNC_ and its path in capitals, such as
# FLASHBACK_SYNC_API_BASE_URL or FLASHBACK_SYNC_STREAMS_ALERTS_LOOKBACK; lists are
# separated by commas. Durations: 30s, 48h, 7d. Times: 2024-01-01 or RFC 3339, in UTC.
`

// Template is the commented file that `init` writes. Every key is in it, with
// its default; dataDir replaces that of data_dir unless it is "".
func Template(dataDir string) []byte {
	var b strings.Builder
	b.WriteString(templateHead)
	var c Config
	for _, f := range fileOf(&c).fields() {
		if f.value.Addr().Interface() == any(&c.DataDir) && dataDir != "" {
			f.preset = strconv.Quote(dataDir)
			if matches(`^[/A-Za-z0-9_.-]+$`, dataDir) {
				f.preset = dataDir
			}
		}
		fmt.Fprintf(&b, "\n# %s\n", f.doc())
		f.write(&b, "", "")
	}
	return []byte(b.String())
}

// write writes a key with its comment, and what is below it.
func (f field) write(b *strings.Builder, indent, comment string) {
	preset, example := f.preset, f.tag.Get("example")
	switch f.value.Addr().Interface().(type) {
	case *string, *[]string:
		if preset == "" && example == "" {
			preset = map[bool]string{true: `""`, false: "[]"}[f.value.Kind().String() == "string"]
		}
	}
	if preset != "" || f.isSection() {
		writeLine(b, strings.TrimRight(indent+f.name()+": "+preset, " "), comment)
		comment = ""
	}
	if example != "" {
		writeLine(b, indent+"# "+f.name()+": "+example, comment)
	}
	if !f.isSection() {
		return
	}
	for i, child := range f.fields() {
		if i > 0 && child.isSection() && f.fields()[i-1].isSection() {
			b.WriteByte('\n')
		}
		child.write(b, indent+"  ", child.doc())
	}
}

func writeLine(b *strings.Builder, text, comment string) {
	if comment != "" {
		text = fmt.Sprintf("%-42s # %s", text, comment)
	}
	b.WriteString(text + "\n")
}
