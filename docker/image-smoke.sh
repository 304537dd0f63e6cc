#!/usr/bin/env bash
# Builds the image and the compose stacks and uses them as a user would, through the published ports.
#
# Exit status: 0 passed, 1 failed, 77 could not run here (said loudly); IMAGE_SMOKE=require makes 77 a 1.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

IMAGE=${IMAGE:-flashkv:smoke}
PROJECT=flashkv-smoke-$$
WORK=$(mktemp -d /tmp/flashkv-smoke.XXXXXX)
STACK=
export DOCKER_BUILDKIT=1 DOCKER_CONFIG=$WORK/config
mkdir -p "$DOCKER_CONFIG"

say() { printf '[image-smoke %3d s] %s\n' "$SECONDS" "$*"; }

fail() {
    say "FAILED: $*"
    [ -z "$STACK" ] || compose logs --no-color 2>&1 | tail -40
    exit 1
}

skip() {
    tail -n 5 "$WORK/dockerd.log" "$WORK/apt.log" 2>/dev/null | sed -E 's#https?://[^/ ]+#MIRROR#g'
    printf '%s\n' '######################################################################' \
        "## IMAGE SMOKE TEST NOT RUN: $*" \
        '## The Dockerfile and the compose files are UNTESTED in this run.' \
        '######################################################################'
    [ "${IMAGE_SMOKE:-auto}" = require ] && exit 1
    exit 77
}

compose() { "$DOCKER" compose -p "$PROJECT" -f "$STACK" "$@"; }

cleanup() {
    local status=$?
    trap - EXIT
    [ -z "$STACK" ] || compose down -v -t 5 >/dev/null 2>&1
    engine_down
    if grep -q " $WORK/" /proc/mounts; then say "mounts are left under $WORK: not removed"; else rm -rf "$WORK"; fi
    exit $status
}

# shellcheck source=docker/engine.sh
. docker/engine.sh
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
engine_up
engine_base
engine_compose

# ---- from here on all that goes wrong is a failure ------------------------------------------------------------------

PASSWORD=$(cat docker/example/password.txt)
export FLASHKV_IMAGE=$IMAGE HTTP_PORT=0 RESP_PORT=0 APP_PORT=0 PROMETHEUS_PORT=0 HTTPS_PORT=0 UPSTASH_PORT=0

build() { # STAGE TAG
    "$DOCKER" build "${NET[@]}" --progress=plain -f docker/Dockerfile --target "$1" -t "$2" . >"$WORK/build.log" 2>&1 </dev/null ||
        { tail -40 "$WORK/build.log"; fail "docker build --target $1"; }
}

build_example() { # TARGET: the service of that name, as compose calls its image
    "$DOCKER" build "${NET[@]}" --progress=plain -f docker/example/Dockerfile --target "$1" -t "$PROJECT-$1" docker/example \
        >"$WORK/build.log" 2>&1 </dev/null || { tail -40 "$WORK/build.log"; fail "docker build of the example's $1"; }
}

up() { compose up -d --no-build --wait --wait-timeout 60 >"$WORK/up.log" 2>&1 </dev/null || { tail -20 "$WORK/up.log"; fail "$STACK: up"; }; }
port() { compose port "$1" "$2" | sed 's/.*://'; }
rest() { curl -sf -m 10 -H "Authorization: Bearer $PASSWORD" "$@"; }
resp() { redis-cli -p "$(port "$1" 6379)" -a "$PASSWORD" --no-auth-warning "${@:2}"; }
expect() { [ "$2" = "$3" ] || fail "$1: got '$2', want '$3'"; } # WHAT GOT WANT
within() { # SECONDS COMMAND...: until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.3
    done
}

