#!/bin/sh
# Runs a program that finds Podman's socket where it looks for a Docker engine. Bridges and rules for packets that Podman
# makes belong to a network of this process and its children alone, mounts likewise; they and all containers go with it.
#
#   with-podman.sh FOLDER PROGRAM…
set -eu
if [ "$1" != inside ]; then
  exec unshare --net --mount --pid --fork --kill-child --mount-proc sh "$0" inside "$@"
fi
folder=$2
shift 2
ip link set lo up
mkdir -p /var/lib/cni
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib/cni
podman system service --time=0 "unix://$folder/podman.sock" >"$folder/service.log" 2>&1 &
tries=0
until [ -S "$folder/podman.sock" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 200 ] || { cat "$folder/service.log" >&2; exit 1; }
  sleep 0.05
done
export DOCKER_HOST="unix://$folder/podman.sock" TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
"$@"
