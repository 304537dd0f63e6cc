# container.sh - one container, run in the ways people run it; sourced by image-smoke.sh.
# shellcheck shell=bash

HARDENED=(--read-only --cap-drop ALL --security-opt no-new-privileges)

containers_down() {
    local id volume
    for id in $("$DOCKER" ps -aq --filter "label=$PROJECT" 2>/dev/null); do "$DOCKER" rm -f -v "$id" >/dev/null 2>&1; done
    for volume in $("$DOCKER" volume ls -q --filter "label=$PROJECT" 2>/dev/null); do "$DOCKER" volume rm -f "$volume" >/dev/null 2>&1; done
}

start() { # OPTION... [-- FLAG...]: a container with free ports and the password; prints its id
    local options=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    "$DOCKER" run -d --label "$PROJECT" "${PUBLISH[@]}" "${HARDENED[@]}" -e FLASHKV_REQUIREPASS="$PASSWORD" \
        "${options[@]}" "$IMAGE" "${@:2}"
}

PUBLISH=(-p 127.0.0.1:0:8080 -p 127.0.0.1:0:6379)
port_of() { "$DOCKER" port "$1" "$2" | sed 's/.*://'; } # ID PORT
ready() { rest -o /dev/null "http://127.0.0.1:$(port_of "$1" 8080)/readyz"; }
started() { within 20 ready "$1" || fail "$("$DOCKER" logs "$1" 2>&1)"; }
resp() { resp_at "$(port_of "$1" 6379)" "${@:2}"; } # ID COMMAND...
stopped_with() { [ "$(inspect "$1" '{{.State.Status}} {{.State.ExitCode}}')" = "exited $2" ]; }

limits() { # 256 MiB, half a processor
    local id info
    id=$(start --memory 256m --cpus 0.5 -e FLASHKV_MAXMEMORY=75%)
    started "$id"
    info=$(resp "$id" info all | tr -d '\r')
    grep -x 'memory_limit:268435456' <<<"$info"
    grep -x 'maxmemory:201326550' <<<"$info" # three quarters of it, in whole hundredths
    grep -x 'cpu_limit:0.500' <<<"$info"
    grep -x 'resp_threads:1' <<<"$info"
    grep -x 'http_threads:1' <<<"$info"
    rest "http://127.0.0.1:$(port_of "$id" 8080)/stats" | python3 -c 'import json, sys
s = json.load(sys.stdin)
assert s["memory"]["limit"] == 268435456 and s["cpu"]["limit"] == 0.5 and s["cpu"]["http_threads"] == 1, s["cpu"]'
    "$DOCKER" logs "$id" 2>&1 | grep -F 'memory limit 256 MiB (cgroup), 0.50 CPU (cgroup)'
    "$DOCKER" rm -f -v "$id"
}

one_processor() {
    local id
    id=$(start --cpuset-cpus 0)
    started "$id"
    resp "$id" info cpu | tr -d '\r' | grep -x 'processors:1'
    resp "$id" info memory | tr -d '\r' | grep -x 'memory_limit:0'
    "$DOCKER" rm -f -v "$id"
}

# starting, healthy, stopped by a signal: unhealthy, woken: healthy
health() {
    local id
    id=$(start --health-interval 1s --health-retries 1 --health-start-period 2s)
    health_is "$id" starting
    within 20 health_is "$id" healthy
    "$DOCKER" kill -s STOP "$id"
    within 30 health_is "$id" unhealthy
    "$DOCKER" kill -s CONT "$id"
    within 20 health_is "$id" healthy
    "$DOCKER" rm -f -v "$id"
}

hardened() { # and it can do its work all the same
    local id
    id=$(start)
    started "$id"
    expect 'read-only, capabilities' "$(inspect "$id" '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}')" 'true [ALL]'
    resp "$id" set k v
    resp "$id" save
    expect value "$(resp "$id" get k)" v
    if [ -n "$ENGINE_PID" ]; then # process 1 is one of ours: what the kernel says of it
        grep -E '^(CapEff|CapBnd|NoNewPrivs|Uid)' "/proc/$(inspect "$id" '{{.State.Pid}}')/status" | tr -s '\t ' ' ' >"$WORK/status"
        diff "$WORK/status" - <<-'END'
	Uid: 10001 10001 10001 10001
	CapEff: 0000000000000000
	CapBnd: 0000000000000000
	NoNewPrivs: 1
	END
    fi
    "$DOCKER" rm -f -v "$id"
}

sigterm() { # five seconds, else the engine kills it: 137
    local id
    id=$(start)
    started "$id"
    "$DOCKER" stop -t 5 "$id"
    stopped_with "$id" 0
    "$DOCKER" logs "$id" 2>&1 | tail -n 1 | grep '"message":"stopped"'
    "$DOCKER" rm -v "$id"
}

