#!/usr/bin/env bash
# Arrows point down only, seen in the includes (make check proves the same of the calls, by linking).
# A public header belongs to the layer whose sources.am lists it.
. "$(dirname "$0")/lint.sh"

# layer: the layers whose headers it may include
declare -A below=(
    [base]=""
    [store]="base"
    [config]="base"
    [persist]="base store"
    [pubsub]="base store"
    [command]="base config store persist pubsub"
    [resp]="base config command"
    [http]="base config command"
)
# header with a rule of its own: the layers that may know of it
declare -A users=(
    [flashkv/blob]="store persist pubsub command resp http"
    [microhttpd]="http"
    [jansson]="config http"
    [xxhash]="store"
)

owner_of() { # HEADER as written in the #include
    case $1 in
    flashkv/*) grep -lE "include/$1( |\\\\|\$)" src/*/sources.am | cut -d/ -f2 ;;
    */*) echo "${1%%/*}" ;;
    esac
}

check_include() { # LAYER FILE HEADER
    local layer=$1 file=$2 header=$3 owner name=${3%.h}
    owner=$(owner_of "$header")
    if [ -n "${users[$name]+known}" ]; then
        [[ " ${users[$name]} " == *" $layer "* ]] || echo "$file: $layer may not use $header"
    elif [[ $header == flashkv/* && -z $owner ]]; then
        echo "$file: no sources.am lists include/$header"
    elif [ -n "$owner" ] && [ -n "${below[$owner]+known}" ]; then
        [[ " $layer ${below[$layer]} " == *" $owner "* ]] || echo "$file: $layer may not include $header, of $owner"
    fi
}

check_layer() {
    local layer=$1 file header
    for file in $(grep -oE 'include/flashkv/[a-z0-9_]+\.h' "src/$layer/sources.am") "src/$layer"/*.[ch]; do
        [ -e "$file" ] || continue
        while read -r header; do
            check_include "$layer" "$file" "$header"
        done < <(sed -nE 's/^ *# *include *[<"]([^>"]+)[>"].*/\1/p' "$file")
    done
}

folders_without_rule() {
    local folder
    for folder in src/*/; do
        folder=$(basename "$folder")
        [ -n "${below[$folder]+known}" ] || echo "src/$folder: no row in $0"
    done
}

for layer in base store config persist pubsub command resp http; do
    clean "src/$layer includes only what is below it" check_layer "$layer"
done
clean "every folder of src has its row" folders_without_rule
finish
