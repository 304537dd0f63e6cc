#!/usr/bin/env bash
# The Dockerfiles are sound, and the compose files are what the compose specification allows, by linters that
# tests/node/package.json names (./dev installs them).
. "$(dirname "$0")/lint.sh"

bin=tests/node/node_modules/.bin
mapfile -t dockerfiles < <(sources Dockerfile)
mapfile -t stacks < <(sources 'compose*.yaml')
if [ ${#dockerfiles[@]} -eq 0 ] || [ ${#stacks[@]} -eq 0 ]; then
    echo "Bail out! no files found"
    exit 1
fi

each_dockerfile() { # all of them, whatever is found
    local file status=0
    for file in "${dockerfiles[@]}"; do
        "$bin/dockerfile-utils" lint "$file" || { echo "in $file" && status=1; }
    done
    return "$status"
}

clean "dockerfile-utils agrees" each_dockerfile
clean "dclint agrees" "$bin/dclint" --max-warnings 0 --config tests/lint/dclint.json "${stacks[@]}"
finish
