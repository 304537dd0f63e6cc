#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2317 # $ of RESP; check calls the functions
# redis-cli in its modes, redis-benchmark and curl against the real binary: what people poke a server with.
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
resp=$(sed -n 's/.*resp on [^,]*:\([0-9]*\),.*/\1/p' "$work/log")
cli() { timeout 60 redis-cli -p "$resp" "$@"; }

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
has() { grep -q -- "$2" <<<"$1" || { echo "no '$2' in: $1"; return 1; }; }

plain() { is "$(cli set k v) $(cli get k) $(cli --no-raw ttl k)" "OK v (integer) -1"; }
resp3() { is "$(cli -3 --no-raw hello 3 | grep -c '=>')" 7; }
interactive() { # on a terminal: the help that COMMAND DOCS feeds, and two commands
    local out
    out=$(timeout 20 python3 "$(dirname "$0")/terminal.py" redis-cli -p "$resp" -- 'help get' 'set typed yes' 'get typed' quit)
    has "$out" "Returns the string of a key" && has "$out" '"yes"'
}
scan() {
    for i in $(seq 500); do echo "set scan:$i x"; done | cli >/dev/null
    is "$(cli --scan --pattern 'scan:*' | sort -u | wc -l)" 500
}
stat() { has "$(timeout 2 stdbuf -oL redis-cli -p "$resp" --stat -i 0.1)" "requests"; }
latency() { has "$(timeout 2 redis-cli -p "$resp" --raw --latency -i 1)" "."; }
pipe() {
    local out
    out=$(for i in $(seq 20000); do printf '*3\r\n$3\r\nSET\r\n$%d\r\np%d\r\n$1\r\nx\r\n' $((${#i} + 1)) "$i"; done | cli --pipe)
    has "$out" "errors: 0, replies: 20000" && is "$(cli get p20000)" x
}
bigkeys() { has "$(cli --bigkeys)" "Biggest string found"; }
benchmark() {
    local out
    out=$(timeout 120 redis-benchmark -p "$resp" -n 20000 -P "$1" -q -t ping_inline,ping_mbulk,set,get,incr,lpush,rpush,lpop,rpop,lrange_100,mset)
    is "$(tr '\r' '\n' <<<"$out" | grep -c 'requests per second, p50')" 12 && ! grep -qi error <<<"$out"
}
curl_round() {
    local url=http://127.0.0.1:$http/keys/curl
    is "$(curl -sf -w '%{http_code}' -X PUT --data-binary @"$flashkv" "$url")" 201 &&
        curl -sf "$url" | cmp - "$flashkv" &&
        is "$(curl -s -o /dev/null -w '%{http_code}' -H "If-None-Match: $(curl -sfI "$url" | sed -n 's/ETag: \(.*\)\r/\1/p')" "$url")" 304
}
check_ready() { "$flashkv" --check --http-port="$http"; }

ends() { kill "$server" && wait "$server" && grep -q stopped "$work/log"; }

echo 1..13
check "redis-cli, one command" plain
check "redis-cli -3" resp3
check "redis-cli, interactive with help" interactive
check "redis-cli --scan" scan
check "redis-cli --stat" stat
check "redis-cli --latency" latency
check "redis-cli --pipe" pipe
check "redis-cli --bigkeys" bigkeys
check "redis-benchmark" benchmark 1
check "redis-benchmark -P 16" benchmark 16
check "curl: a file up and down, and not again" curl_round
check "flashkv --check" check_ready
check "the server is still there, and ends cleanly" ends
exit $failed
