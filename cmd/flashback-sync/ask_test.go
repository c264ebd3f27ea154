package main

import (
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/cookbook"
	"github.com/flashback-sync/flashback-sync/internal/exit"
)

func TestAskAnswersEveryQuestionAndSaysWhetherItsPeriodIsComplete(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	for _, q := range cookbook.Questions() {
		whole := b.must("ask", q.Name, "--from", "2026-03-16", "--to", "2026-03-17").stdout
		if !strings.HasSuffix(whole, "2026-03-16 to 2026-03-17: complete, every day of every configured stream is covered\n") {
			t.Errorf("%s:\n%s", q.Name, whole)
		}
	}
	part := b.must("ask", "daily", "--month", "2026-03", "--format", "csv")
	if !strings.Contains(part.stderr, "NOT complete") || strings.Contains(part.stdout, "complete,") || !strings.Contains(part.stdout, "2026-03-18,Wednesday,") {
		t.Errorf("%s%s", part.stdout, part.stderr)
	}
	if list := b.must("ask").stdout; strings.Count(list, "\n") < len(cookbook.Questions()) || strings.Count(list, cookbook.Questions()[0].Text) != 1 {
		t.Error(list)
	}
	for _, wrong := range []string{"nonsense", "daily --month March", "daily --from 2026-03-17 --to 2026-03-16", "daily --month 2026-03 --to 2026-03-16"} {
		if r := b.run(append([]string{"ask"}, strings.Fields(wrong)...)...); r.code != exit.CodeUsage {
			t.Errorf("%s: exit %d, %s", wrong, r.code, r.stderr)
		}
	}
}
