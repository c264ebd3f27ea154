// Package catalogs opens Iceberg catalogs, and says what an error of theirs means.
package catalogs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/glue"
	"github.com/apache/iceberg-go/catalog/rest"
	sqlcatalog "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/io"
	_ "github.com/apache/iceberg-go/io/gocloud/azure" // abfs, abfss, wasb
	_ "github.com/apache/iceberg-go/io/gocloud/gcs"   // gs
	_ "github.com/apache/iceberg-go/io/gocloud/s3"    // s3, s3a
	"github.com/apache/iceberg-go/table"
	"github.com/aws/aws-sdk-go-v2/config"
	_ "github.com/jackc/pgx/v5/stdlib" // PostgreSQL
	_ "modernc.org/sqlite"             // SQLite, for tests and one machine
)

// Config says which catalog to open, and how its tables are stored.
type Config struct {
	URI        string // sqlite, postgresql, rest+https or glue
	Name       string
	Namespace  string
	Warehouse  string
	Token      string            // for REST: a bearer token
	Credential string            // for REST: id:secret for OAuth2
	Storage    map[string]string // properties of iceberg-go's file systems, as s3.endpoint
}

// Catalog is an open catalog and the namespace of our tables.
type Catalog struct {
	catalog.Catalog

	name      string
	namespace table.Identifier
	db        *sql.DB // of a SQL catalog that we opened
	postgres  bool
}

// UsageError is a configuration that cannot be used.
type UsageError struct{ error }

func usage(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// Open opens a catalog. It does not create anything but a SQL catalog's own two tables.
func Open(ctx context.Context, c Config) (*Catalog, error) {
	scheme, rest, _ := strings.Cut(c.URI, "://")
	opened := &Catalog{name: c.Name, namespace: strings.Split(c.Namespace, ".")}
	var err error
	switch scheme {
	case "sqlite":
		// Each connection waits for the lock of the file, and takes it at once.
		dsn := "file:" + path.Clean(rest) + "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(60000)&_txlock=immediate"
		err = opened.openSQL(ctx, "sqlite", dsn, sqlcatalog.SQLite, c)
	case "postgresql", "postgres":
		opened.postgres = true
		err = opened.openSQL(ctx, "pgx", c.URI, sqlcatalog.Postgres, c)
	case "rest+https", "rest+http":
		opened.Catalog, err = openREST(ctx, c)
	case "glue":
		opened.Catalog, err = openGlue(ctx, rest, c)
	default:
		err = usage("catalog %q is not known: use sqlite:///PATH, postgresql://..., rest+https://... or glue://REGION", scheme+"://")
	}
	if err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	return opened, nil
}

func (c *Catalog) openSQL(ctx context.Context, driver, dsn string, dialect sqlcatalog.SupportedDialect, config Config) error {
	if config.Warehouse == "" {
		return usage("a SQL catalog needs a warehouse: the address that the tables are below")
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	if c.postgres {
		// A hundred writers that wait for each other must not use up the server's connections.
		db.SetMaxOpenConns(3)
		db.SetMaxIdleConns(0)
	}
	err = patiently(ctx, func() (err error) {
		c.Catalog, err = sqlcatalog.NewCatalog(config.Name, db, dialect, properties(config))
		return err
	})
	if err != nil {
		return errors.Join(err, db.Close())
	}
	c.db = db
	return nil
}

func properties(c Config) iceberg.Properties {
	props := iceberg.Properties{}
	for key, value := range c.Storage {
		props[key] = value
	}
	if c.Warehouse != "" {
		props["warehouse"] = strings.TrimSuffix(c.Warehouse, "/")
	}
	return props
}

func openREST(ctx context.Context, c Config) (catalog.Catalog, error) {
	address, err := url.Parse(strings.TrimPrefix(c.URI, "rest+"))
	if err != nil {
		return nil, usage("the address of the REST catalog is not a URL")
	}
	if address.Scheme == "http" && !loopback(address.Hostname()) {
		return nil, usage("rest+http is for this machine only: use rest+https for %s", address.Hostname())
	}
	options := []rest.Option{rest.WithAdditionalProps(properties(c))}
	if c.Warehouse != "" {
		options = append(options, rest.WithWarehouseLocation(c.Warehouse))
	}
	if c.Token != "" {
		options = append(options, rest.WithOAuthToken(c.Token))
	}
	if c.Credential != "" {
		options = append(options, rest.WithCredential(c.Credential))
	}
	return rest.NewCatalog(ctx, c.Name, address.String(), options...)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func openGlue(ctx context.Context, region string, c Config) (catalog.Catalog, error) {
	var options []func(*config.LoadOptions) error
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, err
	}
	props := properties(c)
	props[io.S3ClientRegion] = loaded.Region // iceberg-go makes tables without the catalog's; s3.region goes before it
	return glue.NewCatalog(glue.WithAwsConfig(loaded), glue.WithAwsProperties(glue.AwsProperties(props)))
}

// Close closes the connections.
func (c *Catalog) Close() error {
	var err error
	if closer, ok := c.Catalog.(catalog.Closer); ok {
		err = closer.Close()
	}
	if c.db != nil {
		err = errors.Join(err, c.db.Close())
	}
	return err
}

// Identifier is the full name of a table.
func (c *Catalog) Identifier(name string) table.Identifier {
	return append(append(table.Identifier{}, c.namespace...), name)
}

// Namespace is the namespace of our tables.
func (c *Catalog) Namespace() table.Identifier { return c.namespace }

// Load loads a table; catalog.ErrNoSuchTable if there is none.
func (c *Catalog) Load(ctx context.Context, name string) (tbl *table.Table, err error) {
	err = patiently(ctx, func() (err error) {
		tbl, err = c.LoadTable(ctx, c.Identifier(name))
		return err
	})
	return tbl, err
}

// EnsureNamespace creates the namespace if there is none.
func (c *Catalog) EnsureNamespace(ctx context.Context) error {
	exists, err := c.CheckNamespaceExists(ctx, c.namespace)
	if err != nil || exists {
		return err
	}
	err = c.CreateNamespace(ctx, c.namespace, nil)
	if err == nil || errors.Is(err, catalog.ErrNamespaceAlreadyExists) {
		return nil
	}
	// Another writer may have been faster, and not every catalog says so.
	if exists, failed := c.CheckNamespaceExists(ctx, c.namespace); failed == nil && exists {
		return nil
	}
	return err
}
