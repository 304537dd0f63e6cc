#!/bin/sh
# Writes a C file that holds a file's bytes: embed.sh INPUT NAME >OUTPUT
set -eu
printf '/* Made from %s by src/http/embed.sh. */\n#include "http/embedded.h"\n\nconst char %s[] = {\n' "${1##*/}" "$2"
od -An -v -tx1 "$1" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
printf '};\nconst size_t %s_len = sizeof(%s);\n' "$2" "$2"
