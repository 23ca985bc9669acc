#!/bin/sh
# A private database server in a folder of its own, for the tests and the demo site. It is reached
# through a socket in that folder, which only its user (and root) can enter; with a port also on
# 127.0.0.1, with a password. Nothing outside the folder is touched, and only the process that was
# started from it is stopped.
#
#   dbserver.sh start postgresql|mariadb FOLDER [PORT]   make it if it is not there, start it
#   dbserver.sh standby FOLDER PRIMARY                   make it PRIMARY's standby (PostgreSQL), to be started then
#   dbserver.sh stop FOLDER [fast|now]                   fast (default): in order; now: as in a crash
#   dbserver.sh pid FOLDER                               its process, if it runs
#   dbserver.sh database FOLDER NAME                     make an empty database, user qlm may use it
#   dbserver.sh params FOLDER NAME                       "driver parameters" of that database
#   dbserver.sh check postgresql|mariadb                 is it installed?
#
# QLM_DURABLE=no        do not wait for the disk: for tests that need no power failure
# QLM_SERVER_OPTIONS    more options for the server's command line
set -eu
umask 077
PATH=$PATH:/usr/sbin:/usr/local/sbin

password=Datenbank-1 # of user qlm on the port; through the socket there is none
fail() { echo "dbserver.sh: $*" >&2; exit 1; }

# The servers refuse to run as root.
[ "$(id -u)" != 0 ] || user=www-data
as_user() { ( exec_as_user "$@" ); }
exec_as_user()
{
    [ -z "${user:-}" ] || exec setpriv --reuid="$user" --regid="$user" --clear-groups -- "$@"
    exec "$@"
}
# In the background and in a session of its own: it must not end with the terminal.
serve() { exec_as_user setsid "$@" </dev/null >>"$folder/server.log" 2>&1 & echo $! >"$folder/pid"; }

# The newest PostgreSQL of Debian, or whatever is in the PATH.
postgres_program()
{
    ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | sed -n "\$s,\$,/$1,p" | grep . ||
        command -v "$1" || fail "$1 is not installed (postgresql)"
}
mariadb_program() { command -v "$1" || fail "$1 is not installed (mariadb-server-core, mariadb-client-core)"; }

# ---- PostgreSQL ----------------------------------------------------------------------------------

make_postgresql()
{
    echo "$password" >"$folder/password"
    [ -z "${user:-}" ] || chown "$user" "$folder/password"
    as_user "$(postgres_program initdb)" -D "$folder/data" -U postgres -E UTF8 --locale=C --no-sync --data-checksums \
        --auth-local=trust --auth-host=scram-sha-256 --pwfile="$folder/password" >"$folder/initdb.log" 2>&1 ||
        { tail -n 5 "$folder/initdb.log" >&2; fail "initdb failed"; }
}

# Whoever has ended may not have been buried yet (init is slow on busy machines), and PostgreSQL takes
# it for a server that still runs.
forget_dead_postgresql() { server_pid >/dev/null || rm -f "$folder/data/postmaster.pid" "$folder"/.s.PGSQL.*; }

# A server that was the primary only has to forget what its successor never got.
standby_postgresql()
{
    source="host=$1 port=$(sed 's/^$/5432/' "$1/port") user=postgres dbname=template1"
    if [ -d "$folder/data" ]; then
        forget_dead_postgresql
        "$(postgres_program psql)" "$source" -qc CHECKPOINT
        as_user "$(postgres_program pg_rewind)" -D "$folder/data" --source-server="$source" -R --no-sync
    else
        mkdir "$folder"
        [ -z "${user:-}" ] || chown "$user" "$folder"
        as_user "$(postgres_program pg_basebackup)" -D "$folder/data" -d "$source" -R -X stream -c fast --no-sync
    fi >"$folder.log" 2>&1 || { tail -n 5 "$folder.log" >&2; fail "no standby was made"; }
}

run_postgresql()
{
    fsync=on
    forget_dead_postgresql
    [ "${QLM_DURABLE:-yes}" != no ] || fsync=off
    # shellcheck disable=SC2086
    serve "$(postgres_program postgres)" -D "$folder/data" -c unix_socket_directories="$folder" \
        -c port="${port:-5432}" -c listen_addresses="${port:+127.0.0.1}" -c fsync="$fsync" \
        -c max_connections=500 -c logging_collector=off ${QLM_SERVER_OPTIONS:-}
}

postgresql_sql() { "$(postgres_program psql)" -h "$folder" -p "${port:-5432}" -U postgres -d template1 -Atqc "$1"; }
answers_postgresql() { postgresql_sql 'SELECT 1' >/dev/null 2>&1; }

# As a careful administrator would: the user owns the database and nothing else.
database_postgresql()
{
    postgresql_sql "SELECT 1 FROM pg_roles WHERE rolname = 'qlm'" | grep -q 1 ||
        postgresql_sql "CREATE ROLE qlm LOGIN PASSWORD '$password'" || fail "user qlm was not made"
    postgresql_sql "CREATE DATABASE \"$1\" OWNER qlm ENCODING 'UTF8' TEMPLATE template0" ||
        fail "database $1 was not made"
}

params_postgresql() { echo "pgsql host=$folder port=${port:-5432} user=qlm dbname=$1"; }

# ---- MariaDB -------------------------------------------------------------------------------------

