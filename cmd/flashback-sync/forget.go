package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/audit/html"
	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/terminal"
	"github.com/flashback-sync/flashback-sync/schema"
)

// personFlags name a person or a conversation.
type personFlags struct {
	user, conversation string
	names              []string
}

type forgetFlags struct {
	personFlags
	before, report        string
	yes, keep, list, json bool
}

func (a *app) forgetCommand() *cobra.Command {
	var f forgetFlags
	command := &cobra.Command{
		Use:   "forget",
		Short: "Erase a person, a conversation or old days, and prove it",
		Long: `Shows what would be erased of a person, a conversation or the days before a date;
with --yes it erases that from the warehouse, the published file, the lake, derived
tables, rejected records, and the files that a rebuild set aside. It cannot be undone.

Of a person a keyed hash of the id stays, so that no later run, repair or rebuild
stores the records again. It needs a privacy key (privacy.key_env, key_file or
key_command). Texts of others that mention the id or a name are removed from their
rows; --keep-mentions keeps them.

It ends with a search of every byte of data_dir and every text of every table.
If it was interrupted, the next run of any kind completes it.

Arguments are seen by others in the list of processes: with '--user -' the id is
read from standard input, and names to search for from the lines after it.`,
		Example: `  flashback-sync forget --user 7f3c-... 
  printf '%s\n' 7f3c-... 'Jane Doe' | flashback-sync forget --user - --yes --report proof.html
  flashback-sync forget --list`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.forget(cmd.Context(), f, cmd.InOrStdin()) },
	}
	flags := command.Flags()
	f.add(command, "forget")
	flags.StringVar(&f.before, "before", "", "forget every row before this `date` (UTC)")
	flags.StringSliceVar(&f.names, "name", nil, "a further `name` to search for in texts (may be repeated)")
	flags.BoolVar(&f.keep, "keep-mentions", false, "keep the texts of others that mention the person")
	flags.BoolVar(&f.yes, "yes", false, "erase it; without this nothing is changed")
	flags.BoolVar(&f.list, "list", false, "list who was forgotten or is suppressed, by keyed hashes")
	flags.BoolVar(&f.json, "json", false, "print the result as the last line of stdout")
	flags.StringVar(&f.report, "report", "", "write the result and the proof as one self-contained HTML `FILE`")
	return command
}

