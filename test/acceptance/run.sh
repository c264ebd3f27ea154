#!/usr/bin/env bash
# Judges a built flashback-sync from outside: test/acceptance/run.sh bin/flashback-sync [part of a check's name ...]
#
# Installs DuckDB's Python and Node packages and pyarrow, by name and version, in
# a temporary folder (or in ACCEPTANCE_WORK, which is kept, for quick repetition).
# A package that cannot be had is a failure, unless ACCEPTANCE_OPTIONAL=1.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
binary=${1:?usage: run.sh BINARY [part of a name ...]}
shift
binary=$(cd "$(dirname "$binary")" && pwd)/$(basename "$binary")

work=${ACCEPTANCE_WORK:-}
if [ -z "$work" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"
work=$(cd "$work" && pwd)

missing() {
  echo "acceptance: $1 could not be installed" >&2
  if [ "${ACCEPTANCE_OPTIONAL:-0}" != 1 ]; then
    echo "acceptance: set ACCEPTANCE_OPTIONAL=1 to go on without it" >&2
    exit 1
  fi
}

pip_install() { "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }

# The releases before and after the embedded one, which an analyst may have. 0.10.3
# is the oldest that opens what DuckDB 1.5 writes in its oldest format; it has no
# package for Python 3.13 and newer.
others='0.10.3 1.1.3 1.4.0 2.0.1'
dbt_core=1.12.0
dbt_duckdb=1.11.1

began=$SECONDS
if [ ! -e "$work/ready" ]; then
  python3 -m venv "$work/venv"
  if ! pip_install -r "$here/requirements.txt"; then
    missing "a Python package of requirements.txt"
    echo "0 passed, 0 failed"
    exit 0
  fi
  for release in $others; do
    pip_install --no-deps --target "$work/duckdb-$release" "duckdb==$release" || missing "DuckDB $release for Python"
  done
  python3 -m venv "$work/dbt"
  "$work/dbt/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "dbt-core==$dbt_core" "dbt-duckdb==$dbt_duckdb" ||
    { missing "dbt-duckdb"; rm -rf "$work/dbt"; }
  mkdir -p "$work/node"
  cp "$here/node/"* "$work/node/"
  (cd "$work/node" && npm ci --silent --no-audit --no-fund) || missing "DuckDB for Node.js"
  touch "$work/ready"
fi
cp "$here/node/check.mjs" "$work/node/"
echo "packages ready after $((SECONDS - began)) s"

export PYTHONDONTWRITEBYTECODE=1
export ACCEPTANCE_DUCKDBS=''
for release in $others; do
  [ ! -d "$work/duckdb-$release" ] || ACCEPTANCE_DUCKDBS+=${ACCEPTANCE_DUCKDBS:+:}$work/duckdb-$release
done
[ ! -d "$work/node/node_modules" ] || export ACCEPTANCE_NODE=$work/node

[ ! -x "$work/dbt/bin/dbt" ] || export ACCEPTANCE_DBT=$work/dbt/bin/dbt

cd "$here"
"$work/venv/bin/python" fake_api_test.py --quiet
"$work/venv/bin/python" run.py "$binary" "$@"
