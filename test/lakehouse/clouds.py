"""Other clouds' storage and catalogs as their emulators have them: Google Cloud Storage (fake-gcs-server), Azure (Azurite) and
Glue with S3 (moto). Each gets a lake, a change of it and an erasure, and is read with PyIceberg."""

import base64
import json
import os
import secrets
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import facts
import readers
import writers
from services import REGION, accepts, free_port, running

DAYS = 3


class Cloud:
    """environment is what flashback-iceberg needs to know, properties are what PyIceberg does."""

    def __init__(self, kind, folder, warehouse, storage, environment, properties, catalog=None):
        self.kind = kind
        if catalog is None:
            database = folder / f"{kind}.db"
            catalog, where = f"sqlite://{database}", {"type": "sql", "uri": f"sqlite:///{database}", "warehouse": warehouse}
        else:
            where = {"type": "glue"}
        config = folder / f"{kind}.yaml"
        config.write_text(json.dumps({"catalog": catalog, "warehouse": warehouse, "storage": storage}))
        self.environment = {**environment, "FLASHBACK_ICEBERG_CONFIG": str(config)}
        self.properties = {**where, **properties}


@contextmanager
def gcs(work, folder):
    port, root = free_port(), folder / "gcs"
    (root / "lakehouse").mkdir(parents=True)
    address = f"http://127.0.0.1:{port}"
    command = [work / "bin/fake-gcs-server", "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-public-host", f"127.0.0.1:{port}",
               "-external-url", address, "-backend", "filesystem", "-filesystem-root", root]
    with running("fake-gcs-server", command, folder, lambda: accepts(port)):
        yield Cloud("gcs", folder, "gs://lakehouse/warehouse", {"gcs.endpoint": f"{address}/storage/v1/", "gcs.no-auth": "true"}, {},
                    {"gcs.service.host": address, "gcs.oauth2.token": "none", "gcs.oauth2.token-expires-at": "4102444800000"})


@contextmanager
def azure(work, folder):
    port, account, key = free_port(), "lakehouse", base64.b64encode(secrets.token_bytes(32)).decode()
    command = ["node", work / "azurite/node_modules/azurite/dist/src/blob/main.js", "--blobHost", "127.0.0.1", "--blobPort", port,
               "--location", folder / "azure", "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    with running("azurite", command, folder, lambda: accepts(port), env={**os.environ, "AZURITE_ACCOUNTS": f"{account}:{key}"}):
        from adlfs import AzureBlobFileSystem
        text = f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};BlobEndpoint=http://127.0.0.1:{port}/{account};"
        AzureBlobFileSystem(account_name=account, connection_string=text).mkdir("lakehouse")
        yield Cloud("azure", folder, f"abfss://lakehouse@{account}.dfs.core.windows.net/warehouse",
                    {"adls.endpoint": f"127.0.0.1:{port}", "adls.protocol": "http"},
                    {"AZURE_STORAGE_ACCOUNT": account, "AZURE_STORAGE_KEY": key},
                    {"adls.connection-string": text, "adls.account-name": account, "py-io-impl": "pyiceberg.io.fsspec.FsspecFileIO"})


@contextmanager
def glue(_, folder):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    login = {"AWS_ACCESS_KEY_ID": "lakehouse", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16)}
    with running("moto", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port], folder, lambda: accepts(port)):
        urllib.request.urlopen(urllib.request.Request(f"{address}/lakehouse", method="PUT"), timeout=10).close()
        yield Cloud("glue", folder, "s3://lakehouse/warehouse", {"s3.endpoint": address}, {**login, "AWS_ENDPOINT_URL_GLUE": address},
                    {"glue.endpoint": address, "glue.region": REGION, "s3.endpoint": address, "s3.region": REGION,
                     "client.access-key-id": login["AWS_ACCESS_KEY_ID"], "client.secret-access-key": login["AWS_SECRET_ACCESS_KEY"]},
                    f"glue://{REGION}")


CLOUDS = (gcs, azure, glue)


def follow(program, cloud, lake):
    """A push, nothing to do, a change, maintenance and an erasure."""
    def run(*arguments):
        done = subprocess.run([program, *arguments, "--lake", lake.folder], env={**os.environ, **cloud.environment}, capture_output=True, text=True)
        assert done.returncode == 0, f"{arguments[0]}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    def change(n):
        day = lake.files("alerts")[n]
        lake.keep(day, day["rows"] // 2)
        lake.publish()

    def commits():
        return sorted(name for name, t in run("push", "--json")["tables"].items() if t.get("snapshot_id"))

    run("push")
    assert commits() == [], "a second push had something to do"
    change(0)
    assert commits() == ["alerts"], "the push of a changed day did not change alerts alone"
    run("verify")
    run("maintain", "--keep", "0s", "--retain", "1")
    change(1)
    erased = run("forget", "--json")
    alerts = next(t for t in erased if t["name"] == "alerts")
    assert alerts["data_files_listed"] == DAYS and not alerts["left"], f"forget: {alerts}"
    run("verify")
    status = run("status", "--json")
    assert status["up_to_date"], f"status: {status}"
    return f"{alerts['data_files_removed']} data files removed"


def read(cloud, lake):
    """What PyIceberg sees."""
    from pyiceberg.catalog import load_catalog
    view = readers.arrow_view(load_catalog("flashback", **cloud.properties))
    tables = [t for t in facts.TABLES if t.name in facts.LISTS or lake.files(t.name)]
    problems = [f"{t.name}: {p}" for t in tables for p in view.facts(t).differences(facts.truth(lake, t))]
    assert not problems, "\n".join(problems)
    return f"{len(tables)} tables"


def refused(program, cloud, lake):
    """Another key than the account's."""
    wrong = {**cloud.environment, "AZURE_STORAGE_KEY": base64.b64encode(secrets.token_bytes(32)).decode()}
    for command in ("push", "verify", "status"):
        done = subprocess.run([program, command, "--lake", lake.folder], env={**os.environ, **wrong}, capture_output=True, text=True)
        assert done.returncode == 4, f"{command}: exit {done.returncode} instead of 4: {done.stderr}"
        assert wrong["AZURE_STORAGE_KEY"] not in done.stdout + done.stderr, "the key is in the output"
    return "exit 4"
