#!/bin/sh
# The tests of clusters: on three nodes of Galera, and on a PostgreSQL primary with its standby. One
# whose servers are not installed is left out, and said.
if [ ! -x "$QLM_HTTPD" ] || ! "$PYTHON" -c 'import pytest, lxml, psycopg2, pymysql' 2>/dev/null; then
    echo "an httpd ($QLM_HTTPD) and Python 3 with pytest, lxml, psycopg2 and pymysql are needed"
    exit 77
fi
failed=0 played=0
for QLM_DATABASE in ${QLM_ENGINES:-postgresql mariadb}; do
    export QLM_DATABASE
    "$srcdir/dbserver.sh" check "$QLM_DATABASE" || continue
    if [ "$QLM_DATABASE" = mariadb ] && ! "$PYTHON" "$srcdir/cluster/galera.py"; then
        continue
    fi
    echo "$QLM_DATABASE:"
    if COLUMNS=200 "$PYTHON" -m pytest -p no:cacheprovider -ra -c "$srcdir/http/pytest.ini" "$srcdir/cluster" "$@"; then
        played=$((played + 1))
    else
        failed=$((failed + 1))
    fi
done
[ "$failed" = 0 ] || exit 1
[ "$played" -gt 0 ] || exit 77
