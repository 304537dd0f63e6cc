#!/usr/bin/env bash
# The binary is what makes exploiting a bug in it hard: position independent, all relocations done and read-only before main, no
# memory both writable and executable, stack canaries, and checked copies (_FORTIFY_SOURCE), which sanitizers and debug builds are
# without. Looks at the file, not at the flags. The binary is $FLASHKV, or ./flashkv of the folder this is started from.
flashkv=$(realpath "${FLASHKV:-flashkv}")
. "$(dirname "$0")/lint.sh"

has() { # PATTERN READELF-OPTION...
    local pattern=$1 text
    shift
    text=$(readelf -W "$@" "$flashkv")
    grep -qE -- "$pattern" <<<"$text" || echo "no $pattern in readelf $*"
}

has_not() { # PATTERN READELF-OPTION...
    [ -n "$(has "$@")" ] || echo "$1 is there, in readelf ${*:2}"
}

fortified() {
    grep -qE '__(asan|tsan)_init|lock_rank_check' <<<"$(readelf -Ws "$flashkv")" || has '__(memcpy|snprintf|vsnprintf)_chk' --dyn-syms
}

clean "a position independent executable" has '^  Type: +DYN' -h
clean "relocations are read-only" has '^  GNU_RELRO ' -l
clean "all of them before main" has 'Flags:.* NOW' -d
clean "no executable stack" has '^  GNU_STACK .* RW +0x' -l
clean "no segment is writable and executable" has_not '^  LOAD .* RWE ' -l
clean "no path of its own to libraries" has_not 'RPATH|RUNPATH' -d
clean "stack canaries" has '__stack_chk_fail' --dyn-syms
clean "checked copies" fortified
finish
