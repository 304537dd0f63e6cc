# engine.sh - a Docker engine, a base image and compose, where the machine has none; sourced by image-smoke.sh.
#
#     engine_up       DOCKER and NET are set and the engine answers, or `skip` was called
#     engine_base     debian:bookworm-slim is there: pulled where there is a registry, else made from apt's own sources
#     engine_compose  `docker compose` v2 is there
#     engine_down     what engine_up started is ended
#
# An engine that is running already is used as it is. Otherwise dockerd is started under $WORK, without iptables and
# forwarding, and with a bridge that goes when it goes, so that the host's network stays as it was: ports are published by
# docker's proxy, and containers have no way out. The caller supplies say, skip and the folder $WORK.
# shellcheck shell=bash

# shellcheck source=docker/debian.sh
. docker/debian.sh

BASE=debian:bookworm-slim
COMPOSE_SUITE=trixie # SUITE has no compose v2
BASE_CACHE=${BASE_CACHE:-/var/tmp/flashkv-base-bookworm.tar}
BRIDGE=flashkv$$
ENGINE_PID=
NET=(${BUILD_NETWORK:+--network="$BUILD_NETWORK"}) # options of docker build

engine_start() {
    ip link add "$BRIDGE" type bridge 2>>"$WORK/dockerd.log" && ip address add "10.213.$((RANDOM % 256)).1/24" dev "$BRIDGE" &&
        ip link set "$BRIDGE" up || return 1
    /usr/sbin/dockerd --host "$DOCKER_HOST" --data-root "$WORK/data" --exec-root "$WORK/exec" --pidfile "$WORK/pid" \
        --bridge="$BRIDGE" --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false \
        >>"$WORK/dockerd.log" 2>&1 </dev/null &
    ENGINE_PID=$!
    for _ in $(seq 120); do
        if "$DOCKER" info >/dev/null 2>&1; then return 0; fi
        kill -0 $ENGINE_PID 2>/dev/null || return 1
        sleep 0.25
    done
    return 1
}

engine_runs() { # somebody's
    DOCKER=$(command -v docker) && "$DOCKER" info >/dev/null 2>&1 && say 'using the engine that is running'
}

engine_up() {
    if engine_runs; then return; fi
    [ "$(id -u)" = 0 ] || skip 'no engine is running, and only root can start one'
    install_set image
    if engine_runs; then return; fi # its package may have started one
    DOCKER=/usr/bin/docker # of that package, not an older or newer client earlier on PATH
    export DOCKER_HOST=unix://$WORK/docker.sock
    engine_start || skip 'dockerd does not start'
    tar -c -T /dev/null | "$DOCKER" import - probe >/dev/null || skip 'dockerd runs but cannot unpack an image here'
    NET=(--network=host) # builds need the network, and our bridges have no way out
    say "dockerd $("$DOCKER" version -f '{{.Server.Version}}') is up"
}

make_base() { # the root file system of $BASE, as a tar in $BASE_CACHE
    make_root "$WORK/base.tar" && mv "$WORK/base.tar" "$BASE_CACHE"
}

engine_base() {
    if ! "$DOCKER" image inspect "$BASE" >/dev/null 2>&1; then
        if [ ${#NET[@]} = 0 ]; then
            "$DOCKER" pull -q "$BASE" >/dev/null || skip "no $BASE, and no registry to pull it from"
        else
            [ -n "$(find "$BASE_CACHE" -mtime -7 2>/dev/null)" ] || make_base || skip 'the base image could not be made'
            "$DOCKER" import -c 'CMD ["bash"]' "$BASE_CACHE" "$BASE" >/dev/null || skip 'the base image could not be imported'
        fi
    fi
    "$DOCKER" run --rm --network=none "$BASE" true 2>"$WORK/run.err" || {
        cat "$WORK/run.err"
        skip 'this machine cannot run a container'
    }
}

engine_compose() {
    local apt=$WORK/plugin opts
    if "$DOCKER" compose version >/dev/null 2>&1; then return; fi
    mkdir -p "$apt"/{lists/partial,cache/archives/partial,sources} "$DOCKER_CONFIG/cli-plugins"
    apt_sources | awk -v from="$SUITE" -v to="$COMPOSE_SUITE" '$2 == from {
        print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " $1, to, $3; exit }' >"$apt/sources/p.list"
    opts=(-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/sources" -o Dir::State::Lists="$apt/lists"
        -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root)
    (cd "$apt" && apt_quiet "${opts[@]}" update && apt_quiet "${opts[@]}" download "docker-compose/$COMPOSE_SUITE" &&
        dpkg-deb -x docker-compose_*.deb x && cp x/usr/libexec/docker/cli-plugins/docker-compose "$DOCKER_CONFIG/cli-plugins/") ||
        skip 'docker compose could not be had'
    "$DOCKER" compose version >/dev/null 2>&1 || skip 'docker compose does not run here'
}

engine_down() {
    if [ -n "$ENGINE_PID" ]; then
        kill "$ENGINE_PID" 2>/dev/null
        for _ in $(seq 300); do
            kill -0 "$ENGINE_PID" 2>/dev/null || break
            sleep 0.1
        done
    fi
    umount "$WORK/exec/netns/default" 2>/dev/null # dockerd leaves these behind
    ip link delete "$BRIDGE" 2>/dev/null
}
