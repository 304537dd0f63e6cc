#!/bin/sh
# nginx with a certificate of its own making: mount a real one over /tmp in production.
set -eu
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout /tmp/key.pem -out /tmp/certificate.pem 2>/dev/null
exec nginx
