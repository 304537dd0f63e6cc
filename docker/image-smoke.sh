#!/usr/bin/env bash
# Builds the image and the compose stacks and uses them as a user would, through the published ports.
#
#     docker/image-smoke.sh                        exit status 0 passed, 1 failed, 77 could not run here (said loudly)
#     IMAGE_SMOKE=require docker/image-smoke.sh    77 is a 1
#
# Prints a line for each check, "image: N bytes", and last "image-smoke: N passed, N failed". What needs an engine of
# its own (README's commands use the standard ports and names) is not run on one that belongs to somebody.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

IMAGE=${IMAGE:-flashkv:smoke}
PROJECT=flashkv-smoke-$$
WORK=$(mktemp -d /tmp/flashkv-smoke.XXXXXX)
PASSWORD=$(cat docker/example/password.txt)
passed=0 failed=0
export DOCKER_BUILDKIT=1 DOCKER_CONFIG=$WORK/config
mkdir -p "$DOCKER_CONFIG" "$WORK/bin"

# ---- reporting -------------------------------------------------------------------------------------------------------

say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }

# check NAME FUNCTION [ARGUMENT...]: passes if the function, in a shell of its own that ends at the first command that
# fails, gets to its end.
check() {
    local name=$1 status
    shift
    # shellcheck disable=SC2154
    (set -eE; trap 'echo "status $? of: $BASH_COMMAND"' ERR; "$@") >"$WORK/check.log" 2>&1
    status=$?
    if [ $status -eq 0 ]; then
        passed=$((passed + 1))
        say "ok - $name"
    else
        failed=$((failed + 1))
        say "not ok - $name"
        tail -n 60 "$WORK/check.log" | sed 's/^/    /'
    fi
    return $status
}

finish() {
    echo "image-smoke: $passed passed, $failed failed"
    [ $failed -eq 0 ]
    exit
}

skip() {
    tail -n 5 "$WORK/dockerd.log" "$WORK/apt.log" 2>/dev/null | sed -E 's#https?://[^/ ]+#MIRROR#g'
    printf '%s\n' '######################################################################' \
        "## IMAGE SMOKE TEST NOT RUN: $*" \
        '## The Dockerfile and the compose files are UNTESTED in this run.' \
        '######################################################################' "SKIP: image-smoke: $*"
    [ "${IMAGE_SMOKE:-auto}" = require ] && exit 1
    exit 77
}

# ---- for the checks ----------------------------------------------------------------------------------------------------

fail() {
    echo "$*"
    exit 1
}

expect() { [ "$2" = "$3" ] || fail "$1: got '$2', want '$3'"; } # WHAT GOT WANT

within() { # SECONDS COMMAND...: until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "not within the time: $*"
        sleep 0.2
    done
}

inspect() { "$DOCKER" inspect -f "$2" "$1"; } # NAME TEMPLATE
health_is() { [ "$(inspect "$1" '{{.State.Health.Status}}')" = "$2" ]; }
rest() { curl -sf -m 10 -H "Authorization: Bearer $PASSWORD" "$@"; }
resp_at() { redis-cli -p "$1" -a "$PASSWORD" --no-auth-warning "${@:2}"; } # PORT COMMAND...

cleanup() {
    local status=$?
    trap - EXIT
    if [ -n "${DOCKER:-}" ]; then
        stacks_down
        containers_down
    fi
    engine_down
    if grep -q " $WORK/" /proc/mounts; then say "mounts are left under $WORK: not removed"; else rm -rf "$WORK"; fi
    exit "$status"
}

# shellcheck source=docker/engine.sh
. docker/engine.sh
# shellcheck source=docker/smoke/build.sh
. docker/smoke/build.sh
# shellcheck source=docker/smoke/container.sh
. docker/smoke/container.sh
# shellcheck source=docker/smoke/stack.sh
. docker/smoke/stack.sh
main() {
    trap cleanup EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    engine_up
    engine_base
    engine_compose
    # From here on all that goes wrong is a failure.
    check_build || finish
    check_containers
    check_stacks
    finish
}

main
