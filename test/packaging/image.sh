# Checks of the image. Sourced by run.sh.
#
# Neither a container engine nor the base images are needed: buildah follows the Dockerfile, and
# stand-ins have the names of its base images. The one to build in is this machine's own toolchain;
# the one to run in is what distroless/cc consists of, from the packages it is made of.

built=localhost/flashback-sync:check

storage() { buildah --root "$work/storage" --runroot "$work/storage-run" --storage-driver vfs "$@"; }

base_image() { awk -v n="$1" '$1 == "FROM" && ++i == n { print $2 }' "$root/Dockerfile"; }

# stand_in NAME FILL: an image whose files FILL makes.
stand_in() {
  local container
  container=$(storage from scratch)
  "$2" "$(storage mount "$container")"
  storage umount "$container" >/dev/null
  storage config --env PATH="$(go env GOROOT)/bin:/usr/local/bin:/usr/bin:/bin" --env GOPATH=/go --env GOTOOLCHAIN=local --user '' "$container"
  storage commit --quiet "$container" "$1" >/dev/null
  storage rm "$container" >/dev/null
}

fill_toolchain() {
  local link
  mkdir -p "$1"/{usr,etc,tmp,proc,sys,dev,root,go/pkg/mod}
  chmod 1777 "$1/tmp"
  for link in bin sbin lib lib64; do ln -s "usr/$link" "$1/$link"; done
  echo 'root:x:0:0:root:/root:/bin/bash' >"$1/etc/passwd"
}

fill_runtime() {
  unpack libc6 libgcc-s1 libstdc++6 tzdata "$1"
  mkdir -p "$1"/{proc,sys,dev,tmp,etc}
  echo '127.0.0.1 localhost' >"$1/etc/hosts"
}

image_built() {
  needs buildah
  [ "$(id -u)" = 0 ] || { echo "it takes root"; exit 77; }
  storage rmi --all --force >/dev/null 2>&1 || true
  stand_in "$(base_image 1)" fill_toolchain
  stand_in "$(base_image 2)" fill_runtime
  storage build --isolation chroot --format docker --pull-never --network host --tag "$built" \
    --volume /usr:/usr:ro --volume /etc/alternatives:/etc/alternatives:ro --volume "$(go env GOROOT):$(go env GOROOT):ro" \
    --volume "$(go env GOMODCACHE):/go/pkg/mod" --volume "$(go env GOCACHE):/root/.cache/go-build" \
    --build-arg VERSION="$version" "$root"
  storage inspect --type image "$built" >"$work/image.json"
  storage umount --all >/dev/null
  storage rm --all >/dev/null
  storage mount "$(storage from --pull-never "$built")" >"$work/image-root"
}

image_binary() {
  unpacked
  cmp "$(cat "$work/image-root")/usr/local/bin/flashback-sync" "$work/one/dist/flashback-sync"
  grep -q 'github.com/duckdb' "$(cat "$work/image-root")/usr/share/doc/flashback-sync/THIRD_PARTY_LICENSES"
}

# A first volume takes what the image has at its place, with its owner.
fresh_volume() {
  rm -rf "$work/volume"
  cp -a "$(cat "$work/image-root")/data" "$work/volume"
}

contain() { python3 -B "$here/contain.py" "$(cat "$work/image-root")" "$work/image.json" "$work/volume" "$@"; }

image_works() {
  unpacked
  fresh_volume
  contain version | grep -F "$version"
  contain demo --dir made
  [ -s "$work/volume/made/flashback.duckdb" ]
  [ -z "$(find "$work/volume" ! -user 65532)" ]
}

# That it would fail, if it had to write elsewhere.
image_needs_its_volume() {
  unpacked
  fresh_volume
  fails contain --no-data demo --dir made
  fails contain demo --dir /tmp/made
}

image_serves() {
  unpacked
  fresh_volume
  has_serve || { echo "this binary has no serve"; exit 77; }
  contain serve
}

unpacked() { [ -s "$work/image-root" ] || { echo "there is no image"; exit 77; }; }
