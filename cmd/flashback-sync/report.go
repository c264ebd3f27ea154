package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/page"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

func (a *app) reportCommand() *cobra.Command {
	var out string
	var asJSON, holdings bool
	command := &cobra.Command{
		Use:   "report",
		Short: "Write the status page as one file",
		Long: `Writes what the status page of 'serve' shows as one HTML file that needs nothing
else. It begins with the last complete week beside the one before, and whether their
days are complete; then what is wrong, freshness, coverage, runs, and an overview.
It opens nothing that a sync needs, and may run at any moment.`,
		Example: "  flashback-sync report --out report.html",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if holdings {
				return a.printHoldings(cmd.Context(), cmd.InOrStdin())
			}
			c, err := a.load()
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				s, err := a.readStatus(cmd.Context(), c)
				if err != nil {
					return err
				}
				return json.NewEncoder(a.stdout).Encode(s.WithProblems())
			case out == "":
				return exit.Usage(errors.New("say where to: --out report.html, or --json"))
			}
			return a.writeStatusPage(cmd.Context(), c, out)
		},
	}
	flags := command.Flags()
	flags.StringVar(&out, "out", "", "write the page to this `FILE`")
	flags.BoolVar(&asJSON, "json", false, "print what the page shows as JSON")
	flags.BoolVar(&holdings, "holdings", false, "read on stdin what to read, and print what is published, both as JSON")
	_ = flags.MarkHidden("holdings") // serve asks for it
	return command
}

func (a *app) writeStatusPage(ctx context.Context, c *config.Config, out string) error {
	if err := canReceive("--out", out); err != nil {
		return err
	}
	s, err := a.readStatus(ctx, c)
	if err != nil {
		return err
	}
	var content strings.Builder
	if err := page.Write(&content, s, page.File); err != nil {
		return err
	}
	if err := writeFile("--out", out, []byte(content.String())); err != nil {
		return err
	}
	gravest := "no problems found. " + s.Checked()
	if problems := s.Problems(); len(problems) > 0 {
		gravest = problems[0].Subject + ": " + problems[0].Text
	}
	fmt.Fprintf(a.stdout, "%s written: %s\n", out, gravest)
	return nil
}

// printHoldings prints what serve reads, null if nothing is published. It gets what to
// read on stdin, and reads no configuration: serve's counts, and the file may be half
// edited.
func (a *app) printHoldings(ctx context.Context, stdin io.Reader) error {
	var from status.Source
	if err := json.NewDecoder(stdin).Decode(&from); err != nil {
		return exit.Usage(fmt.Errorf("--holdings: %w", err))
	}
	published, err := status.ReadHoldings(ctx, from)
	if err != nil && !errors.Is(err, status.ErrNothingPublished) {
		return err
	}
	return json.NewEncoder(a.stdout).Encode(published)
}

// canReceive checks that the file which a flag names could be written, by
// beginning to: what is written there comes only after long work.
func canReceive(flag, path string) error {
	if path == "" || path == standardOutput {
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return exit.Usage(fmt.Errorf("%s: %s is a folder: name a file in it", flag, path))
	}
	file, err := durable.Create(path)
	if err == nil {
		return file.Abort()
	}
	hint := "name a file in another folder"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint = "make that folder, or " + hint
	case errors.Is(err, fs.ErrPermission):
		hint = "make that folder writable, or " + hint
	}
	return exit.WithHint(exit.Usage(fmt.Errorf("%s: no file can be written in %s: %w", flag, filepath.Dir(path), withoutName(err))), hint)
}

// writeFile puts the file which a flag names in its place.
func writeFile(flag, path string, content []byte) error {
	if err := durable.Write(path, content); err != nil {
		return fmt.Errorf("%s: write %s: %w", flag, path, withoutName(err))
	}
	return nil
}

// withoutName is the error without the temporary file's name, which helps nobody.
func withoutName(err error) error {
	var named *fs.PathError
	if errors.As(err, &named) {
		return named.Err
	}
	return err
}
