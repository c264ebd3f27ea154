#!/usr/bin/env bash
# Imports the dashboard into Superset, or replaces it: import.sh /var/lib/flashback-sync/flashback.duckdb [user of Superset]
#
# Run it where Superset runs, in its environment: `superset` is in PATH and finds its configuration.
# The dashboard belongs to the user (admin).
set -euo pipefail

bundle=$(cd "$(dirname "$0")" && pwd)/bundle
file=$(realpath -e "${1:?usage: import.sh FILE.duckdb [user]}")
user=${2:-admin}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$bundle" "$work/bundle"
config=$(<"$work/bundle/databases/flashback.yaml")
echo "${config/FLASHBACK_DUCKDB/"$file"}" >"$work/bundle/databases/flashback.yaml"
(cd "$work" && python3 -m zipfile -c bundle.zip bundle)

# The first command creates what is missing, and fails if the bundle is invalid. It leaves the charts, datasets
# and the connection of an earlier import as they are; the second replaces them.
superset import-dashboards --path "$work/bundle.zip" --username "$user"
superset import-directory --overwrite "$work/bundle"
echo "The dashboard is at /superset/dashboard/flashback/"
