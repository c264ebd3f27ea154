package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// exitStatuses is what README.md says of exit codes, for the manual.
var exitStatuses = []struct {
	code    int
	meaning string
}{
	{codeOK, "done"},
	{codeOther, "any other failure"},
	{codeUsage, "usage or configuration"},
	{codePartial, "partial: something is missing, and the message says what"},
	{codeUnauthorized, "the token was refused"},
	{codeSource, "the source does not answer, or not as documented"},
	{codeStorage, "storage"},
	{codeLocked, "another instance runs"},
	{codeDamaged, "the warehouse is damaged or from a newer release"},
	{codeDifference, "verify found a difference"},
	{130, "interrupted, cleanly"},
	{143, "terminated, cleanly"},
}

func (a *app) manCommand() *cobra.Command {
	out := ""
	command := &cobra.Command{
		Use:    "man",
		Short:  "Write the manual pages into a folder",
		Hidden: true, // packagers alone need it
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usage(errors.New("--out must name a folder"))
			}
			date, err := a.manDate()
			if err != nil {
				return err
			}
			return writeManual(cmd.Root(), out, date)
		},
	}
	command.Flags().StringVar(&out, "out", "", "`folder` to write to")
	return command
}

// manDate is the day on the pages: that of SOURCE_DATE_EPOCH, so that a release
// can be built twice, or else today.
func (a *app) manDate() (time.Time, error) {
	text, _ := a.env("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Now().UTC(), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, usage(errors.New("SOURCE_DATE_EPOCH must be seconds since 1970"))
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// writeManual writes a page for the program and one for each command that is
// shown, and overwrites what is there.
func writeManual(root *cobra.Command, dir string, date time.Time) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // a manual is for everybody
		return fmt.Errorf("create folder of manual: %w", err)
	}
	for _, command := range append([]*cobra.Command{root}, root.Commands()...) {
		if command != root && !command.IsAvailableCommand() || command.Name() == "help" {
			continue
		}
		file := filepath.Join(dir, pageName(command)+".1")
		if err := os.WriteFile(file, []byte(manPage(command, date)), 0o644); err != nil {
			return fmt.Errorf("write manual page: %w", err)
		}
	}
	return nil
}

func pageName(command *cobra.Command) string {
	return strings.ReplaceAll(command.CommandPath(), " ", "-")
}

// manPage is a page in the macros of man(7).
func manPage(command *cobra.Command, date time.Time) string {
	root := command.Root()
	p := &manWriter{}
	p.line(`.TH %s 1 %s "flashback-sync %s" "flashback-sync manual"`, strings.ToUpper(pageName(command)), date.Format(time.DateOnly), roff(version))
	p.section("NAME")
	p.line(`%s \- %s`, roff(pageName(command)), roff(lowerFirst(command.Short)))
	p.section("SYNOPSIS")
	if command == root {
		p.line(`.B flashback\-sync`)
		p.line(`.I command`)
		p.line(`.RI [ options ]`)
	} else {
		p.line(`.B %s`, roff(command.CommandPath()))
		if use := strings.TrimSpace(strings.TrimPrefix(command.UseLine(), command.CommandPath())); use != "" {
			p.line(`%s`, roff(use))
		}
	}
	p.section("DESCRIPTION")
	p.text(description(command))
	if command == root {
		p.section("COMMANDS")
		for _, c := range root.Commands() {
			if c.IsAvailableCommand() && c.Name() != "help" {
				p.item(`.BR %s (1)`, []any{roff(pageName(c))}, c.Short)
			}
		}
	}
	p.section("OPTIONS")
	command.LocalFlags().VisitAll(p.flag)
	command.InheritedFlags().VisitAll(p.flag)
	if command == root {
		p.program()
		return p.String()
	}
	if command.Example != "" {
		p.section("EXAMPLES")
		p.verbatim(command.Example)
	}
	p.section("SEE ALSO")
	p.line(`.BR %s (1)`, roff(root.Name()))
	return p.String()
}

func description(command *cobra.Command) string {
	if command.Long != "" {
		return command.Long
	}
	return command.Short + "."
}

// program is what only the page of the program says.
func (p *manWriter) program() {
	p.section("EXIT STATUS")
	for _, status := range exitStatuses {
		p.item(`.B %d`, []any{status.code}, status.meaning)
	}
	p.section("ENVIRONMENT")
	for _, variable := range []struct{ name, meaning string }{
		{"FLASHBACK_TOKEN", "The token, unless api.token_env, api.token_file or api.token_command say otherwise."},
		{"FLASHBACK_PAGE_PASSWORD", "The password of the status page, unless serve.password_env or serve.password_file say otherwise."},
		{"FLASHBACK_PING_URL, FLASHBACK_WEBHOOK_URL", "Who is told how runs end, unless the keys of alarms say otherwise. Both are secrets."},
		{"FLASHBACK_SYNC_CONFIG", "The configuration file, if --config does not name one."},
		{"FLASHBACK_SYNC_*", "Every key of the configuration: its path in capitals, such as FLASHBACK_SYNC_API_BASE_URL. One that belongs to no key is refused."},
	} {
		p.item(`.B %s`, []any{roff(variable.name)}, variable.meaning)
	}
	p.section("FILES")
	p.item(`.I %s`, []any{roff(defaultConfig)}, "The configuration, in the current folder. 'flashback-sync init' writes one, with the meaning of every key.")
	p.section("SEE ALSO")
	p.line(`.BR flashback\-sync\-init (1),`)
	p.line(`.BR flashback\-sync\-sync (1),`)
	p.line(`.BR flashback\-sync\-serve (1)`)
}

// manWriter collects a page.
type manWriter struct{ strings.Builder }

// line writes a line of roff; arguments that are text went through roff.
func (p *manWriter) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *manWriter) section(name string) { p.line(".SH %s", name) }

func (p *manWriter) item(tag string, args []any, meaning string) {
	p.line(".TP")
	p.line(tag, args...)
	p.line("%s", roff(meaning))
}

// text keeps paragraphs, and indented lines as they are.
func (p *manWriter) text(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			p.line(".PP")
		}
		if strings.HasPrefix(paragraph, " ") {
			p.verbatim(paragraph)
			continue
		}
		for line := range strings.Lines(paragraph) {
			p.line("%s", roff(strings.TrimSpace(line)))
		}
	}
}

func (p *manWriter) verbatim(text string) {
	p.line(".nf")
	for line := range strings.Lines(text) {
		p.line("%s", roff(strings.TrimRight(line, "\n")))
	}
	p.line(".fi")
}

func (p *manWriter) flag(flag *pflag.Flag) {
	if flag.Hidden {
		return
	}
	value, meaning := pflag.UnquoteUsage(flag)
	name := `\-\-` + roff(flag.Name)
	if flag.Shorthand != "" {
		name = `\-` + flag.Shorthand + ", " + name
	}
	if value != "" {
		name += ` \fI` + roff(value)
	}
	if !slices.Contains([]string{"", "false", "0", "0s", "[]"}, flag.DefValue) && !strings.Contains(meaning, "default") {
		meaning += " (default " + flag.DefValue + ")"
	}
	p.item(`\fB%s\fP`, []any{name}, meaning)
}

// roff makes text harmless: it is neither a request nor an escape, and its
// hyphens can be copied.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

func lowerFirst(text string) string {
	if text == "" {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}
