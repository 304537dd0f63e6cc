# debian.sh - Debian from this machine's own apt sources, whatever mirror they name; sourced by engine.sh and cross-arm64.sh.
#
# The caller supplies skip and the folder $WORK; what apt says is in $WORK/apt.log.
# shellcheck shell=bash

SUITE=bookworm

apt_quiet() { # ARGUMENT...: apt-get, its output kept for whoever asks why
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@" >>"$WORK/apt.log" 2>&1 </dev/null
}

# What deps.txt lists under a name and is not there.
install_set() { # SET
    local group package probe _ packages=()
    while read -r group package probe _; do
        [ "$group" != "$1" ] || command -v "$probe" >/dev/null || packages+=("$package")
    done <deps.txt
    [ ${#packages[@]} -gt 0 ] || return 0
    { apt_quiet update && apt_quiet install --no-install-recommends "${packages[@]}"; } ||
        skip "these could not be installed: ${packages[*]}"
}

# The sources, a line each: REPOSITORY SUITE COMPONENT.
apt_sources() {
    # shellcheck disable=SC2016 # apt's own placeholders
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages'
}

# A root file system with documents and translations left out; dpkg does not wait for the disk in it.
make_root() { # TARGET (a folder or a .tar) OPTION...
    apt_sources | awk -v suite="$SUITE" '$2 ~ "^" suite {
        print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " $1, $2, $3 }' | sort -u >"$WORK/sources"
    mmdebstrap --quiet --variant=minbase --include=usr-is-merged \
        --hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr \
        --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' \
        --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        "${@:2}" "$SUITE" "$1" - <"$WORK/sources" >>"$WORK/apt.log" 2>&1
}
