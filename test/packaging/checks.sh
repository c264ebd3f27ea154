# Checks of deploy/. Sourced by run.sh. Each judges the tree $1, says why on stdout
# and fails; 77 means that it lacks a tool.

own_rules() { go test -tags duckdb_arrow ./test/packaging; }

hadolint() { "$work/venv/bin/hadolint" --no-color "$1/Dockerfile" "$1/iceberg/Dockerfile"; }

compose_schema() {
  "$work/venv/bin/check-jsonschema" --builtin-schema vendor.compose-spec "$1/deploy/compose.yaml"
}

kubernetes_schemas() {
  local variant release
  for variant in serve cronjob fleet; do
    if command -v kustomize >/dev/null; then
      kustomize build "$1/deploy/kubernetes/$variant"
    else
      needs kubectl
      kubectl kustomize "$1/deploy/kubernetes/$variant"
    fi >"$work/$variant.yaml"
  done
  local releases=(1.37 1.34 1.31)
  [ -z "${spoiled:-}" ] || releases=(1.37) # one is enough to refuse
  for release in "${releases[@]}"; do
    "$work/venv/bin/kubernetes-validate" --strict --no-warn -k "$release" "$work/serve.yaml" "$work/cronjob.yaml" "$work/fleet.yaml" \
      "$1/deploy/kubernetes/secret.example.yaml" "$1/deploy/kubernetes/fleet/secret.example.yaml" "$1/deploy/kubernetes/data.yaml"
  done
}

# The units as they are, but for the place of the program. Whatever is said is a mistake:
# systemd ignores what it does not know.
systemd_units() {
  needs systemd-analyze
  local units=$work/units
  rm -rf "$units"
  mkdir "$units"
  cp "$1"/deploy/systemd/*.service "$1"/deploy/systemd/*.timer "$units"
  ln -s "$binary" "$units/flashback-sync"
  sed -i "s#/usr/local/bin/#$units/#" "$units"/*.service
  systemd-analyze verify --man=no "$units"/*.service "$units"/*.timer >"$units/said" 2>&1
  cat "$units/said"
  [ ! -s "$units/said" ]
}

systemd_exposure() {
  needs systemd-analyze
  local unit
  for unit in "$1"/deploy/systemd/*.service; do
    systemd-analyze security --no-pager --offline=true --threshold=15 "$unit"
  done
}

systemd_user() {
  needs systemd-sysusers
  local system=$work/system
  rm -rf "$system"
  mkdir -p "$system/usr/lib/sysusers.d" "$system/etc"
  cp "$1/deploy/systemd/flashback-sync.sysusers" "$system/usr/lib/sysusers.d/flashback-sync.conf"
  systemd-sysusers --root="$system"
  grep '^flashback-sync:.*:/var/lib/flashback-sync:.*nologin$' "$system/etc/passwd"
  grep '^flashback-sync:' "$system/etc/group"
}

# What the program does in a demonstration (syncs, a verification, a repair, queries), and as serve.
systemd_allows() {
  needs strace
  needs systemd-analyze
  [ "$work/trace" -nt "$binary" ] || trace
  local unit
  for unit in "$1"/deploy/systemd/*.service; do
    python3 -B "$here/syscalls.py" "$unit" "$work/trace"
  done
}

trace() {
  rm -rf "$work/demo" "$work/served"
  strace -f -qq -s 0 -e signal=none -o "$work/trace-demo" "$binary" demo --dir "$work/demo" >/dev/null
  : >"$work/trace-serve"
  if has_serve; then
    local code=0
    FLASHBACK_TOKEN=t FLASHBACK_SYNC_STREAMS=alerts FLASHBACK_SYNC_API_BASE_URL=http://127.0.0.1:1 FLASHBACK_SYNC_DATA_DIR=$work/served \
      FLASHBACK_SYNC_SERVE_LISTEN=127.0.0.1:0 FLASHBACK_SYNC_SCHEDULE_SYNC='@every 2s' \
      strace -f -qq -s 0 -e signal=none -o "$work/trace-serve" timeout --preserve-status -s TERM 6 "$binary" serve || code=$?
    [ "$code" = 143 ] || { echo "serve ended with $code"; return 1; }
  fi
  cat "$work/trace-demo" "$work/trace-serve" >"$work/trace"
}

has_serve() { grep -q -e --probe <<<"$("$binary" serve --help)"; }

prometheus() {
  needs promtool
  promtool check config "$1/deploy/prometheus/scrape.yaml"
  promtool check rules "$1/deploy/prometheus/alerts.yaml"
  promtool test rules "$1/deploy/prometheus/alerts_test.yaml"
}

pages() {
  rm -rf "$work/man1"
  SOURCE_DATE_EPOCH=1700000000 "$binary" man --out "$work/man1"
}

lint_pages() {
  local page said
  mandoc -T lint -W error "$@" # cobra/doc's tabs and dates are below that
  for page in "$@"; do
    said=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings --encoding=UTF-8 --local-file --troff-device=utf8 --ditroff "$page" 2>&1 >/dev/null)
    [ -z "$said" ] || { echo "$page: $said"; return 1; }
  done
}

manual() {
  needs mandoc
  needs man
  pages
  lint_pages "$work"/man1/*.1
}

manual_refuses() {
  needs mandoc
  pages
  local page=$work/man1/flashback-sync.1
  sed -i 's/^\.SH DESCRIPTION$/.SX DESCRIPTION/' "$page"
  fails lint_pages "$page"
}

completions() {
  local shell script=$work/completion
  "$binary" completion bash >"$script"
  bash -n "$script"
  sed '0,/{$/s/{$/{{ (/' "$script" >"$script.spoiled"
  fails bash -n "$script.spoiled"
  "$binary" completion zsh >"$script"
  grep -q '^#compdef flashback-sync$' "$script"
  for shell in zsh fish; do
    ! command -v "$shell" >/dev/null || { "$binary" completion "$shell" >"$script"; "$shell" -n "$script"; }
  done
  "$binary" __complete sy >"$script" 2>/dev/null
  grep -q '^sync' "$script"
}
