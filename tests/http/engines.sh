#!/bin/sh
# Half of the tests against a real httpd once more on PostgreSQL and MariaDB: what the contract says of
# each method, what writes, what races, and what fails; of httpd's ways to share the work one is enough
# where only calls are made. All of them: QLM_DATABASE=postgresql http/run.sh. An engine that is not
# installed is left out, and said. More calls with faults are made by ../cluster/run.sh.
chosen="test_conformance or test_server or test_database_faults or test_two_sites or test_clocks or test_watched or
    (test_soak and not falsified) or
    (test_activate or test_issue or test_promises) and not prefork and not at_random_moments"
export QLM_SOAK_OPERATIONS="${QLM_SOAK_OPERATIONS:-5000}"
if ! "$PYTHON" -c 'import psycopg2, pymysql' 2>/dev/null; then
    echo "Python 3 with psycopg2 and pymysql is not installed"
    exit 77
fi
failed=0 played=0
for QLM_DATABASE in ${QLM_ENGINES:-postgresql mariadb}; do
    export QLM_DATABASE
    "$srcdir/dbserver.sh" check "$QLM_DATABASE" || continue
    echo "$QLM_DATABASE:"
    sh "$srcdir/http/run.sh" -k "$(echo $chosen)" "$@"
    case $? in
    0) played=$((played + 1)) ;;
    77) exit 77 ;;
    *) failed=$((failed + 1)) ;;
    esac
done
[ "$failed" = 0 ] || exit 1
[ "$played" -gt 0 ] || exit 77
