#!/usr/bin/env bash
# What every C file keeps to: no banned function, bounded length, the one format.
. "$(dirname "$0")/lint.sh"

max_function=80
max_file=800
banned='strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll'

mapfile -t files < <(sources '*.c' '*.h')
[ ${#files[@]} -gt 0 ] || { echo "Bail out! no C files found"; exit 1; }

banned_calls() { ! grep -nE "\\b($banned) *\(" "${files[@]}"; }

long_files() {
    wc -l "${files[@]}" | awk -v max="$max_file" '$2 != "total" && $1 > max { print $2 ": " $1 " lines, at most " max }'
}

long_functions() {
    ctags --languages=C --langmap=C:.c.h --c-kinds=f --fields=+ne -o - "${files[@]}" |
        awk -F'\t' -v max="$max_function" '
        {
            functions++
            for (i = 4; i <= NF; i++)
                if (split($i, field, ":") == 2) at[field[1]] = field[2]
            lines = at["end"] - at["line"] + 1
            if (lines > max) print $2 ":" at["line"] ": " $1 " has " lines " lines, at most " max
        }
        END { if (!functions) print "ctags saw no function at all" }'
}

named_config_h() { ! printf '%s\n' "${files[@]}" | grep '/config\.h$'; }

clean "no banned function" banned_calls
clean "no file over $max_file lines" long_files
clean "no function over $max_function lines" long_functions
clean "no header of ours is called config.h" named_config_h
clean "clang-format agrees" clang-format --dry-run -Werror "${files[@]}"
finish
