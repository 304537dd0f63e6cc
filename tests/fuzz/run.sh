#!/usr/bin/env bash
# Fuzzes each of FUZZ_PROGRAMS for FUZZ_SECONDS (60), two at a time, from the seeds on; FUZZ_SEED other than 0 takes the same way
# each time. Leaks are not looked for: the hash table packs addresses into slots, where LeakSanitizer does not see
# them (the unit tests, which free all, look for leaks). TAP; what failed is left in the build tree.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
seconds=${FUZZ_SECONDS:-60}
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
export ASAN_OPTIONS=detect_leaks=0

fuzz() { # NAME PROGRAM: its exit status is in fuzz-NAME.status
    mkdir -p "$found/$1"
    # What is told to administrators on stderr is not wanted a million times.
    "./$2" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -seed="${FUZZ_SEED:-0}" -dict="$here/fuzz.dict" \
        -print_final_stats=1 -close_fd_mask=2 -artifact_prefix="fuzz-$1-" "$found/$1" "$here/corpus/$1" >"fuzz-$1.txt" 2>&1
    echo $? >"fuzz-$1.status"
}

names=()
for program in ${FUZZ_PROGRAMS:?}; do
    name=${program##*/fuzz_}
    names+=("$name")
    [ "$(jobs -rp | wc -l)" -lt 2 ] || wait -n
    fuzz "$name" "$program" &
done
wait

count=0 failures=0
for name in "${names[@]}"; do
    count=$((count + 1))
    if [ "$(cat "fuzz-$name.status")" = 0 ]; then
        echo "ok $count - $name, $seconds s: $(awk '/number_of_executed_units/ { print $2 }' "fuzz-$name.txt") inputs"
    else
        failures=$((failures + 1))
        tail -n 40 "fuzz-$name.txt" | sed 's/^/# /'
        echo "not ok $count - $name"
    fi
done
echo "1..$count"
exit $((failures > 0))
