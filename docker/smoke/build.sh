# build.sh - the images are built, and hold what they should; sourced by image-smoke.sh.
# shellcheck shell=bash

SIZE_MAX=15000000
EXAMPLES=(app prometheus proxy)

build() { # STAGE TAG
    "$DOCKER" build "${NET[@]}" --progress=plain -f docker/Dockerfile --build-arg REVISION=smoke --target "$1" -t "$2" .
}

build_examples() { # named as compose calls the images of its services
    local target
    for target in "${EXAMPLES[@]}"; do
        "$DOCKER" build "${NET[@]}" --progress=plain -f docker/example/Dockerfile --target "$target" -t "$PROJECT-$target" docker/example
        "$DOCKER" tag "$PROJECT-$target" "flashkv-example-$target"
    done
}

size() {
    local bytes
    bytes=$("$DOCKER" image inspect -f '{{.Size}}' "$IMAGE")
    echo "image: $bytes bytes" >"$WORK/size"
    [ "$bytes" -le $SIZE_MAX ] || fail "$bytes bytes, at most $SIZE_MAX"
}

# Everything in the image but libraries, by what `docker export` writes.
contents() {
    local id
    id=$("$DOCKER" create "$IMAGE")
    "$DOCKER" export "$id" | tar -tf - | grep -v '/$' | grep -vE '^(dev|proc|sys)/|^\.dockerenv$|^etc/(hostname|hosts|resolv\.conf|mtab)$' |
        grep -vE '^(usr/)?lib(64)?/.*\.so(\.[0-9]+)*$' | sort >"$WORK/contents"
    "$DOCKER" rm "$id"
    diff "$WORK/contents" - <<-'END'
	etc/group
	etc/nsswitch.conf
	etc/passwd
	etc/ssl/certs/ca-certificates.crt
	usr/bin/flashkv
	END
}

config() { # what the image says of itself
    local version
    version=$("$DOCKER" run --rm --network=none "$IMAGE" --version)
    expect user "$("$DOCKER" image inspect -f '{{.Config.User}}' "$IMAGE")" 10001:10001
    expect healthcheck "$("$DOCKER" image inspect -f '{{json .Config.Healthcheck.Test}}' "$IMAGE")" '["CMD","/usr/bin/flashkv","--check"]'
    expect volume "$("$DOCKER" image inspect -f '{{json .Config.Volumes}}' "$IMAGE")" '{"/data":{}}'
    expect 'label version' "flashkv $(label version)" "$version"
    expect 'label revision' "$(label revision)" smoke
    expect 'label licenses' "$(label licenses)" MIT
    [ -n "$(label title)" ] && [ -n "$(label description)" ]
}

label() { "$DOCKER" image inspect -f "{{index .Config.Labels \"org.opencontainers.image.$1\"}}" "$IMAGE"; }

no_shell() {
    local shell
    for shell in /bin/sh /bin/bash /bin/dash /usr/bin/sh /usr/bin/bash /bin/busybox sh; do
        ! "$DOCKER" run --rm --network=none --entrypoint "$shell" "$IMAGE" -c true 2>/dev/null || fail "$shell runs"
    done
}

debug_target() {
    "$DOCKER" run --rm --network=none --entrypoint /bin/sh "$IMAGE-debug" -c 'redis-cli --version && curl --version && flashkv --version'
    expect 'its user' "$("$DOCKER" run --rm --network=none --entrypoint /usr/bin/id "$IMAGE-debug" -u)" 10001
}

check_build() {
    local examples status=0
    (set -e && build_examples) >"$WORK/examples.log" 2>&1 &
    examples=$!
    check 'docker build' build image "$IMAGE" && check 'docker build --target debug' build debug "$IMAGE-debug" || status=1
    wait $examples || {
        check 'docker build of the examples' fail "$(tail -n 40 "$WORK/examples.log")"
        status=1
    }
    [ $status -eq 0 ] || return 1
    check 'at most 15 MB' size
    cat "$WORK/size"
    check 'libraries, the binary, certificates, passwd, nothing else' contents
    check 'user, health check, volume, labels' config
    check 'no shell' no_shell
    check 'the debug target has one' debug_target
    return 0
}
