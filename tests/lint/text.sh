#!/usr/bin/env bash
# Scripts pass shellcheck; no text ends a line in white space.
. "$(dirname "$0")/lint.sh"

mapfile -t scripts < <(sources '*.sh' dev; find .ci -type f 2>/dev/null || true)
mapfile -t texts < <(sources '*.[ch]' '*.am' '*.ac' '*.sh' '*.mjs' '*.js' '*.py' '*.md' '*.yaml' '*.json' '*.1' dev)
if [ ${#scripts[@]} -eq 0 ] || [ ${#texts[@]} -eq 0 ]; then
    echo "Bail out! no files found"
    exit 1
fi

trailing_space() { ! grep -nE '[[:space:]]+$' "${texts[@]}"; }

# SC2317: functions that a name is called by look unreachable to it
clean "shellcheck agrees" shellcheck --external-sources --source-path=SCRIPTDIR --exclude=SC2317 "${scripts[@]}"
clean "no white space at the end of a line" trailing_space
finish
