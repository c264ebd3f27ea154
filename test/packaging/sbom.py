"""Validates an SBOM: sbom.py FILE. It must be CycloneDX 1.6, and know what the binary is made of."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
if problem:
    sys.exit(f"not CycloneDX 1.6: {problem}")
bom = json.loads(text)
names = {component["name"] for component in bom["components"]}
for name in ("DuckDB", "std", "github.com/apache/arrow-go/v18", "github.com/duckdb/duckdb-go/v2"):
    if name not in names:
        sys.exit(f"{name} is not listed")
if "serialNumber" in bom:
    sys.exit("a serial number makes another file of every build")
references = [component["bom-ref"] for component in bom["components"]]
if len(references) != len(set(references)):
    sys.exit("two components share a reference")