json_log() { # every line
    local id
    id=$(start)
    started "$id"
    "$DOCKER" stop -t 5 "$id"
    "$DOCKER" logs "$id" 2>&1 | python3 -c 'import json, sys
lines = [json.loads(line) for line in sys.stdin]
assert len(lines) > 2 and all(set(("time", "level", "message")) <= set(line) for line in lines), lines'
    "$DOCKER" rm -v "$id"
}

secret_file() {
    local id
    printf 'from-a-file\n' >"$WORK/password"
    id=$("$DOCKER" run -d --label "$PROJECT" "${PUBLISH[@]}" "${HARDENED[@]}" -v "$WORK/password:/run/secrets/password:ro" \
        -e FLASHKV_REQUIREPASS_FILE=/run/secrets/password "$IMAGE")
    started "$id"
    expect 'the right password' "$(redis-cli -p "$(port_of "$id" 6379)" -a from-a-file --no-auth-warning ping)" PONG
    redis-cli -p "$(port_of "$id" 6379)" ping | grep NOAUTH
    ! inspect "$id" '{{json .}}' | grep from-a-file || fail 'docker inspect shows it'
    ! "$DOCKER" logs "$id" 2>&1 | grep from-a-file || fail 'the log shows it'
    "$DOCKER" rm -f -v "$id"
}

# Every address of the container is listened on: not without a password, unless that is said to be meant.
no_password() {
    local id
    id=$("$DOCKER" run -d --label "$PROJECT" "${PUBLISH[@]}" "$IMAGE")
    within 10 stopped_with "$id" 2
    "$DOCKER" logs "$id" 2>&1 | grep 'FLASHKV_OPEN=yes'
    "$DOCKER" rm -v "$id"
    id=$("$DOCKER" run -d --label "$PROJECT" "${PUBLISH[@]}" -e FLASHKV_OPEN=yes "$IMAGE")
    started "$id"
    expect 'PING without a password' "$(redis-cli -p "$(port_of "$id" 6379)" ping)" PONG
    "$DOCKER" rm -f -v "$id"
}

# Without a proxy; the health check speaks TLS then.
own_tls() {
    local id
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$WORK/key.pem" -out "$WORK/cert.pem"
    chmod 644 "$WORK/key.pem" # the container's user is another
    id=$(start --health-interval 1s -v "$WORK/cert.pem:/run/secrets/cert.pem:ro" -v "$WORK/key.pem:/run/secrets/key.pem:ro" \
        -e FLASHKV_TLS_CERT=/run/secrets/cert.pem -e FLASHKV_TLS_KEY=/run/secrets/key.pem)
    within 20 health_is "$id" healthy
    rest --cacert "$WORK/cert.pem" "https://localhost:$(port_of "$id" 8080)/healthz"
    expect 'PING by TLS' "$(resp "$id" --tls --cacert "$WORK/cert.pem" ping)" PONG
    "$DOCKER" rm -f -v "$id"
}

named_volume() { # outlives its container
    local id volume=$PROJECT-data
    "$DOCKER" volume create --label "$PROJECT" "$volume"
    id=$(start -v "$volume:/data")
    started "$id"
    resp "$id" set k kept
    "$DOCKER" stop -t 5 "$id"
    "$DOCKER" rm "$id"
    id=$(start -v "$volume:/data")
    started "$id"
    expect 'in another container' "$(resp "$id" get k)" kept
    "$DOCKER" rm -f -v "$id"
    expect 'owner and mode of /data' "$("$DOCKER" run --rm --network=none -v "$volume:/data" --entrypoint /usr/bin/stat "$IMAGE-debug" -c '%u:%g %a' /data)" '10001:10001 700'
}

bind_mount() { # one's own folder, and a folder of somebody else
    local id
    mkdir "$WORK/mine"
    chown 10001:10001 "$WORK/mine"
    id=$(start -v "$WORK/mine:/data")
    started "$id"
    resp "$id" set k v
    "$DOCKER" stop -t 5 "$id"
    "$DOCKER" rm "$id"
    expect 'owner of the secret' "$(stat -c '%u:%g %a' "$WORK/mine/secret")" '10001:10001 600'
    mkdir -m 755 "$WORK/foreign"
    id=$(start -v "$WORK/foreign:/data")
    within 10 stopped_with "$id" 1
    "$DOCKER" logs "$id" 2>&1 | grep '/data.*Permission denied'
    "$DOCKER" rm "$id"
}

check_containers() {
    check 'limits of memory and CPU are seen' limits
    check 'a processor of its own is seen' one_processor
    check 'health turns: starting, healthy, unhealthy, healthy' health
    check 'read-only, no capabilities, no new privileges, not root' hardened
    check 'SIGTERM to process 1 ends it with status 0' sigterm
    check 'the log is JSON' json_log
    check 'a password from a file, which nobody else sees' secret_file
    check 'without a password it does not start, unless that is meant' no_password
    check 'TLS of its own, and healthy with it' own_tls
    check 'a named volume keeps the data' named_volume
    check 'a bind mount keeps them too, or says why not' bind_mount
}
