#!/usr/bin/env bash
# The option tables of README.md and flashkv.1 are what the binary prints of its own table:
#
#   README.md   <!-- options --> ... <!-- /options -->
#   flashkv.1   .\" options      ... .\" /options
#
# With --write, puts them in. The binary is $FLASHKV, or ./flashkv of the folder this is started from.
flashkv=$(realpath "${FLASHKV:-flashkv}")
. "$(dirname "$0")/lint.sh"

readme() { "$flashkv" --help-markdown; }

# | `--http-port` | `FLASHKV_HTTP_PORT` | 8080 | 0 to 65535 | Port ... |
manual() {
    readme | tr -d '`' | awk -F ' *[|] *' '
        function roff(text) { gsub(/-/, "\\-", text); return text }
        /^[|] --/ {
            print ".TP\n.BI " roff($2) "= value"
            print roff($6) "."
            print "Values: " roff($5) "; default: " ($4 == "" ? "none" : roff($4)) "."
            print "Environment:\n.BR " $3 " ."
        }'
}

# between FILE BEGIN END: the lines between the two markers, which have to be there
between() { # ENVIRON, since -v would take the backslashes
    BEGIN=$2 END=$3 awk '
        $0 == ENVIRON["END"] { closed = inside; inside = 0 }
        inside { print }
        $0 == ENVIRON["BEGIN"] { inside = 1 }
        END { if (!closed) print "no lines \"" ENVIRON["BEGIN"] "\" and \"" ENVIRON["END"] "\"" }' "$1"
}

same() { # FILE BEGIN END PRINTER
    local text
    text=$("$4") && diff <(between "$1" "$2" "$3") - <<<"$text" ||
        echo "$1: the options differ (<) from what $flashkv has (>): run $0 --write"
}

write() { # FILE BEGIN END PRINTER
    local text new
    text=$("$4")
    new=$(BEGIN=$2 END=$3 TEXT=$text awk '
        $0 == ENVIRON["END"] { inside = 0 }
        !inside { print }
        $0 == ENVIRON["BEGIN"] { print ENVIRON["TEXT"]; inside = 1 }' "$1")
    printf '%s\n' "$new" >"$1"
}

in_readme=(README.md '<!-- options -->' '<!-- /options -->' readme)
in_manual=(flashkv.1 '.\" options' '.\" /options' manual)

if [ "${1:-}" = --write ]; then
    [ ! -e README.md ] || write "${in_readme[@]}"
    write "${in_manual[@]}"
    exit
fi
[ ! -e README.md ] || clean "README.md has the options as they are" same "${in_readme[@]}"
clean "flashkv.1 has the options as they are" same "${in_manual[@]}"
finish
