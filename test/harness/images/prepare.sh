#!/bin/sh
# Makes the images that tests build upon, as a store of their own that is only read afterwards:
#   localhost/node:24-bookworm-slim    what Docker Hub's image of that name is: Debian, Node, npm, user 1000
#   localhost/patchbay-rabbitmq:test   Debian's rabbitmq-server, which logs to standard output and lets guest in
#   localhost/patchbay-nats:test       the nats-server of this machine
# Made under another name and moved when it is whole, so that what stands under the real name is never half made.
#
#   prepare.sh STORE MIRROR NODE-PACKAGE NPM-PACKAGE NATS-SERVER
set -eu
store=$1 mirror=$2 node=$3 npm=$4 nats=$5
[ ! -e "$store" ] || exit 0
work=$store.partial
rm -rf -- "$work"
mkdir -p "$work/packages" "$work/tmp"
export TMPDIR="$work/tmp" BUILDAH_ISOLATION=chroot

(cd "$work/packages" && npm pack --silent "$node" "$npm" >/dev/null) &
packing=$!
root=$work/root
debootstrap --variant=minbase bookworm "$root" "$mirror"
rm -rf -- "$root"/var/cache/apt/archives/*.deb "$root"/var/cache/apt/*.bin "$root"/var/lib/apt/lists/* "$root"/dev/* "$root"/proc/*
rm -rf -- "$root"/usr/share/man/* "$root"/usr/share/locale/*
mkdir -p "$root/etc/ssl/certs"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

image() { buildah --root "$work/graph" --runroot "$work/run" --storage-driver overlay "$@"; }
commit() { image commit --quiet --rm "$1" "$2" >/dev/null; }

debian=$(image from scratch)
image add --quiet "$debian" "$root" / >/dev/null
image config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd bash "$debian"
commit "$debian" localhost/debian:bookworm-slim

wait "$packing"
local=$work/local
mkdir -p "$local/bin" "$local/lib/node_modules/npm"
tar -xzf "$work"/packages/node-linux-*.tgz --strip-components=2 -C "$local/bin" package/bin
tar -xzf "$work"/packages/npm-*.tgz --strip-components=1 -C "$local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$local/bin/npx"
chmod 755 "$local"/bin/node
container=$(image from localhost/debian:bookworm-slim)
image add --quiet "$container" "$local" /usr/local >/dev/null
image run "$container" -- useradd -m -u 1000 node
commit "$container" localhost/node:24-bookworm-slim

container=$(image from localhost/debian:bookworm-slim)
image run "$container" -- sh -eu -c '
  apt-get -q update
  DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends rabbitmq-server
  rm -rf /var/lib/apt/lists/* /var/cache/apt/*
  mkdir -p /etc/rabbitmq/conf.d
  printf "loopback_users.guest = false\n" > /etc/rabbitmq/conf.d/10-defaults.conf'
image config --env HOME=/var/lib/rabbitmq --env RABBITMQ_LOGS=- --cmd rabbitmq-server \
  --env PATH=/usr/lib/rabbitmq/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
commit "$container" localhost/patchbay-rabbitmq:test

container=$(image from localhost/debian:bookworm-slim)
image add --quiet "$container" "$nats" /usr/local/bin/nats-server >/dev/null
image config --entrypoint '["nats-server"]' "$container"
commit "$container" localhost/patchbay-nats:test

mv -- "$work/graph" "$store"
rm -rf -- "$work"