check_image() {
    local size
    size=$("$DOCKER" image inspect -f '{{.Size}}' "$IMAGE")
    say "image: $size bytes"
    [ "$size" -le 15000000 ] || fail 'the image is larger than 15 MB'
    expect 'user of the image' "$("$DOCKER" image inspect -f '{{.Config.User}}' "$IMAGE")" 10001:10001
    "$DOCKER" run --rm --network=none --entrypoint /bin/sh "$IMAGE" -c true 2>/dev/null && fail 'there is a shell in the image'
    "$DOCKER" run --rm --network=none "$IMAGE" --version >/dev/null || fail 'the binary does not run'
    "$DOCKER" run --rm --network=none --entrypoint /bin/sh "$IMAGE-debug" -c 'redis-cli --version' >/dev/null ||
        fail 'the debug image has no shell'
}

published() { # what users see through the published ports
    local http app https
    http=http://127.0.0.1:$(port flashkv 8080) app=http://127.0.0.1:$(port app 8000) https=https://127.0.0.1:$(port proxy 8443)
    rest -X PUT -d hello -o /dev/null "$http/keys/greeting" || fail 'PUT'
    expect 'redis-cli get' "$(resp flashkv get greeting)" hello
    expect 'GET through nginx' "$(rest -k "$https/keys/greeting")" hello
    expect 'without the password' "$(curl -s -o /dev/null -w '%{http_code}' "$http/keys/greeting")" 401
    curl -sf -m 10 "$app/" | grep -q '"visits": 1' || fail 'the application'
    resp flashkv get visits | grep -qx 1 || fail "the application's counter"
    within 20 prometheus_sees || fail 'Prometheus has no flashkv_keys'
    "$DOCKER" logs "$(compose ps -q flashkv)" 2>&1 | head -1 | grep -q '^{' || fail 'the log is not JSON'
}

prometheus_sees() {
    curl -sf -m 5 "http://127.0.0.1:$(port prometheus 9090)/api/v1/query?query=flashkv_keys" | grep -q '"value":\[.*"[1-9]'
}

hardened() { # SERVICE...
    local s
    for s; do
        expect "$s" "$("$DOCKER" inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}' "$(compose ps -q "$s")")" 'true [ALL]'
    done
}

survives() { # the data: a restart, a kill
    compose restart -t 10 flashkv >/dev/null 2>&1 </dev/null
    within 20 healthy || fail 'not healthy after a restart'
    expect 'after a restart' "$(resp flashkv get greeting)" hello
    resp flashkv set kept yes >/dev/null
    sleep 1.5 # fsync everysec: what is older than a second is on disk
    "$DOCKER" kill -s KILL "$(compose ps -q flashkv)" >/dev/null
    compose up -d --no-build --wait --wait-timeout 60 flashkv >/dev/null 2>&1 </dev/null || fail 'not up after kill -9'
    expect 'after kill -9' "$(resp flashkv get kept)" yes
}

healthy() { [ "$("$DOCKER" inspect -f '{{.State.Health.Status}}' "$(compose ps -q flashkv)")" = healthy ]; }

ends_cleanly() { # SIGTERM to process 1
    local id
    id=$(compose ps -q flashkv)
    compose stop -t 10 >/dev/null 2>&1 </dev/null
    expect 'exit status after SIGTERM' "$("$DOCKER" inspect -f '{{.State.ExitCode}}' "$id")" 0
}

upstash() {
    local url
    url=http://127.0.0.1:$(port redis 8079)
    expect 'POST /' "$(rest -d '["SET","k","v"]' "$url/")" '{"result":"OK"}'
    expect 'POST /pipeline' "$(rest -d '[["GET","k"],["INCR","n"]]' "$url/pipeline")" '[{"result":"v"},{"result":1}]'
    expect 'redis-cli beside it' "$(resp redis get k)" v
}

build image "$IMAGE"
build debug "$IMAGE-debug"
check_image
for s in app prometheus proxy; do build_example $s; done

STACK=docker/compose.yaml
up
say "$STACK is up"
published
hardened flashkv app proxy
survives
ends_cleanly
compose down -v -t 5 >/dev/null 2>&1 </dev/null

STACK=docker/compose.upstash.yaml
up
upstash
say PASSED
