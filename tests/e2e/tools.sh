#!/usr/bin/env bash
# shellcheck disable=SC2317 # check calls the functions
# curl, --check and a SIGTERM against the real binary: what people poke a server with (redis-cli has redis_cli.py).
set -uo pipefail
flashkv=${FLASHKV:-./flashkv}
work=$(mktemp -d)
"$flashkv" --http-port=0 --resp-port=0 2>"$work/log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 500); do
    grep -q ready: "$work/log" && break
    sleep 0.01
done
http=$(sed -n 's/.*ready: http on [^,]*:\([0-9]*\),.*/\1/p' "$work/log")
n=0 failed=0
check() { # NAME COMMAND...: one TAP line
    local name=$1
    shift
    n=$((n + 1))
    if "$@" >"$work/out" 2>&1; then echo "ok $n - $name"; else
        echo "not ok $n - $name"
        sed 's/^/# /' "$work/out"
        failed=1
    fi
}
is() { [ "$1" == "$2" ] || { echo "got: $1"; echo "want: $2"; return 1; }; }

curl_round() {
    local url=http://127.0.0.1:$http/keys/curl
    is "$(curl -sf -w '%{http_code}' -X PUT --data-binary @"$flashkv" "$url")" 201 &&
        curl -sf "$url" | cmp - "$flashkv" &&
        is "$(curl -s -o /dev/null -w '%{http_code}' -H "If-None-Match: $(curl -sfI "$url" | sed -n 's/ETag: \(.*\)\r/\1/p')" "$url")" 304
}
check_ready() { "$flashkv" --check --http-port="$http"; }

ends() { kill "$server" && wait "$server" && grep -q stopped "$work/log"; }

echo 1..3
check "curl: a file up and down, and not again" curl_round
check "flashkv --check" check_ready
check "the server is still there, and ends cleanly" ends
exit $failed
