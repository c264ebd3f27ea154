package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/flashback-sync/flashback-sync/internal/exit"
)

// environmentAndFiles are sections of the program's page, in Markdown.
const environmentAndFiles = `
# ENVIRONMENT
**FLASHBACK_TOKEN**
: The token, unless api.token_env, api.token_file or api.token_command name another source.

**FLASHBACK_PAGE_PASSWORD**
: The password of the status page, unless serve.password_env or serve.password_file name another source.

**FLASHBACK_PING_URL**, **FLASHBACK_WEBHOOK_URL**
: Where the ends of runs are reported, unless the keys of alarms name another source. Both are secrets.

**FLASHBACK_SYNC_CONFIG**
: The configuration file, if --config does not name one.

**FLASHBACK\_SYNC\_\***
: Every key of the configuration: its path in capitals, such as FLASHBACK_SYNC_API_BASE_URL. One that belongs to no key is refused.

# FILES
**` + defaultConfig + `**
: The configuration, in the current folder. 'flashback-sync init' writes one, with the meaning of every key.
`

func (a *app) manCommand() *cobra.Command {
	out := ""
	command := &cobra.Command{
		Use:    "man",
		Short:  "Write the manual pages into a folder",
		Hidden: true, // packagers alone need it
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return exit.Usage(errors.New("--out must name a folder"))
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
// can be built twice; today by default.
func (a *app) manDate() (time.Time, error) {
	text, _ := a.env("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Now().UTC(), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, exit.Usage(errors.New("SOURCE_DATE_EPOCH must be seconds since 1970"))
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// writeManual writes a page for the program and one for each command that is
// shown, and overwrites what is there.
func writeManual(root *cobra.Command, dir string, date time.Time) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // a manual is for everybody
		return fmt.Errorf("create folder of manual: %w", err)
	}
	var statuses strings.Builder
	for _, m := range exit.Meanings {
		fmt.Fprintf(&statuses, "**%d**\n: %s\n\n", m.Code, m.Text)
	}
	root.Long += "\n\n# EXIT STATUS\n" + statuses.String() + environmentAndFiles
	root.DisableAutoGenTag = true // its date would be that of the build
	header := &doc.GenManHeader{Section: "1", Date: &date, Source: "flashback-sync " + version, Manual: "flashback-sync manual"}
	if err := doc.GenManTree(root, header, dir); err != nil {
		return fmt.Errorf("write manual pages: %w", err)
	}
	return nil
}
