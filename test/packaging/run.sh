#!/usr/bin/env bash
# Judges the packaging: test/packaging/run.sh bin/flashback-sync [part of a check's name]
#
# Every check prints a line, and is then shown a spoiled copy, which it has to refuse.
# Linters and schemas come into a temporary folder (or PACKAGING_WORK, which is kept, for quick
# repetition); what comes from the system's packages is installed where it is missing. What cannot
# be had is a failure, unless PACKAGING_OPTIONAL=1.
#
# PACKAGING_COLD=1 compiles everything anew for the second release (minutes).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=$(realpath "${1:?usage: run.sh BINARY [part of a name]}")
only=${2:-}
. "$here/tools.sh"
. "$here/checks.sh"
. "$here/release.sh"
. "$here/image.sh"

work=${PACKAGING_WORK:-}
if [ -z "$work" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"
work=$(cd "$work" && pwd)

passed=0
failed=0
skipped=0
log=$work/log

# check NAME FUNCTION: the function judges the tree it is given.
check() {
  [[ $1 == *"$only"* ]] || return 0
  local began=$SECONDS
  attempt "$2" "$root"
  result "$1" "$code" "$began"
}

# refuses NAME FUNCTION FILE SED: and must not approve of a copy whose FILE was edited.
refuses() {
  [[ $1 == *"$only"* ]] || return 0
  local began=$SECONDS copy=$work/spoiled
  rm -rf "$copy"
  mkdir -p "$copy/iceberg"
  cp -a "$root/deploy" "$root/Dockerfile" "$copy"
  cp -a "$root/iceberg/Dockerfile" "$copy/iceberg"
  sed -i -E "$4" "$copy/$3"
  if cmp -s "$root/$3" "$copy/$3"; then
    echo "nothing was spoiled in $3" >"$log"
    result "$1" 1 "$began"
    return
  fi
  spoiled=1 attempt "$2" "$copy"
  case $code in
    0) echo "it approves of $3 after $4" >"$log"; code=1 ;;
    77) ;;
    *) code=0 ;;
  esac
  result "$1" "$code" "$began"
}

# attempt FUNCTION TREE: its exit code is left in code, what it said in $log. It is no part of a
# condition: there bash would ignore errors in the middle of the function.
attempt() {
  set +e
  (set -e; "$@") >"$log" 2>&1
  code=$?
  set -e
}

result() {
  local took="$((SECONDS - $3)) s"
  case $2 in
    0) passed=$((passed + 1)); printf 'ok    %-64s %5s\n' "$1" "$took" ;;
    77) skipped=$((skipped + 1)); printf 'skip  %-64s %s\n' "$1" "$(tail -n 1 "$log")" ;;
    *) failed=$((failed + 1)); printf 'FAIL  %-64s %5s\n' "$1" "$took"; sed 's/^/        /' "$log" | tail -n 40 ;;
  esac
}

cd "$root"
began=$SECONDS
tools
echo "tools ready after $((SECONDS - began)) s"