# With a folder of its own for temporary files: what a server finds there when it starts it deletes, in
# /tmp also that of others that run.
make_mariadb()
{
    as_user "$(mariadb_program mariadb-install-db)" --no-defaults --datadir="$folder/data" --tmpdir="$folder/tmp" \
        --auth-root-authentication-method=normal --skip-test-db >"$folder/install.log" 2>&1 ||
        { tail -n 40 "$folder/install.log" >&2; fail "mariadb-install-db failed"; }
}

# A node of Galera that was killed does not know how far it had come; its tables do.
galera_position()
{
    [ -e "$folder/data/grastate.dat" ] || return 0
    # shellcheck disable=SC2086
    as_user "$(mariadb_program mariadbd)" --no-defaults --datadir="$folder/data" --socket="$folder/socket" \
        --tmpdir="$folder/tmp" --skip-networking ${QLM_SERVER_OPTIONS:-} --wsrep-recover >"$folder/recover.log" 2>&1 ||
        { tail -n 10 "$folder/recover.log" >&2; fail "the node's tables are damaged"; }
    sed -n 's/.*WSREP: Recovered position: */--wsrep-start-position=/p' "$folder/recover.log"
}

run_mariadb()
{
    flush=1 sync=
    [ "${QLM_DURABLE:-yes}" != no ] || flush=2 sync="--debug-no-sync --innodb-flush-method=nosync --sync-frm=OFF"
    network=--skip-networking
    [ -z "$port" ] || network="--bind-address=127.0.0.1 --port=$port"
    position=$(galera_position)
    # shellcheck disable=SC2086
    serve "$(mariadb_program mariadbd)" --no-defaults --datadir="$folder/data" \
        --socket="$folder/socket" --pid-file="$folder/mariadb.pid" --innodb-flush-log-at-trx-commit=$flush \
        --innodb-buffer-pool-size=64M --tmpdir="$folder/tmp" --max-connections=500 --skip-name-resolve $sync \
        $network ${QLM_SERVER_OPTIONS:-} $position
}

mariadb_sql() { "$(mariadb_program mariadb)" --no-defaults --socket="$folder/socket" --user=root --batch -e "$1"; }
answers_mariadb() { mariadb_sql 'SELECT 1' >/dev/null 2>&1; }

database_mariadb()
{
    mariadb_sql "CREATE DATABASE \`$1\`;
        CREATE USER IF NOT EXISTS qlm@localhost;
        CREATE USER IF NOT EXISTS qlm@'127.0.0.1' IDENTIFIED BY '$password';
        GRANT ALL ON \`$1\`.* TO qlm@localhost, qlm@'127.0.0.1'" || fail "database $1 was not made"
}

params_mariadb() { echo "mysql sock=$folder/socket user=qlm reconnect=0 flags=CLIENT_FOUND_ROWS dbname=$1"; }

# ---- both ----------------------------------------------------------------------------------------

server_pid()
{
    pid=$(cat "$folder/pid" 2>/dev/null) && [ -n "$pid" ] &&
        { tr '\0' '\n' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -e "$folder/data" && echo "$pid"
}

start_server()
{
    ! server_pid >/dev/null || return 0
    case $folder in *[!A-Za-z0-9_./-]*) fail "$folder: letters, digits and ._/- only, please" ;; esac
    [ ${#folder} -le 80 ] || fail "$folder: this path is too long for a socket"
    mkdir -p "$folder/tmp"
    [ -z "${user:-}" ] || chown "$user" "$folder" "$folder/tmp"
    echo "$engine" >"$folder/engine"
    echo "$port" >"$folder/port"
    [ -d "$folder/data" ] || "make_$engine"
    "run_$engine"
    "answers_$engine" || wait_for_server || { "run_$engine"; wait_for_server; } || fail "$engine does not start in $folder"
}

wait_for_server()
{
    for try in $(seq 600); do
        sleep 0.05
        "answers_$engine" && return
        [ -e "/proc/$(cat "$folder/pid")" ] || break
    done
    tail -n 10 "$folder/server.log" >&2
    ! server_pid >/dev/null || { echo "$engine gives no answer" >&2; how=now; stop_server; }
    return 1
}

stop_server()
{
    pid=$(server_pid) || return 0
    case $how in
    now) [ "$engine" = postgresql ] && kill -QUIT "$pid" || kill -KILL "$pid" ;;
    *) [ "$engine" = postgresql ] && kill -INT "$pid" || kill -TERM "$pid" ;;
    esac
    for try in $(seq 600); do
        [ -e "/proc/$pid" ] && [ "$(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2>/dev/null)" != Z ] || return 0
        sleep 0.05
    done
    fail "process $pid does not end"
}

command=${1:-}
case $command in
check)
    case ${2:?} in
    postgresql) postgres_program initdb >/dev/null && postgres_program psql >/dev/null ;;
    mariadb) mariadb_program mariadb-install-db >/dev/null && mariadb_program mariadb >/dev/null ;;
    *) fail "there is no engine $2" ;;
    esac ;;
start)
    engine=${2:?} folder=${3:?} port=${4:-}
    case $engine in postgresql|mariadb) ;; *) fail "there is no engine $engine" ;; esac
    start_server ;;
standby)
    folder=${2:?}
    standby_postgresql "${3:?}" ;;
stop|pid|database|params)
    folder=${2:?}
    engine=$(cat "$folder/engine") port=$(cat "$folder/port") how=${3:-fast}
    case $command in
    stop) stop_server ;;
    pid) server_pid ;;
    *) "${command}_$engine" "${3:?}" ;;
    esac ;;
*) sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
