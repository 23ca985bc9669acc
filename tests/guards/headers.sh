#!/bin/sh
# Every header compiles alone, and no room owns a config.h (it would hide autoconf's).
cd "${srcdir:-.}/../mod_qlm" || exit 1
[ -n "$QLM_COMPILE" ] || { echo "run me by make check"; exit 1; }

bad=0 count=0
for header in */*.h; do
    count=$((count + 1))
    case $header in */config.h) echo "$header: this name is taken"; bad=1 ;; esac
    printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' "$header" "$header" |
        $QLM_COMPILE -x c -fsyntax-only - || { echo "$header does not compile alone"; bad=1; }
    grep -q '^/\*' "$header" || { echo "$header: says not what it is"; bad=1; }
done
echo "$count headers"
[ $count -gt 0 ] && exit $bad
