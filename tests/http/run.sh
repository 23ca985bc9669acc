#!/bin/sh
# The tests against a real httpd. Skipped where their tools are missing.
if ! "$PYTHON" -c 'import pytest, requests, lxml, aiosmtpd' 2>/dev/null; then
    echo "Python 3 with pytest, requests, lxml and aiosmtpd is not installed"
    exit 77
fi
if [ ! -x "$QLM_HTTPD" ] || ! command -v xmlsec1 >/dev/null; then
    echo "an httpd ($QLM_HTTPD) and xmlsec1 are needed"
    exit 77
fi
# Many tests wait more than they work: files are played by several processes, each with sites of its
# own, where pytest-xdist is installed.
workers=
if "$PYTHON" -c 'import xdist' 2>/dev/null; then
    workers="-n ${QLM_TEST_WORKERS:-4} --dist loadfile"
fi
COLUMNS=200 exec "$PYTHON" -m pytest -p no:cacheprovider -ra $workers "$srcdir/http" "$@"
