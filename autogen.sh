#!/bin/sh
# Make ./configure from configure.ac; needs autoconf and automake.
set -eu
cd "$(dirname "$0")"
mkdir -p m4 build-aux
exec autoreconf --install --warnings=all,no-obsolete "$@"
