#!/usr/bin/env bash
# Fuzzes each of FUZZ_PROGRAMS for FUZZ_SECONDS (60), from the seeds on; FUZZ_SEED other than 0 takes the same way
# each time. Leaks are not looked for: the hash table packs addresses into slots, where LeakSanitizer does not see
# them (the unit tests, which free all, look for leaks). TAP; what failed is left in the build tree.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
seconds=${FUZZ_SECONDS:-60}
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
count=0 failures=0
export ASAN_OPTIONS=detect_leaks=0

for program in ${FUZZ_PROGRAMS:?}; do
    name=${program##*/fuzz_}
    count=$((count + 1))
    mkdir "$found/$name"
    if "./$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -seed="${FUZZ_SEED:-0}" -dict="$here/fuzz.dict" -print_final_stats=1 \
        -artifact_prefix="fuzz-$name-" "$found/$name" "$here/corpus/$name" >"fuzz-$name.txt" 2>&1; then
        echo "ok $count - $name, $seconds s: $(awk '/number_of_executed_units/ { print $2 }' "fuzz-$name.txt") inputs"
    else
        failures=$((failures + 1))
        tail -n 40 "fuzz-$name.txt" | sed 's/^/# /'
        echo "not ok $count - $name"
    fi
done
echo "1..$count"
exit $((failures > 0))
