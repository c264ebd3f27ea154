package push

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/tables"
)

const evolveTries = 20

// ensure loads a table, creates it if there is none, and adds the columns that it lacks.
// Other writers may be about to do the same.
func ensure(ctx context.Context, cat *catalogs.Catalog, t tables.Table) (*table.Table, error) {
	tbl, err := cat.Load(ctx, t.Name)
	if errors.Is(err, catalog.ErrNoSuchTable) {
		tbl, err = create(ctx, cat, t)
	}
	for try := 0; err == nil; try++ {
		missing, mismatch := compare(tbl, t)
		if mismatch != nil || len(missing) == 0 {
			return tbl, mismatch
		}
		failed := evolve(ctx, tbl, missing)
		if failed != nil && (try == evolveTries || catalogs.OutcomeOf(failed) == catalogs.Refused) {
			return nil, fmt.Errorf("add columns: %w", failed)
		}
		if failed != nil {
			if err := catalogs.Sleep(ctx, 20*time.Millisecond, 500*time.Millisecond); err != nil {
				return nil, err
			}
		}
		tbl, err = cat.Load(ctx, t.Name)
	}
	return nil, err
}

func create(ctx context.Context, cat *catalogs.Catalog, t tables.Table) (*table.Table, error) {
	spec := t.Spec()
	order, err := t.Order()
	if err != nil {
		return nil, err
	}
	_, failed := cat.CreateTable(ctx, cat.Identifier(t.Name), t.Schema(),
		catalog.WithPartitionSpec(&spec), catalog.WithSortOrder(order), catalog.WithProperties(t.Properties()))
	// Whether we have created it or someone else: what counts is that it is there.
	tbl, err := cat.Load(ctx, t.Name)
	if err != nil && failed != nil {
		return nil, fmt.Errorf("create table: %w", failed)
	}
	return tbl, err
}

// compare finds the columns that the table lacks. A table whose columns or partitions are of
// another kind is not ours to write to.
func compare(tbl *table.Table, t tables.Table) (missing []tables.Column, err error) {
	for _, c := range t.Columns {
		field, found := tbl.Schema().FindFieldByName(c.Name)
		switch {
		case !found:
			missing = append(missing, c)
		case !field.Type.Equals(c.Type):
			return nil, fmt.Errorf("column %s of the table is of type %s, and should be of type %s", c.Name, field.Type, c.Type)
		}
	}
	want, got := t.Spec(), tbl.Spec()
	if got.NumFields() != want.NumFields() {
		return nil, errors.New("the table is not partitioned as this program does it: its partition spec was changed")
	}
	for i := range want.NumFields() {
		a, b := want.Field(i), got.Field(i)
		if a.FieldID != b.FieldID || a.Name != b.Name || a.Transform.String() != b.Transform.String() {
			return nil, errors.New("the table is not partitioned as this program does it: its partition spec was changed")
		}
	}
	return missing, nil
}

// evolve adds columns, and with them the properties that keep the bounds of private ones out.
func evolve(ctx context.Context, tbl *table.Table, missing []tables.Column) error {
	tx := tbl.NewTransaction()
	update := tx.UpdateSchema(true, false)
	props := iceberg.Properties{}
	for _, c := range missing {
		update.AddColumn([]string{c.Name}, c.Type, c.Doc, false, nil)
		if c.Private {
			props["write.metadata.metrics.column."+c.Name] = "none"
		}
	}
	if err := update.Commit(); err != nil {
		return err
	}
	if err := tx.SetProperties(props); err != nil {
		return err
	}
	_, err := tx.Commit(ctx)
	return err
}
