package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/apache/iceberg-go/io"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/lake"
)

// settings are the keys of the configuration file; each is a flag and an environment variable
// as well. A flag goes before the environment, and that before the file.
type settings struct {
	Lake        string            `yaml:"lake"`
	Catalog     string            `yaml:"catalog"`
	CatalogName string            `yaml:"catalog_name"`
	Namespace   string            `yaml:"namespace"`
	Warehouse   string            `yaml:"warehouse"`
	Org         string            `yaml:"org"`
	TokenFile   string            `yaml:"token_file"` // of a REST catalog's bearer token
	Storage     map[string]string `yaml:"storage"`    // properties of the file system, as s3.endpoint

	file       string
	token      string
	credential string
}

// keys lists the settings with their flag, default and meaning.
func (s *settings) keys() []key {
	return []key{
		{"lake", &s.Lake, "", "folder `DIR` with the manifest.json that flashback-sync publishes"},
		{"catalog", &s.Catalog, "", "catalog `URI`: sqlite:///PATH, postgresql://..., rest+https://... or glue://REGION"},
		{"catalog-name", &s.CatalogName, "flashback", "`name` of the catalog, which other engines have to use as well"},
		{"namespace", &s.Namespace, "flashback", "`namespace` of the tables"},
		{"warehouse", &s.Warehouse, "", "`URI` that the tables are below, as s3://bucket/path; for some REST catalogs a name"},
		{"org", &s.Org, "default", "`name` of the organisation whose lake this is"},
		{"token-file", &s.TokenFile, "", "`file` with the bearer token of a REST catalog"},
	}
}

type key struct {
	name    string
	value   *string
	initial string
	usage   string
}

func (k key) variable() string {
	return "FLASHBACK_ICEBERG_" + strings.ToUpper(strings.ReplaceAll(k.name, "-", "_"))
}

func (s *settings) flags(flags *pflag.FlagSet) {
	flags.StringVarP(&s.file, "config", "c", "", "configuration `file` (YAML; default $FLASHBACK_ICEBERG_CONFIG)")
	for _, k := range s.keys() {
		flags.StringVar(k.value, k.name, "", k.usage+" ($"+k.variable()+")")
	}
}

// Storage properties that have an environment variable of their own.
var storageVariables = map[string]string{
	"FLASHBACK_ICEBERG_S3_ENDPOINT": "s3.endpoint",
	"FLASHBACK_ICEBERG_S3_REGION":   "s3.region",
}

// load completes what the flags have set.
func (s *settings) load(env lookup) error {
	if password(s.Catalog) != "" {
		return errors.New("the catalog's address has a password, and arguments are visible to others: set FLASHBACK_ICEBERG_CATALOG, or PGPASSWORD, or use ~/.pgpass")
	}
	var file settings
	if s.file == "" {
		s.file, _ = env("FLASHBACK_ICEBERG_CONFIG")
	}
	if s.file != "" {
		if err := file.read(s.file); err != nil {
			return err
		}
	}
	s.Storage = map[string]string{}
	maps.Copy(s.Storage, file.Storage)
	fromFile := file.keys()
	for i, k := range s.keys() {
		set, _ := env(k.variable())
		*k.value = cmp.Or(*k.value, set, *fromFile[i].value, k.initial)
	}
	for variable, property := range storageVariables {
		if value, _ := env(variable); value != "" {
			s.Storage[property] = value
		}
	}
	return errors.Join(s.credentials(env), s.validate())
}

func (s *settings) read(name string) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(s); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if password(s.Catalog) != "" {
		return fmt.Errorf("%s: catalog has a password: set FLASHBACK_ICEBERG_CATALOG, or PGPASSWORD, or use ~/.pgpass", name)
	}
	for property := range s.Storage {
		if secretProperty.MatchString(property) {
			return fmt.Errorf("%s: storage.%s is a secret, which the environment or the platform's identity gives", name, property)
		}
	}
	return nil
}

var secretProperty = regexp.MustCompile(`(?i)secret|token|password|credential|access-key|account\.key|connection-string|jsonkey`)

