#!/usr/bin/env bash
# Imports deploy/superset into a real Superset and checks the dashboard: test/superset/run.sh bin/flashback-sync [picture.png]
#
# Superset is installed in a temporary folder (or in SUPERSET_WORK, which is kept, for quick repetition): 900 MB.
# It takes about three minutes, and needs Python 3.11 and chromium.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
deploy=$here/../../deploy/superset
binary=$(realpath -e "${1:?usage: run.sh BINARY [picture.png]}")

work=${SUPERSET_WORK:-}
server=''
stop() {
  [ -z "$server" ] || { kill "$server" && wait "$server" || true; } 2>/dev/null
  [ -n "${SUPERSET_WORK:-}" ] || rm -rf "$work"
}
trap stop EXIT
[ -n "$work" ] || work=$(mktemp -d)
mkdir -p "$work"
work=$(realpath "$work")
picture=$(realpath -m "${2:-$(dirname "$binary")/superset.png}")

if [ ! -e "$work/ready" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check -r "$deploy/requirements.txt"
  touch "$work/ready"
fi
export PATH=$work/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1
export SUPERSET_CONFIG_PATH=$here/superset_config.py SUPERSET_HOME=$work
export SUPERSET_SECRET SUPERSET_PASSWORD
SUPERSET_SECRET=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
SUPERSET_PASSWORD=$(python3 -c 'import secrets; print(secrets.token_hex(16))')

# quietly COMMAND...: what it prints is shown if it fails.
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }

rm -f "$work/superset.db"
quietly "$binary" demo --dir "$work/data"
quietly superset db upgrade
quietly superset fab create-admin --username admin --firstname Ada --lastname Admin --email admin@example.org --password "$SUPERSET_PASSWORD"
quietly superset init
quietly "$deploy/import.sh" "$work/data/flashback.duckdb"
quietly "$deploy/import.sh" "$work/data/flashback.duckdb" # as after an upgrade

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
superset run --host 127.0.0.1 --port "$port" --with-threads >"$work/server.log" 2>&1 &
server=$!
curl --silent --fail --retry 60 --retry-delay 1 --retry-connrefused --output /dev/null "http://127.0.0.1:$port/health" ||
  { cat "$work/server.log"; exit 1; }

python3 "$here/check.py" "http://127.0.0.1:$port" "$binary" "$work/data" "$picture"
echo "picture: $picture"
