# Checks of `make release`. Sourced by run.sh.

version=v1.2.3
epoch=1700000000
made=flashback-sync_1.2.3_$(go env GOOS)_$(go env GOARCH)

# The files as they are now, whether they are committed or not.
snapshot() {
  rm -rf "$work/tree"
  mkdir "$work/tree"
  git -C "$root" ls-files -z --cached --others --exclude-standard |
    (cd "$root" && while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done | xargs -0 cp --parents -t "$work/tree")
}

# release_in FOLDER: a release of the snapshot, in another place.
release_in() {
  rm -rf "$1"
  mkdir -p "$1"
  cp -r "$work/tree/." "$1"
  git -C "$1" init --quiet
  git -C "$1" add --all
  make -C "$1" --no-print-directory release VERSION="$version" SOURCE_DATE_EPOCH="$epoch"
}

# From two folders of different length, at different times, by users with different umasks.
# The packages of the second come from the first one's cache, so this proves nothing of the
# compilers, but all of paths, linking and packing; PACKAGING_COLD=1 proves the rest.
release_twice() {
  snapshot
  release_in "$work/one"
  (
    umask 077
    [ "${PACKAGING_COLD:-0}" != 1 ] || export GOCACHE=$work/cold
    release_in "$work/a/longer/path/two"
  )
  (cd "$work/one/dist" && sha256sum --check SHA256SUMS)
  diff "$work/one/dist/SHA256SUMS" "$work/a/longer/path/two/dist/SHA256SUMS"
  cmp "$work/one/dist/$made.tar.gz" "$work/a/longer/path/two/dist/$made.tar.gz"
}

release_date_shows() {
  made_before
  (
    cd "$work/one"
    make --no-print-directory release-archive RELEASE_BIN=dist/flashback-sync DIST="$work/later" VERSION="$version" SOURCE_DATE_EPOCH=$((epoch + 86400))
    fails cmp -s "dist/$made.tar.gz" "$work/later/$made.tar.gz"
  )
}

release_contents() {
  made_before
  local listing
  listing=$(tar --list --verbose --numeric-owner --utc --full-time --file "$work/one/dist/$made.tar.gz")
  local path
  for path in flashback-sync README.md LICENSE CHANGELOG.md THIRD_PARTY_LICENSES sbom.cdx.json completions/flashback-sync.bash \
    completions/_flashback-sync completions/flashback-sync.fish man/man1/flashback-sync.1 man/man1/flashback-sync-sync.1 \
    deploy/compose.yaml deploy/systemd/flashback-sync.service deploy/kubernetes/cronjob/cronjob.yaml; do
    grep -q " $made/$path\$" <<<"$listing" || { echo "$path is not there"; return 1; }
  done
  fails grep -v ' 0/0 .* 2023-11-14 22:13:20 ' <<<"$listing"
  diff <(grep '^-rwx' <<<"$listing" | sed 's/.* //') <(printf '%s\n' "$made/deploy/superset/import.sh" "$made/deploy/systemd/flashback-sync-as-service" "$made/flashback-sync")
  tar --extract --to-stdout --file "$work/one/dist/$made.tar.gz" "$made/THIRD_PARTY_LICENSES" | grep -c '^github.com/.* (.*)$'
}

release_binary() {
  made_before
  local program=$work/one/dist/flashback-sync
  "$program" version | grep -F "$version"
  fails grep -a -q -F -e "$work" -e "$(go env GOMODCACHE)" -e "$(go env GOROOT)" "$program"
  # The one of `make build` has both, or nothing would be seen here.
  local seen
  for seen in has_symbols has_go_build_id; do
    "$seen" "$binary"
    fails "$seen" "$program"
  done
}

has_symbols() { objdump -t "$1" | grep -c ' main\.main$'; }

# The linker's own id, a hash of the contents, may stay.
has_go_build_id() { readelf --notes --wide "$1" | grep -w Go; }

# newest PREFIX: the newest version of a library's symbols that the release needs.
newest() { objdump -T "$work/one/dist/flashback-sync" | grep -oE "\b$1_[0-9.]+" | sort -Vu | tail -n 1; }

# What the binary needs of the machine's libraries: less is fine, more has to be told.
release_libraries() {
  made_before
  needs objdump
  local need
  for need in GLIBC_2.34 GLIBCXX_3.4.30 CXXABI_1.3.13; do
    echo "needs $(newest "${need%_*}"), told is $need"
    [ -n "$(newest "${need%_*}")" ]
    [ "$(printf '%s\n' "$need" "$(newest "${need%_*}")" | sort -V | tail -n 1)" = "$need" ]
  done
  objdump -p "$work/one/dist/flashback-sync" | grep NEEDED >"$work/needed"
  fails grep -v -E ' (libstdc\+\+\.so\.6|libm\.so\.6|libgcc_s\.so\.1|libc\.so\.6|ld-linux-x86-64\.so\.2)$' "$work/needed"
}

release_sbom() {
  made_before
  local bom=$work/one/dist/$made.cdx.json
  "$work/venv/bin/python" -B "$here/sbom.py" "$bom"
  grep -q "\"content\": \"$(sha256sum "$work/one/dist/flashback-sync" | cut -d' ' -f1)\"" "$bom"
  sed 's/"type": "library"/"type": "lib"/' "$bom" >"$work/spoiled.json"
  fails "$work/venv/bin/python" -B "$here/sbom.py" "$work/spoiled.json"
}

made_before() { [ -e "$work/one/dist/$made.tar.gz" ] || { echo "there is no release"; return 1; }; }
