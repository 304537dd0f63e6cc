#!/bin/sh
# gather.sh BINARY FOLDER: lays out in FOLDER the root of an image that runs BINARY: itself, the libraries it loads,
# CA certificates (TLS to the outside, and clients that look for them), a passwd and a group line, an empty /data.
set -eu

binary=$1
root=$2

install -D -m 755 "$binary" "$root/usr/bin/flashkv"
strip "$root/usr/bin/flashkv"
# Each library at the path the loader will look for it; the loader itself too. (What looks names up is in the C library
# itself since glibc 2.34.)
ldd "$binary" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
    install -D -m 755 "$library" "$root$library"
done
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
mkdir -p "$root/etc" "$root/tmp"
echo 'flashkv:x:10001:10001:FlashKV:/data:/nonexistent' >"$root/etc/passwd"
echo 'flashkv:x:10001:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
chmod 1777 "$root/tmp"
install -d -m 700 -o 10001 -g 10001 "$root/data"
