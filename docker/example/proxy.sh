#!/bin/sh
# nginx with a certificate of its own making: mount a real one over /tmp in production.
set -eu
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout /tmp/key.pem -out /tmp/certificate.pem 2>/dev/null
exec nginx
