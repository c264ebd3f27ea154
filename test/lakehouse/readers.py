"""The four readers. Each opens a catalog's tables and answers facts.py's questions with its own engine."""

import json
import os
import tarfile
import urllib.request
from contextlib import ExitStack, contextmanager
from importlib import metadata

import facts
from services import REGION, answers, free_port, running

NAMESPACE = "flashback"
CODE = "-XX:ReservedCodeCacheSize=256m"  # with the first compiler alone it is 48 MB, and when that is full nothing more is compiled


class View:
    """The tables of a catalog as one reader sees them; catalog is the reader's name of it."""

    def __init__(self, query, describe, source, micros=facts.duckdb_micros, catalog=None):
        self.query, self.describe, self.source, self.micros, self.catalog = query, describe, source, micros, catalog

    def facts(self, table):
        return facts.facts(self.query, self.describe, table, self.source(table.name), self.micros)

    def per_org(self):
        return facts.per_org(self.query, self.source("alerts"))


class PyIceberg:
    """Reads with PyIceberg into Arrow, and counts there with DuckDB. Types are those of PyIceberg's schema."""

    name = f"PyIceberg {metadata.version('pyiceberg')}"

    @contextmanager
    def open(self, catalogs):
        yield {c.kind: self.view(c) for c in catalogs}

    def view(self, c):
        from pyiceberg.catalog import load_catalog
        s = c.storage
        where = {"type": "rest", "uri": c.rest.address} if c.kind == "rest" else {
            "type": "sql", "uri": f"postgresql+psycopg2://{c.postgres.user}:{c.postgres.password}@127.0.0.1:{c.postgres.port}/catalog"}
        catalog = load_catalog(c.name, **where, **{
            "warehouse": c.warehouse, "s3.endpoint": s.endpoint, "s3.access-key-id": s.key, "s3.secret-access-key": s.secret,
            "s3.region": REGION, "s3.force-virtual-addressing": "false"})
        return arrow_view(catalog)


def arrow_view(catalog):
    """The tables of one of PyIceberg's catalogs."""
    connection = facts.connect()
    query, _ = facts.duckdb_reader(connection)

    def source(name):
        connection.register(name, catalog.load_table((NAMESPACE, name)).scan().to_arrow())
        return name

    def describe(name):
        return [(f.name, str(f.field_type)) for f in catalog.load_table((NAMESPACE, name)).schema().fields]
    return View(query, describe, source)


class DuckDB:
    """Attaches the REST catalog. It knows no SQL catalog: there it scans the metadata file that the catalog names."""

    name = f"DuckDB {metadata.version('duckdb')}"

    @contextmanager
    def open(self, catalogs):
        with ExitStack() as stack:
            yield {c.kind: self.view(c, stack) for c in catalogs}

    def view(self, c, stack):
        connection = facts.connect()
        stack.callback(connection.close)
        for extension in ("avro", "httpfs", "iceberg"):
            connection.execute(f"LOAD '{extension_file(extension)}'")
        s = c.storage
        connection.execute(f"CREATE SECRET (TYPE s3, KEY_ID '{s.key}', SECRET '{s.secret}', REGION '{REGION}', "
                           f"ENDPOINT '127.0.0.1:{s.port}', URL_STYLE 'path', USE_SSL false)")
        query, describe = facts.duckdb_reader(connection)
        if c.kind == "rest":
            connection.execute(f"ATTACH '{c.warehouse}' AS ice (TYPE iceberg, ENDPOINT '{c.rest.address}', AUTHORIZATION_TYPE 'none', "
                               "ACCESS_DELEGATION_MODE 'none')")
            return View(query, describe, lambda name: f"ice.{NAMESPACE}.{name}")
        return View(query, describe, lambda name: f"iceberg_scan('{metadata_location(c, name)}')")


def extension_file(name):
    package = metadata.distribution(f"duckdb-extension-{name}")
    [file] = [f for f in package.files if str(f).endswith(".duckdb_extension")]
    return file.locate()


def metadata_location(c, table):
    with c.postgres.connection("catalog") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT metadata_location FROM iceberg_tables WHERE catalog_name = %s AND table_namespace = %s AND table_name = %s",
                       (c.name, NAMESPACE, table))
        [[location]] = cursor.fetchall()
        return location