func (a *app) suppressCommand() *cobra.Command {
	var f personFlags
	command := &cobra.Command{
		Use:   "suppress",
		Short: "Stop storing a person or a conversation from now on",
		Long: `Records of the person or conversation that are dated from now on are not stored. What
is stored already stays; 'forget' erases it. A keyed hash of the id is recorded, so it
needs a privacy key. With '--user -' the id is read from standard input.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.suppress(cmd.Context(), f, cmd.InOrStdin()) },
	}
	f.add(command, "suppress")
	return command
}

func (f *personFlags) add(command *cobra.Command, verb string) {
	command.Flags().StringVar(&f.user, "user", "", verb+" the user with this `id`; - reads it from standard input")
	command.Flags().StringVar(&f.conversation, "conversation", "", verb+" the conversation with this `id`; - reads it from standard input")
	command.MarkFlagsMutuallyExclusive("user", "conversation")
}

// person is who the flags name.
func (f *personFlags) person(stdin io.Reader) (p forgotten.Person, err error) {
	p = forgotten.Person{Entity: schema.User, ID: f.user, Names: f.names}
	if f.conversation != "" {
		p.Entity, p.ID = schema.Conversation, f.conversation
	}
	if p.ID == "-" {
		text, err := io.ReadAll(stdin)
		if err != nil {
			return p, exit.Usage(fmt.Errorf("read the id from standard input: %w", err))
		}
		id, names, _ := strings.Cut(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
		p.ID = id
		for name := range strings.SplitSeq(names, "\n") {
			if strings.TrimSpace(name) != "" {
				p.Names = append(p.Names, name)
			}
		}
	}
	if strings.TrimSpace(p.ID) == "" {
		return p, exit.Usage(fmt.Errorf("say who: --%s ID, and the id is not empty", p.Entity))
	}
	return p, nil
}

func (a *app) forget(ctx context.Context, f forgetFlags, stdin io.Reader) error {
	if f.list {
		return a.listForgotten(f.json)
	}
	if err := canReceive("--report", f.report); err != nil {
		return err
	}
	if f.before != "" {
		return a.forgetBefore(ctx, f)
	}
	person, err := f.person(stdin)
	if err != nil {
		return err
	}
	person.KeepMentions = f.keep
	t, err := a.task(ctx, &scopeFlags{}, "")
	if err != nil {
		return err
	}
	defer t.source.Close()
	t.options.DryRun = !f.yes
	var done *forgotten.Erased
	work := func() (err error) {
		done, err = run.Forget(ctx, t.options, person)
		return err
	}
	if f.yes {
		err = t.recorded(ctx, "forget", func() error {
			if err := work(); err != nil {
				return err
			}
			return done.Proof.Err()
		})
	} else {
		err = t.watched(work)
	}
	if done == nil || err != nil && !errors.Is(err, erasure.ErrLeft) {
		return err
	}
	return errors.Join(err, a.showErased(done, t.options.DataDir, f))
}

func (a *app) showErased(done *forgotten.Erased, dataDir string, f forgetFlags) error {
	if f.json {
		a.printJSON(done)
	} else {
		terminal.Erased(a.stdout, done, f.yes)
	}
	if f.report == "" {
		return nil
	}
	var page strings.Builder
	if err := html.WriteErasure(&page, done, dataDir, version, time.Now()); err != nil {
		return err
	}
	return writeFile("--report", f.report, []byte(page.String()))
}

func (a *app) listForgotten(asJSON bool) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	list, err := forgotten.Read(c.DataDir)
	if err != nil {
		return err
	}
	if asJSON {
		a.printJSON(list)
	} else {
		terminal.Forgotten(a.stdout, list)
	}
	return nil
}

func (a *app) suppress(ctx context.Context, f personFlags, stdin io.Reader) error {
	person, err := f.person(stdin)
	if err != nil {
		return err
	}
	person.Suppress = true
	t, err := a.task(ctx, &scopeFlags{}, "")
	if err != nil {
		return err
	}
	defer t.source.Close()
	var done *forgotten.Erased
	err = t.recorded(ctx, "suppress", func() (err error) {
		done, err = run.Forget(ctx, t.options, person)
		return err
	})
	if err == nil {
		fmt.Fprintf(a.stdout, "%s %s…: records dated from %s on are not stored\n", done.Tombstone.Kind, done.Tombstone.Hash[:12], terminal.Stamp(&done.Tombstone.Since))
	}
	return err
}

// erasedDays is what `forget --before --json` prints.
type erasedDays struct {
	Before time.Time        `json:"before"`
	Rows   map[string]int64 `json:"rows"` // dated before it, by table
	Left   map[string]int64 `json:"left"` // afterwards; null if nothing was erased
}

// forgetBefore erases every row before a day.
func (a *app) forgetBefore(ctx context.Context, f forgetFlags) error {
	if f.user != "" || f.conversation != "" || f.report != "" {
		return exit.Usage(errors.New("--before goes with --yes and --json only"))
	}
	at, err := flagTime("--before", f.before)
	if err != nil {
		return err
	}
	if at = at.UTC().Truncate(24 * time.Hour); at.After(time.Now()) {
		return exit.Usage(fmt.Errorf("--before: %s has not begun", at.Format(time.DateOnly)))
	}
	t, err := a.task(ctx, &scopeFlags{}, "")
	if err != nil {
		return err
	}
	defer t.source.Close()
	done := erasedDays{Before: at}
	if done.Rows, err = run.CountBefore(ctx, t.options, at); err != nil {
		return err
	}
	if f.yes {
		err = t.recorded(ctx, "forget", func() (err error) {
			done.Left, err = run.EraseBefore(ctx, t.options, at)
			return err
		})
	}
	if f.json {
		a.printJSON(done)
	} else {
		terminal.ErasedDays(a.stdout, at, done.Rows, f.yes && err == nil)
	}
	return err
}
