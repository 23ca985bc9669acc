#!/bin/sh
# Log ids: each QLMNO(n) is used once in the sources and has a row in docs/log-ids.md; a row whose
# message is gone says "retired", and its number is never used again.
cd "${srcdir:-.}/.." || exit 1

used=$(grep -rhoE 'QLMNO\([0-9]+\)' mod_qlm --include='*.c' | tr -dc '0-9\n' | sort -n)
rows=$(sed -nE 's/^\| *QLM([0-9]+) *\|.*/\1/p' docs/log-ids.md | sort -n)
retired=$(sed -nE 's/^\| *QLM([0-9]+) *\|.*retired.*/\1/p' docs/log-ids.md | sort -n)
bad=0

complain() { [ -z "$2" ] || { printf '%s: %s\n' "$1" "$(echo "$2" | tr '\n' ' ')"; bad=1; }; }
only_first() { { echo "$1"; echo "$2"; echo "$2"; } | grep . | sort -n | uniq -u; }
both() { { echo "$1"; echo "$2"; } | grep . | sort -n | uniq -d; }

[ -n "$used" ] || { echo "no log id found in the sources"; exit 1; }
complain "used twice in the sources" "$(echo "$used" | uniq -d)"
complain "two rows in docs/log-ids.md" "$(echo "$rows" | uniq -d)"
complain "no row in docs/log-ids.md" "$(only_first "$(echo "$used" | uniq)" "$(echo "$rows" | uniq)")"
complain "row without message (mark it retired)" \
    "$(only_first "$(only_first "$(echo "$rows" | uniq)" "$retired")" "$(echo "$used" | uniq)")"
complain "retired, but used again" "$(both "$(echo "$used" | uniq)" "$retired")"
complain "not four digits" "$(echo "$used" | grep -vxE '[0-9]{4}')"

# Every message that is logged has an id.
bare=$(grep -rnE -A3 'ap_log_[a-z]*error\(' mod_qlm --include='*.c' | tr '\n' ' ' |
    sed 's/ap_log_[a-z]*error(/\n&/g' | grep '^ap_log_' | grep -v 'QLMNO(' | grep -vE 'APLOG_(DEBUG|TRACE)')
complain "logged without an id" "$bare"
echo "$(echo "$used" | grep -c .) log ids"
exit $bad
