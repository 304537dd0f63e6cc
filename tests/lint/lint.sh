# Sourced by the lint scripts, which run at the top of the source tree. Reports in TAP.
# shellcheck shell=bash
set -euo pipefail
cd "${srcdir:-$(dirname "$0")/../..}"
checks=0 failures=0

# sources PATTERN...: our files with these names, one per line (no build products, nothing fetched)
sources() {
    local names=() pattern
    for pattern; do names+=(-o -name "$pattern"); done
    find . \( -name '.?*' -o -name node_modules -o -name build-aux -o -name autom4te.cache \
        -o -name 'flashkv-[0-9]*' -o -path ./config.h \) -prune -o -type f \( "${names[@]:1}" \) -print | sed 's|^\./||' | sort
}

# clean NAME COMMAND...: passes if COMMAND finds nothing: exits 0 and prints nothing
clean() {
    local name=$1 findings status=0
    shift
    checks=$((checks + 1))
    findings=$("$@" 2>&1) || status=$?
    if [ -z "$findings" ] && [ "$status" -eq 0 ]; then
        echo "ok $checks - $name"
    else
        failures=$((failures + 1))
        findings=${findings:-exit status $status}
        echo "# ${findings//$'\n'/$'\n'# }"
        echo "not ok $checks - $name"
    fi
}

finish() {
    echo "1..$checks"
    exit $((failures > 0))
}
