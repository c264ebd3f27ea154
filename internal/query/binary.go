package query

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/flashback-sync/flashback-sync/schema"
)

// stored is the statement whose values Parquet and Arrow hold exactly.
func (st *statement) stored() string {
	return st.with(func(c column, name string) string {
		if c.storedAs != "" {
			name = "CAST(" + name + " AS " + c.storedAs + ")"
		}
		return name + " AS " + schema.Ident(c.Name)
	})
}

// writeParquet has DuckDB write the file, which is the only one it may write.
func writeParquet(ctx context.Context, s *session, st *statement, out Output) error {
	if st.fixed {
		return refused("parquet takes the result of a SELECT")
	}
	if s.file == "" {
		return errors.New("parquet: there is no folder for temporary files; name a file with --out")
	}
	copying := "COPY " + subquery(st.stored()) + " TO " + schema.Literal(s.file) + " (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
	if _, err := s.texts(ctx, copying); err != nil {
		return err
	}
	count, err := s.texts(ctx, "SELECT count(*) FROM read_parquet("+schema.Literal(s.file)+")")
	if err != nil {
		return err
	}
	rows, err := strconv.ParseInt(count[0][0], 10, 64)
	if err != nil {
		return err
	}
	s.written.Add(rows)
	if s.file == out.Path {
		return nil
	}
	file, err := os.Open(s.file)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, file)
	return errors.Join(err, file.Close())
}

// writeArrow writes an Arrow IPC file.
func writeArrow(ctx context.Context, s *session, st *statement, out Output) error {
	return s.read(ctx, st.stored(), func(shape *arrow.Schema, all batches) error {
		w, err := ipc.NewFileWriter(out, ipc.WithSchema(shape), ipc.WithZstd())
		if err != nil {
			return err
		}
		for batch, err := range all {
			if err == nil {
				s.written.Add(batch.NumRows())
				err = w.Write(batch)
			}
			if err != nil {
				return errors.Join(err, w.Close())
			}
		}
		return w.Close()
	})
}