class Spark:
    dialect = "spark"
    name = f"Spark {metadata.version('pyspark')}"

    def __init__(self, work, folder, java_home):
        self.jars, self.folder, self.java_home = work / "jars", folder, java_home

    @contextmanager
    def open(self, catalogs):
        os.environ.update(JAVA_HOME=str(self.java_home), SPARK_LOCAL_IP="127.0.0.1", TZ="UTC")
        from pyspark.sql import SparkSession
        jars = ",".join(str(j) for p in ("iceberg-spark-runtime-*", "iceberg-aws-bundle-*", "postgresql-*") for j in self.jars.glob(p + ".jar"))
        builder = SparkSession.builder.master("local[2]").config("spark.jars", jars).config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
        builder = builder.config("spark.driver.memory", "1g").config("spark.sql.session.timeZone", "UTC")
        builder = builder.config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC " + CODE)  # a short life
        builder = builder.config("spark.sql.shuffle.partitions", "2").config("spark.local.dir", str(self.folder / "spark"))
        builder = builder.config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")  # views, CALL
        for c in catalogs:
            for key, value in self.settings(c).items():
                builder = builder.config(f"spark.sql.catalog.{self.alias(c)}{key}", value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        try:
            yield {c.kind: self.view(session, self.alias(c)) for c in catalogs}
        finally:
            session.stop()

    @staticmethod
    def alias(c):
        return c.name if c.kind == "postgresql" else "rest"  # in SQL catalogs the name is part of the key

    @staticmethod
    def settings(c):
        s = c.storage
        where = {".type": "rest", ".uri": c.rest.address} if c.kind == "rest" else {
            ".catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog", ".uri": c.postgres.address("catalog", "jdbc:postgresql"),
            ".jdbc.user": c.postgres.user, ".jdbc.password": c.postgres.password, ".jdbc.schema-version": "V1"}
        return {"": "org.apache.iceberg.spark.SparkCatalog", **where, ".warehouse": c.warehouse,
                ".io-impl": "org.apache.iceberg.aws.s3.S3FileIO", ".s3.endpoint": s.endpoint, ".s3.path-style-access": "true",
                ".s3.access-key-id": s.key, ".s3.secret-access-key": s.secret, ".client.region": REGION}

    @staticmethod
    def view(session, alias):
        return View(lambda sql: [tuple(r) for r in session.sql(sql).collect()], lambda source: session.table(source).dtypes,
                    lambda name: f"{alias}.{NAMESPACE}.{name}", lambda e: f"unix_micros(CAST({e} AS TIMESTAMP))", alias)


class Trino:
    dialect = "trino"
    name = "Trino 476"

    def __init__(self, work, folder, java_home):
        self.archive = work / "jars/trino-server-476.tar.gz"
        self.home = work / "trino-server-476"
        self.folder, self.java_home = folder, java_home

    # Without these every plugin is loaded, which takes minutes.
    plugins = ("iceberg",)

    @contextmanager
    def open(self, catalogs):
        if not self.home.exists():
            self.unpack()
        self.port = free_port()
        etc = self.folder / "trino"
        (etc / "catalog").mkdir(parents=True)
        (etc / "node.properties").write_text(f"node.environment=test\nnode.id=test\nnode.data-dir={etc}/data\n")
        (etc / "config.properties").write_text(
            f"coordinator=true\nnode-scheduler.include-coordinator=true\nhttp-server.http.port={self.port}\n"
            f"discovery.uri=http://127.0.0.1:{self.port}\nquery.max-memory=256MB\ncatalog.management=static\n")
        for c in catalogs:
            lines = "".join(f"{key}={value}\n" for key, value in self.settings(c).items())
            (etc / f"catalog/{c.kind}.properties").write_text(lines)
        jvm = ["-Xmx1500m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", CODE, "-Djdk.attach.allowAttachSelf=true",
               "--add-modules=jdk.incubator.vector", "-Duser.timezone=UTC"]
        command = [self.java_home / "bin/java", *jvm, "-Dnode.environment=test", f"-Dconfig={etc}/config.properties",
                   "-Dnode.id=test", f"-Dnode.data-dir={etc}/data", f"-Dcatalog.config-dir={etc}/catalog", "-cp", f"{self.home}/lib/*",
                   "io.trino.server.TrinoServer"]
        with running("trino", command, self.folder, self.ready, seconds=300, cwd=self.home):
            yield {c.kind: self.view(c.kind) for c in catalogs}

    def unpack(self):
        unpacked = self.folder / "unpacked"
        with tarfile.open(self.archive) as archive:
            archive.extractall(unpacked, [m for m in archive if self.wanted(m.name)], filter="data")
        (unpacked / self.home.name).rename(self.home)

    def wanted(self, name):
        parts = name.split("/")
        return len(parts) < 3 or parts[1] != "plugin" or parts[2] in self.plugins

    def ready(self):
        info = answers(f"http://127.0.0.1:{self.port}/v1/info")
        return bool(info) and not json.loads(info)["starting"]

    @staticmethod
    def settings(c):
        s = c.storage
        where = {"iceberg.catalog.type": "rest", "iceberg.rest-catalog.uri": c.rest.address,
                 "iceberg.rest-catalog.warehouse": c.warehouse} if c.kind == "rest" else {
            "iceberg.catalog.type": "jdbc", "iceberg.jdbc-catalog.catalog-name": c.name,
            "iceberg.jdbc-catalog.driver-class": "org.postgresql.Driver",
            "iceberg.jdbc-catalog.connection-url": c.postgres.address("catalog", "jdbc:postgresql"),
            "iceberg.jdbc-catalog.connection-user": c.postgres.user, "iceberg.jdbc-catalog.connection-password": c.postgres.password,
            "iceberg.jdbc-catalog.default-warehouse-dir": c.warehouse, "iceberg.jdbc-catalog.schema-version": "V1"}
        return {"connector.name": "iceberg", **where, "fs.native-s3.enabled": "true", "s3.endpoint": s.endpoint, "s3.region": REGION,
                "s3.path-style-access": "true", "s3.aws-access-key": s.key, "s3.aws-secret-key": s.secret}

    def view(self, kind):
        return View(self.query, lambda source: [row[:2] for row in self.query(f"DESCRIBE {source}")],
                    lambda name: f"{kind}.{NAMESPACE}.{name}",
                    lambda e: f"CAST(round(to_unixtime(CAST({e} AS timestamp(6) with time zone)) * 1e6) AS bigint)", kind)

    def query(self, sql):
        rows = []
        answer = self.request(f"http://127.0.0.1:{self.port}/v1/statement", sql.encode())
        while True:
            rows += answer.get("data", [])
            if "error" in answer:
                raise RuntimeError(answer["error"]["message"])
            if "nextUri" not in answer:
                return rows
            answer = self.request(answer["nextUri"])

    @staticmethod
    def request(url, body=None):
        headers = {"X-Trino-User": "test", "X-Trino-Time-Zone": "UTC"}
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=120) as response:
            return json.load(response)
