"""Starts the servers of the test on loopback, each with a log file, and stops them."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

REGION = "us-east-1"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def accepts(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.read()
    except OSError:
        return None


@contextmanager
def running(name, arguments, folder, ready, seconds=180, **options):
    """A process that ends with the block. It has started when ready() is true."""
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen([str(a) for a in arguments], stdout=out, stderr=out, stdin=subprocess.DEVNULL, **{"cwd": folder, **options})
    try:
        until = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{name} did not start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.2)
        yield process
    finally:
        process.send_signal(2)  # PostgreSQL ends at once only with this one
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Storage:
    """An S3 server: versitygw on a folder."""

    def __init__(self, stack, program, folder):
        self.key, self.secret = "lakehouse", secrets.token_hex(16)
        self.port = free_port()
        self.folder = folder / "s3"
        self.folder.mkdir()
        stack.enter_context(running(
            "versitygw", [program, "--port", f"127.0.0.1:{self.port}", "--quiet", "posix", self.folder], folder,
            lambda: accepts(self.port), env={**os.environ, "ROOT_ACCESS_KEY": self.key, "ROOT_SECRET_KEY": self.secret}))

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def bucket(self, name):
        (self.folder / name).mkdir()
        return f"s3://{name}/warehouse"

    @property
    def environment(self):
        return {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_REGION": REGION}


class PostgreSQL:
    """A server with databases of one user. It refuses to run as root, so it gets another user then."""

    user = "lakehouse"

    def __init__(self, stack, folder):
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))[-1]
        self.port, self.password = free_port(), secrets.token_hex(16)
        data, secret = folder / "postgresql", folder / "postgresql.password"
        data.mkdir()
        secret.write_text(self.password)
        identity = {}
        if os.geteuid() == 0:
            other = pwd.getpwnam("postgres")
            identity = {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}
            for path in (data, secret):
                shutil.chown(path, "postgres", "postgres")
        subprocess.run([programs / "initdb", "-D", data, "-U", self.user, f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8",
                        "--locale=C", "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd="/", **identity)
        stack.enter_context(running(
            "postgresql", [programs / "postgres", "-D", data, "-p", self.port, "-c", "listen_addresses=127.0.0.1",
                           "-c", "unix_socket_directories=", "-c", "fsync=off"], folder, self.ready, cwd="/", **identity))

    def ready(self):
        """It accepts connections some time before it serves them."""
        import psycopg2
        try:
            with self.connection("postgres"):
                return True
        except psycopg2.OperationalError:
            return False

    def database(self, name):
        with self.connection("postgres") as connection:
            connection.autocommit = True
            connection.cursor().execute(f"CREATE DATABASE {name}")

    @contextmanager
    def connection(self, name):
        import psycopg2
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=self.user, password=self.password, dbname=name)
        try:
            yield connection
        finally:
            connection.close()

    def address(self, name, scheme="postgresql"):
        return f"{scheme}://127.0.0.1:{self.port}/{name}"


class Rest:
    """The REST catalog that Iceberg's own tests use; it has no authentication, and keeps its tables in PostgreSQL."""

    def __init__(self, stack, java, jars, folder, postgres, storage, warehouse):
        self.port = free_port()
        environment = {
            "CATALOG_CATALOG_NAME": "rest", "CATALOG_URI": postgres.address("rest", "jdbc:postgresql"),
            "CATALOG_JDBC_USER": postgres.user, "CATALOG_JDBC_PASSWORD": postgres.password, "CATALOG_WAREHOUSE": warehouse,
            "CATALOG_IO__IMPL": "org.apache.iceberg.aws.s3.S3FileIO", "CATALOG_S3_ENDPOINT": storage.endpoint,
            "CATALOG_S3_PATH__STYLE__ACCESS": "true", "CATALOG_S3_ACCESS__KEY__ID": storage.key,
            "CATALOG_S3_SECRET__ACCESS__KEY": storage.secret, "CATALOG_CLIENT_REGION": REGION, "CATALOG_REST_PORT": str(self.port),
        }
        path = ":".join(str(j) for j in (*jars.glob("iceberg-open-api-*.jar"), *jars.glob("postgresql-*.jar")))
        stack.enter_context(running(
            "rest", [java, "-Xmx512m", "-cp", path, "org.apache.iceberg.rest.RESTCatalogServer"], folder,
            lambda: answers(f"{self.address}/v1/config"), env={**os.environ, **environment}))

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"


class Catalog:
    """One of the two catalogs, as the writers and the readers need to know it."""

    name = "flashback"  # which all of them have to use

    def __init__(self, kind, warehouse, storage, postgres, rest):
        self.kind, self.warehouse, self.storage, self.postgres, self.rest = kind, warehouse, storage, postgres, rest

    @property
    def environment(self):
        """The settings of flashback-iceberg."""
        address = f"rest+{self.rest.address}" if self.kind == "rest" else self.postgres.address("catalog") + "?sslmode=disable"
        return {**self.storage.environment, "FLASHBACK_ICEBERG_CATALOG": address, "FLASHBACK_ICEBERG_WAREHOUSE": self.warehouse,
                "FLASHBACK_ICEBERG_S3_ENDPOINT": self.storage.endpoint, "FLASHBACK_ICEBERG_S3_REGION": REGION,
                "PGUSER": self.postgres.user, "PGPASSWORD": self.postgres.password}


@contextmanager
def both_catalogs(work, folder, java):
    """The REST and the PostgreSQL catalog on one storage."""
    with ExitStack() as stack:
        storage = Storage(stack, work / "bin/versitygw", folder)
        postgres = PostgreSQL(stack, folder)
        postgres.database("rest")
        postgres.database("catalog")
        warehouse = storage.bucket("rest")
        rest = Rest(stack, java, work / "jars", folder, postgres, storage, warehouse)
        yield [Catalog("rest", warehouse, storage, postgres, rest),
               Catalog("postgresql", storage.bucket("postgresql"), storage, postgres, rest)]
