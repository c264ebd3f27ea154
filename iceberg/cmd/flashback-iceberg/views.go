package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/iceberg/views"
)

func (a *app) views() *cobra.Command {
	var dialect, namespace string
	c := &cobra.Command{
		Use:   "views",
		Short: "Print the views of schema bi for Spark or Trino, as far as the lake has what they are made of",
		RunE: func(*cobra.Command, []string) error {
			if !namePattern.MatchString(namespace) || !namePattern.MatchString(a.settings.CatalogName) {
				return usage(fmt.Errorf("views are in CATALOG.NAMESPACE: use letters, digits and underscores, got %q and %q", a.settings.CatalogName, namespace))
			}
			text, err := views.Print(dialect, a.settings.CatalogName+"."+a.settings.Namespace, namespace)
			if err != nil {
				return usage(err)
			}
			_, err = fmt.Fprint(a.out, text)
			return err
		},
	}
	c.Flags().StringVar(&dialect, "dialect", "spark", "`engine`: spark or trino")
	c.Flags().StringVar(&namespace, "in", "flashback.bi", "`catalog.namespace` that the views are made in")
	return c
}
