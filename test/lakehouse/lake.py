"""The lake that is pushed, and changes of it as a later run of flashback-sync would publish them."""

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq


class Lake:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.manifest = json.loads((self.folder / "manifest.json").read_text())

    def part(self, folder, days):
        """A copy of the first days of alerts, as the lake of another organisation."""
        folder.mkdir()
        files = self.files("alerts")[:days]
        for file in files:
            target = folder / file["path"]
            target.parent.mkdir(parents=True)
            shutil.copyfile(self.folder / file["path"], target)
        copy = Lake.__new__(Lake)
        copy.folder, copy.manifest = folder, json.loads(json.dumps({**self.manifest, "files": files}))
        copy.publish()
        return copy

    def files(self, table):
        return sorted((f for f in self.manifest["files"] if f["table"] == table), key=lambda f: f["path"])

    def keep(self, file, rows):
        """Write a file again with its first rows only; of no row nothing is left."""
        path = self.folder / file["path"]
        table = pq.read_table(path, partitioning=None).slice(0, rows)
        new = path.with_suffix(".new")
        pq.write_table(table, new, compression="zstd", version="2.6", coerce_timestamps="us")
        new.replace(path)
        file.update(self.describe(path), rows=table.num_rows, generation=self.manifest["generation"] + 1)

    @staticmethod
    def describe(path):
        content = path.read_bytes()
        return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def publish(self):
        self.manifest["generation"] += 1
        new = self.folder / "manifest.new"
        new.write_text(json.dumps(self.manifest))
        new.replace(self.folder / "manifest.json")