// credentials reads the REST catalog's, and the key or token of an Azure storage account. All
// others are found by their libraries, in the environment, in files or at the platform.
func (s *settings) credentials(env lookup) error {
	s.azure(env)
	s.token, _ = env("FLASHBACK_ICEBERG_TOKEN")
	s.credential, _ = env("FLASHBACK_ICEBERG_CREDENTIAL")
	if s.token != "" || s.TokenFile == "" {
		return nil
	}
	content, err := os.ReadFile(s.TokenFile)
	if err != nil {
		return fmt.Errorf("read token_file: %w", err)
	}
	s.token = strings.TrimSpace(string(content))
	return nil
}

// azure hands on the credentials that Azure's own tools take from the environment, but its
// library for Go does not.
func (s *settings) azure(env lookup) {
	account, _ := env("AZURE_STORAGE_ACCOUNT")
	key, _ := env("AZURE_STORAGE_KEY")
	token, _ := env("AZURE_STORAGE_SAS_TOKEN")
	if key != "" && account != "" {
		s.Storage[io.ADLSSharedKeyAccountName], s.Storage[io.ADLSSharedKeyAccountKey] = account, key
	} else if address, err := url.Parse(s.Warehouse); token != "" && err == nil {
		s.Storage[io.ADLSSasTokenPrefix+address.Hostname()] = strings.TrimPrefix(token, "?")
	}
}

var (
	orgPattern  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	namePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,62}(\.[A-Za-z][A-Za-z0-9_]{0,62})*$`)
)

func (s *settings) validate() error {
	if !orgPattern.MatchString(s.Org) {
		return fmt.Errorf("org %q: use letters, digits, dots, hyphens and underscores, at most 63", s.Org)
	}
	if !namePattern.MatchString(s.Namespace) {
		return fmt.Errorf("namespace %q: use letters, digits and underscores", s.Namespace)
	}
	return nil
}

// password is the password within an address, "" if there is none.
func password(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return "" // it cannot be used either
	}
	if secret := parsed.Query().Get("password"); secret != "" {
		return secret
	}
	secret, _ := parsed.User.Password()
	return secret
}

// secrets lists everything that no output may contain.
func (s *settings) secrets(env lookup) []string {
	var secrets []string
	for _, variable := range []string{
		"PGPASSWORD", "FLASHBACK_ICEBERG_TOKEN", "FLASHBACK_ICEBERG_CREDENTIAL", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_CLIENT_SECRET",
	} {
		if secret, set := env(variable); set {
			secrets = append(secrets, secret)
		}
	}
	fromEnvironment, _ := env("FLASHBACK_ICEBERG_CATALOG")
	for _, address := range []string{s.Catalog, fromEnvironment} {
		if secret := password(address); secret != "" {
			secrets = append(secrets, secret, url.QueryEscape(secret), url.PathEscape(secret))
		}
	}
	return secrets
}

func (s *settings) openCatalog(ctx context.Context) (*catalogs.Catalog, error) {
	if s.Catalog == "" {
		return nil, usage(errors.New("no catalog is given: --catalog, FLASHBACK_ICEBERG_CATALOG or catalog in the file"))
	}
	return catalogs.Open(ctx, catalogs.Config{
		URI: s.Catalog, Name: s.CatalogName, Namespace: s.Namespace, Warehouse: s.Warehouse,
		Token: s.token, Credential: s.credential, Storage: s.Storage,
	})
}

// open opens the lake and the catalog; done closes them.
func (s *settings) open(ctx context.Context) (_ *lake.Lake, _ *catalogs.Catalog, done func(), err error) {
	if s.Lake == "" {
		return nil, nil, nil, usage(errors.New("no lake is given: --lake, FLASHBACK_ICEBERG_LAKE or lake in the file"))
	}
	opened, err := lake.Open(s.Lake)
	if err != nil {
		return nil, nil, nil, err
	}
	catalog, err := s.openCatalog(ctx)
	if err != nil {
		_ = opened.Close()
		return nil, nil, nil, err
	}
	return opened, catalog, func() { _, _ = catalog.Close(), opened.Close() }, nil
}
