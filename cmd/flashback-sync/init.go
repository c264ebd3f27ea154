package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/serve"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

// schemaName is the JSON Schema that init writes beside the configuration.
const schemaName = "flashback-sync.schema.json"

func (a *app) initCommand() *cobra.Command {
	var force bool
	command := &cobra.Command{
		Use:   "init",
		Short: "Write a commented configuration file",
		Long:  "Writes a commented configuration file, and beside it the JSON Schema that lets\neditors complete and check it.",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return a.init(force) },
	}
	command.Flags().BoolVar(&force, "force", false, "replace a file that is there")
	return command
}

func (a *app) init(force bool) error {
	path, _ := a.path()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) && !force {
		return exit.Usage(fmt.Errorf("%s is there already; --force replaces it", path))
	}
	dataDir, given := a.env(serve.DataDirKey)
	if !given || dataDir == "" {
		dataDir = filepath.Join(filepath.Dir(path), "data")
	}
	dataDir, err := filepath.Abs(dataDir)
	if err != nil {
		return err
	}
	beside := filepath.Join(filepath.Dir(path), schemaName)
	template := append([]byte("# yaml-language-server: $schema="+schemaName+"\n"), config.Template(dataDir)...)
	if err := errors.Join(durable.Write(path, template), durable.Write(beside, config.JSONSchema())); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, `Wrote %s, and %s for editors.

Next:
  1. Set api.base_url, and the token: export FLASHBACK_TOKEN=...
  2. flashback-sync check    tries both, and says what a sync would do
  3. flashback-sync sync     copies everything; run it again to copy what is new
`, path, schemaName)
	return nil
}
