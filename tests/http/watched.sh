#!/bin/sh
# watched.sh valgrind|sanitizers: tests against a real httpd, with somebody who looks over the live
# module's shoulder. Fails if a test fails, or if valgrind or the sanitizers (in a build with them)
# find a wrong access, the use of what was never set, or memory lost for good.
# Run by `make check-valgrind` and `make check-sanitizers`.
watcher=$1
server=$QLM_HTTPD
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
chmod 1777 "$work"

# %p: each process writes its own report. The module is unloaded before valgrind writes it, so its
# symbols have to be kept.
case $watcher in
valgrind)
    [ -n "$VALGRIND" ] || { echo "valgrind is not installed"; exit 77; }
    start="exec '$VALGRIND' --log-file='$work/%p.report' --keep-debuginfo=yes --num-callers=30 \\
        --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite"
    tests="test_activate or test_authprovider or test_cleverbridge or test_ping_index or test_bad_input"
    ;;
sanitizers)
    runtime=$(ldd "$QLM_BUILD/mod_qlm/.libs/mod_qlm.so" | awk '/lib(a|ub)san/ { print $3 }' | tr '\n' ' ')
    [ -n "$runtime" ] || { echo "this is no build with --enable-sanitizers"; exit 77; }
    start="LD_PRELOAD='$runtime' exec"
    # what compares times, or kills the server at random moments, means nothing here; and the module's
    # code is the same under both ways of httpd to share the work
    tests="not prefork and not test_promises and not test_qlmctl and not test_outbox and not killed and not delays
        and not spare_the_work and not test_soak and not test_checker and not test_server_faults"
    ASAN_OPTIONS=$ASAN_OPTIONS:log_path=$work/report
    UBSAN_OPTIONS=print_stacktrace=1:log_path=$work/report
    export ASAN_OPTIONS UBSAN_OPTIONS
    ;;
esac
[ -n "$start" ] || { echo "usage: watched.sh valgrind|sanitizers"; exit 2; }
printf '#!/bin/sh\n%s "%s" "$@"\n' "$start" "$server" >"$work/httpd"
chmod 755 "$work/httpd"
QLM_HTTPD=$work/httpd
export QLM_HTTPD

sh "$srcdir/http/run.sh" -k "$(echo ${QLM_WATCHED:-$tests})" >"$work/pytest.log" 2>&1
outcome=$?
tail -n 40 "$work/pytest.log"

processes=0 bad=0
for report in "$work"/*.report; do
    grep -q 'ERROR SUMMARY' "$report" 2>/dev/null || continue
    processes=$((processes + 1))
    if ! grep -q 'ERROR SUMMARY: 0 errors' "$report"; then
        bad=$((bad + 1))
        head -n 80 "$report"
    fi
done
[ "$watcher" != valgrind ] || [ $processes -gt 0 ] || { echo "no report of valgrind was written"; bad=1; }
for report in "$work"/report*; do
    [ -e "$report" ] || continue
    bad=$((bad + 1))
    head -n 80 "$report"
done
echo "$watcher: $bad processes with errors"
[ $bad -eq 0 ] && [ $outcome -eq 0 ]
