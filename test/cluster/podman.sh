#!/usr/bin/env bash
# podman with a storage of its own below the cache, so that nothing of the machine's is used or left behind.
#
#   test/cluster/podman.sh ARGUMENT...
set -Eeuo pipefail
# What is made here is read by other users: those inside the images and pods.
umask 022
readonly FOLDER="${STS_SIDECAR_CACHE:-${HOME:-/root}/.cache/sts-sidecar}/podman"
mkdir -p "$FOLDER"
# runc: crun refuses hybrid control groups. The engine's own file: it may not raise limits where the caller cannot.
cat >"$FOLDER/containers.conf.$$" <<'CONF'
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=30000:30000"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
mv "$FOLDER/containers.conf.$$" "$FOLDER/containers.conf"
export CONTAINERS_CONF="$FOLDER/containers.conf"
exec podman --root "$FOLDER/storage" --runroot "$FOLDER/run" --tmpdir "$FOLDER/tmp" "$@"