check   'own rules, each with its mistakes'              own_rules
check   'Dockerfile: hadolint'                           hadolint
refuses 'Dockerfile: hadolint refuses root'              hadolint Dockerfile 's/^USER .*/USER root/'
refuses 'Dockerfile: hadolint refuses latest'            hadolint Dockerfile 's/golang:[0-9.]+-bookworm/golang:latest/'
check   'compose: schema'                                compose_schema
refuses 'compose: the schema refuses an unknown key'     compose_schema deploy/compose.yaml 's/read_only:/readonly:/'
refuses 'compose: the schema refuses a wrong type'       compose_schema deploy/compose.yaml 's/cap_drop: .*/cap_drop: {all: true}/'
check   'Kubernetes: schemas of three releases'          kubernetes_schemas
refuses 'Kubernetes: refuses an unknown field'           kubernetes_schemas deploy/kubernetes/serve/deployment.yaml 's/runAsNonRoot/runAsNonroot/'
refuses 'Kubernetes: refuses a wrong type'               kubernetes_schemas deploy/kubernetes/cronjob/cronjob.yaml 's/backoffLimit: 2/backoffLimit: two/'
refuses 'Kubernetes: refuses a file that is not there'   kubernetes_schemas deploy/kubernetes/serve/kustomization.yaml 's/deployment.yaml/deploy.yaml/'
refuses 'Kubernetes: refuses a fleet with a wrong type'  kubernetes_schemas deploy/kubernetes/fleet/organisation/cronjob.yaml 's/containerName: push/containerName: [push]/'
check   'systemd: units'                                 systemd_units
refuses 'systemd: refuses a misspelt setting'            systemd_units deploy/systemd/flashback-sync.service 's/^ProtectSystem=/ProtectSytem=/'
refuses 'systemd: refuses a value that is none'          systemd_units deploy/systemd/flashback-sync-sync.timer 's/^OnCalendar=.*/OnCalendar=nightly/'
refuses 'systemd: refuses a program that is not there'   systemd_units deploy/systemd/flashback-sync-sync.service 's#^ExecStart=.*#ExecStart=/usr/local/bin/flashback sync#'
check   'systemd: exposure at most 1.5'                  systemd_exposure
refuses 'systemd: refuses a unit without its filter'     systemd_exposure deploy/systemd/flashback-sync.service '/^SystemCallFilter=/d'
refuses 'systemd: refuses a unit with capabilities'      systemd_exposure deploy/systemd/flashback-sync-sync.service '/^CapabilityBoundingSet=/d'
check   'systemd: the user'                              systemd_user
refuses 'systemd: refuses another user'                  systemd_user deploy/systemd/flashback-sync.sysusers 's/^u flashback-sync/u flashback/'
check   'systemd: what the program does is allowed'      systemd_allows
refuses 'systemd: notices a filter that is too narrow'   systemd_allows deploy/systemd/flashback-sync-sync.service 's/^(SystemCallFilter=~.*)/\1 @sync/'
refuses 'systemd: notices families that are too few'     systemd_allows deploy/systemd/flashback-sync-sync.service 's/^RestrictAddressFamilies=.*/RestrictAddressFamilies=AF_UNIX/'
check   'Prometheus: rules, their tests, scrape'         prometheus
refuses 'Prometheus: refuses a rule that cannot be read' prometheus deploy/prometheus/alerts.yaml 's/absent_over_time\(/absent_over_time((/'
refuses 'Prometheus: refuses a threshold out of place'   prometheus deploy/prometheus/alerts.yaml 's/ > 900\)/ > 9000)/'
refuses 'Prometheus: refuses a scrape that cannot be'    prometheus deploy/prometheus/scrape.yaml 's/scrape_interval: 1m/scrape_interval: often/'
check   'manual pages: mandoc and man'                   manual
check   'manual pages: a spoiled one is refused'         manual_refuses
check   'completions: shells read them'                  completions
check   'release: made twice, the same bytes'            release_twice
check   'release: another date shows'                    release_date_shows
check   'release: what the archive holds'                release_contents
check   'release: no paths, symbols or build id'         release_binary
check   'release: runs with glibc 2.34 and GCC 12'       release_libraries
check   'release: SBOM by the schema of CycloneDX'       release_sbom
check   'image: is built from the Dockerfile'            image_built
check   'image: holds the binary of the release'         image_binary
check   'image: works read-only, without privileges'     image_works
check   'image: writes to its volume, and there alone'   image_needs_its_volume
check   'image: serves, is healthy, stops'               image_serves

printf '%d passed, %d failed, %d skipped in %d s\n' "$passed" "$failed" "$skipped" "$((SECONDS - began))"
[ "$failed" = 0 ] && { [ "$skipped" = 0 ] || [ "${PACKAGING_OPTIONAL:-0}" = 1 ]; }
