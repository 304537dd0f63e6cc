# stack.sh - the compose stacks, through their published ports, and README's commands; sourced by image-smoke.sh.
# shellcheck shell=bash

STACK=docker/compose.yaml # the one that is up, or being looked at
UP=()                     # those to take down at the end
export FLASHKV_IMAGE=$IMAGE HTTP_PORT=0 RESP_PORT=0 APP_PORT=0 PROMETHEUS_PORT=0 HTTPS_PORT=0 UPSTASH_PORT=0

compose() { "$DOCKER" compose -p "$PROJECT" -f "$STACK" "$@" </dev/null; }
up() { compose up -d --no-build --wait --wait-timeout 60 "$@" || { compose logs --no-color; fail 'compose up'; }; }
port() { compose port "$1" "$2" | sed 's/.*://'; } # SERVICE PORT
id_of() { compose ps -aq "$1"; }
flashkv() { resp_at "$(port flashkv 6379)" "$@"; } # COMMAND...

stacks_down() {
    for STACK in "${UP[@]}"; do compose down -v -t 5 >/dev/null 2>&1; done
}

both_ports() {
    local http
    http=http://127.0.0.1:$(port flashkv 8080)
    rest -X PUT -d hello -o /dev/null "$http/keys/greeting"
    expect 'GET' "$(rest "$http/keys/greeting")" hello
    expect 'redis-cli get' "$(flashkv get greeting)" hello
    expect 'without the password' "$(curl -s -o /dev/null -w '%{http_code}' "$http/keys/greeting")" 401
}

through_tls() { # nginx's certificate is for localhost, and of its own making
    local https
    https=https://localhost:$(port proxy 8443)
    expect GET "$(rest -k "$https/keys/greeting")" hello
    expect 'protocol, key with a slash' "$(rest -k -X PUT -d x -o /dev/null -w '%{scheme} %{http_code}' "$https/keys/a%2Fb")" 'HTTPS 201'
    expect 'that key' "$(flashkv get a/b)" x
}

application() { # one Redis client, one over HTTP
    local app
    app=http://127.0.0.1:$(port app 8000)
    curl -sf -m 10 -X PUT -d page "$app/page"
    curl -sf -m 10 "$app/" | grep '"visits": 1, "page": "page"'
    expect 'the counter' "$(flashkv get visits)" 1
}

sees_keys() {
    curl -sf -m 5 "http://127.0.0.1:$(port prometheus 9090)/api/v1/query?query=flashkv_keys" | grep '"value":\[.*"[1-9]'
}
scraped() { within 20 sees_keys; }

# By its service's name, from another container: the image has no resolver of its own but the C library's.
found_by_name() { "$DOCKER" run --rm --network "${PROJECT}_default" -e FLASHKV_BIND=flashkv "$IMAGE" --check; }

hardened_stack() { # SERVICE...
    local s
    for s; do
        expect "$s" "$(inspect "$(id_of "$s")" '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}')" 'true [ALL] [no-new-privileges:true]'
    done
}

restarted() {
    compose restart -t 10 flashkv
    within 20 health_is "$(id_of flashkv)" healthy
    expect 'the value' "$(flashkv get greeting)" hello
}

on_disk() { flashkv info persistence | tr -d '\r' | grep -x 'aof_buffer_length:0'; }
restarts() { [ "$(inspect "$1" '{{.RestartCount}}')" -gt 0 ]; }

# Killed from outside, as a crash or the kernel would: the engine starts it again. An engine that is not ours may be on
# another machine; it is told to kill, which it takes for the user's wish, and to start.
killed() {
    local id
    id=$(id_of flashkv)
    flashkv set kept yes
    within 10 on_disk
    if [ -n "$ENGINE_PID" ]; then
        kill -KILL "$(inspect "$id" '{{.State.Pid}}')"
        within 20 restarts "$id"
    else
        "$DOCKER" kill -s KILL "$id"
        "$DOCKER" start "$id"
    fi
    within 20 health_is "$id" healthy
    expect 'the value' "$(flashkv get kept)" yes
}

ends_cleanly() {
    local id
    id=$(id_of flashkv)
    compose stop -t 10
    expect 'exit status' "$(inspect "$id" '{{.State.ExitCode}}')" 0
}

upstash() {
    local url
    url=http://127.0.0.1:$(port redis 8079)
    expect 'POST /' "$(rest -d '["SET","k","v"]' "$url/")" '{"result":"OK"}'
    expect 'POST /pipeline' "$(rest -d '[["GET","k"],["INCR","n"]]' "$url/pipeline")" '[{"result":"v"},{"result":1}]'
    expect 'redis-cli' "$(resp_at "$(port redis 6379)" get k)" v
    expect 'without the token' "$(curl -s -o /dev/null -w '%{http_code}' -d '["GET","k"]' "$url/")" 401
}

taken_port() { # prints the first of README's ports that somebody listens on
    local port
    for port in 8080 6379 8000 9090 8443; do
        if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port" && return; fi
    done
    return 1
}

# With `docker` as the engine's client. What the example's images are built of needs the network, and the engine's own
# networks have no way out: they have been built before, and compose finds them.
readme() {
    cat >"$WORK/bin/docker" <<-END
	#!/bin/bash
	[ "\$1" != build ] || set -- build --network=host "\${@:2}"
	[ "\$1" != compose ] || set -- "\${@/--build/--no-build}"
	exec "$DOCKER" "\$@"
	END
    chmod +x "$WORK/bin/docker"
    env -u FLASHKV_IMAGE -u HTTP_PORT -u RESP_PORT -u APP_PORT -u PROMETHEUS_PORT -u HTTPS_PORT -u UPSTASH_PORT \
        PATH="$WORK/bin:$PATH" python3 tests/e2e/examples.py 'In a container'
}

check_readme() {
    local taken
    if [ -z "$ENGINE_PID" ]; then
        echo "SKIP: image-smoke: README's commands: the engine is not ours"
    elif taken=$(taken_port); then
        echo "SKIP: image-smoke: README's commands: somebody listens on port $taken"
    else
        check "README's commands" readme
    fi
}

check_stacks() {
    UP=(docker/compose.yaml)
    if check 'compose.yaml is up' up; then
        check 'both ports' both_ports
        check 'nginx with TLS' through_tls
        check 'the application' application
        check 'Prometheus scrapes' scraped
        check 'another container finds it by its name' found_by_name
        check 'read-only, no capabilities, no new privileges' hardened_stack flashkv app proxy
        check 'the data survive a restart' restarted
        check 'the data survive kill -9, and it comes back by itself' killed
        check 'it ends cleanly' ends_cleanly
    fi
    compose down -v -t 5 >/dev/null 2>&1
    STACK=docker/compose.upstash.yaml
    UP=("$STACK")
    if check 'compose.upstash.yaml is up' up; then
        check "Upstash's protocol and Redis's, in one service" upstash
    fi
    compose down -v -t 5 >/dev/null 2>&1
    UP=()
    check_readme
}
