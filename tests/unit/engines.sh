#!/bin/sh
# The unit tests of the store once more on PostgreSQL and MariaDB, each on a private server in a
# temporary folder. An engine that is not installed is left out, and said.
tests="check_store check_units check_schema check_outbox check_history check_store_properties check_worker
    check_receivers check_notify check_servers"
here=$(cd "$(dirname "$0")" && pwd)
dbserver=$here/../dbserver.sh
work=$(mktemp -d /tmp/qlm-engines.XXXXXX) || exit 1
chmod 755 "$work"
QLM_DURABLE=no
export QLM_DURABLE
trap 'for engine in postgresql mariadb; do [ ! -e "$work/$engine/pid" ] || "$dbserver" stop "$work/$engine" now; done
    rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

failed=0 played=0
for engine in ${QLM_ENGINES:-postgresql mariadb}; do
    "$dbserver" check "$engine" || continue
    "$dbserver" start "$engine" "$work/$engine" && "$dbserver" database "$work/$engine" qlm_unit || exit 1
    QLM_TEST_DATABASE=$("$dbserver" params "$work/$engine" qlm_unit)
    QLM_TEST_SERVER=$work/$engine
    QLM_TEST_DBSERVER=$dbserver
    export QLM_TEST_DATABASE QLM_TEST_SERVER QLM_TEST_DBSERVER
    for test in $tests; do
        echo "$engine: $test"
        "./unit/$test" || failed=$((failed + 1))
    done
    played=$((played + 1))
done
[ "$failed" = 0 ] || exit 1
[ "$played" -gt 0 ] || exit 77
