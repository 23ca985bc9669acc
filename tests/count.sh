#!/bin/sh
# count.sh PARTS-FAILED BUILD-FOLDER|LOG...: what the tests did, from their own logs: of `make check`
# in a build folder, of a watched server (http/watched.sh), or of `make distcheck`.
# A test program that says how many cases it ran counts as that many, any other as one. What was
# skipped was not tested, so it counts as failed. The first ten that failed in a program are named.
# The last line is `N passed, N failed`.
parts_failed=$1
shift

for item in "$@"; do
    if [ -d "$item" ]; then
        find "$item/tests" -name '*.trs'
    else
        echo "$item"
    fi
done | sort | while read -r result; do
    case $result in
    *.trs)
        log=${result%.trs}.log
        outcome=$(sed -n 's/^:global-test-result: //p' "$result" | head -n 1)
        ;;
    *)
        log=$result
        outcome=$(grep -qsE ': 0 processes with errors$|archives ready for' "$log" && echo PASS || echo FAIL)
        ;;
    esac
    printf '@ %s %s\n' "${outcome:-ERROR}" "$log"
    # libcheck, pytest and the seed player name their numbers on one line near the end
    grep -aE '^[0-9]+%: Checks: |^=*.*[0-9]+ (passed|failed|error|skipped).* in [0-9.]+s|: [0-9]+ seeds$' \
        "$log" 2>/dev/null
    grep -aE '^(FAILED|ERROR|SKIPPED) |:[FE]:' "$log" 2>/dev/null | head -n 10 | cut -c 1-300 | sed 's/^/! /'
done | awk -v parts="$parts_failed" '
    function close_test() {
        if (name == "") return
        if (good + bad == 0) { if (outcome == "PASS") good = 1; else bad = 1 }
        else if (outcome != "PASS" && bad == 0) bad = 1
        if (bad > 0) printf "  %-9s %s (%d passed, %d failed)\n%s", outcome, name, good, bad, which
        passed += good; failed += bad; programs++
    }
    function number(word,    i) {
        for (i = 2; i <= NF; i++) if ($i ~ "^" word) return $(i - 1) + 0
        return 0
    }
    /^@ / { close_test(); outcome = $2; name = $3; good = bad = 0; which = ""; next }
    /^! / { which = which "    " substr($0, 3) "\n"; next }
    /Checks: / {
        gsub(/,/, ""); bad += $5 + $7; good += $3 - $5 - $7; next
    }
    / seeds$/ { good += $(NF - 1); next }
    / in [0-9.]+s/ {
        good += number("passed"); bad += number("failed") + number("error") + number("skipped") + number("xpassed")
    }
    END {
        close_test()
        if (programs == 0 || passed == 0) { failed++; print "  no test was run" }
        if (parts > 0 && failed == 0) failed = parts
        printf "%d test programs\n%d passed, %d failed\n", programs, passed, failed
        exit failed > 0
    }'
