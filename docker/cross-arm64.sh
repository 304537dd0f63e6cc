#!/usr/bin/env bash
# Builds flashkv for arm64 with Debian's cross compiler, in a root file system of its own, and uses it under qemu.
#
#     docker/cross-arm64.sh [FILE]     the binary is left in FILE, if one is named
#
# Exit status: 0 built and used, 1 failed, 77 could not run here: it needs root and apt.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:+$(realpath "$1")}
WORK=$(mktemp -d /tmp/flashkv-arm64.XXXXXX)
root=$WORK/root
server=

say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }

skip() {
    tail -n 5 "$WORK/apt.log" 2>/dev/null | sed -E 's#https?://[^/ ]+#MIRROR#g'
    say "SKIP: arm64: $*"
    exit 77
}

fail() {
    say "FAILED: $*"
    exit 1
}

cleanup() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true # and with it what it started
    wait
    rm -rf "$WORK"
}
trap cleanup EXIT
# shellcheck source=docker/debian.sh
. docker/debian.sh

# The build's packages: libraries for arm64, tools for this machine.
packages() {
    awk '$1 == "build" && $2 ~ /^lib/ { print $2 ":arm64" } $1 == "build" && $2 !~ /^(lib|gcc$)/ { print $2 }' deps.txt
    echo gcc-aarch64-linux-gnu qemu-user-static
}

# In a mount and process namespace of its own, which leaves nothing behind.
inside=(unshare --mount --pid --fork --mount-proc="$root/proc" --kill-child chroot "$root")

build() {
    mkdir "$root/src"
    git ls-files -z | tar -c --null -T - | tar -x -C "$root/src"
    # shellcheck disable=SC2016 # for the shell inside
    "${inside[@]}" sh -ec 'cd /src && ./autogen.sh && export PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig
        ./configure --quiet --host=aarch64-linux-gnu && make -s -j"$(nproc)" flashkv && aarch64-linux-gnu-strip -o flashkv.arm64 flashkv' \
        >"$WORK/build.log" 2>&1 || { tail -n 40 "$WORK/build.log" && fail 'the build'; }
}

emulated=("${inside[@]}" qemu-aarch64-static /src/flashkv.arm64)

serve() { # sets http and resp, the ports
    "${emulated[@]}" --http-port 0 --resp-port 0 >"$WORK/server.log" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        if grep -q ready: "$WORK/server.log"; then break; fi
        kill -0 $server 2>/dev/null || break
        sleep 0.1
    done
    read -r http resp < <(sed -n 's/.*ready: http on .*:\([0-9]*\), resp on .*:\([0-9]*\),.*/\1 \2/p' "$WORK/server.log")
    [ -n "$resp" ] || { cat "$WORK/server.log" && fail 'it does not start'; }
}

use() {
    local http='' resp=''
    serve
    curl -sf -m 10 -X PUT -d hello "http://127.0.0.1:$http/keys/greeting" || fail PUT
    [ "$(curl -sf -m 10 "http://127.0.0.1:$http/keys/greeting")" = hello ] || fail GET
    [ "$(redis-cli -p "$resp" append greeting ' world')" = 11 ] || fail 'redis-cli append'
    [ "$(redis-cli -p "$resp" get greeting)" = 'hello world' ] || fail 'redis-cli get'
    redis-cli -p "$resp" shutdown
    wait "$server" || fail "exit status $?"
    server=
}

[ "$(id -u)" = 0 ] || skip 'not root'
install_set image
make_root "$root" --architectures="$(dpkg --print-architecture),arm64" --include="$(packages | paste -sd, | tr ' ' ,)" ||
    skip 'the cross compiler and the libraries could not be installed'
say 'the root file system is there'
build
file=$("${inside[@]}" sh -c 'od -An -tx1 -j18 -N2 /src/flashkv.arm64 | tr -d " "') # ELF's e_machine
[ "$file" = b700 ] || fail "it is not for arm64: $file"
version=$("${emulated[@]}" --version)
say "$version, $(stat -c %s "$root/src/flashkv.arm64") bytes"
use
[ -z "$out" ] || cp "$root/src/flashkv.arm64" "$out"
say 'PASSED: PUT, GET and redis-cli under qemu'
