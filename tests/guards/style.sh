#!/bin/sh
# Style: .clang-format for C; no tabs, trailing blanks or DOS line ends anywhere; sizes within limits.
cd "${srcdir:-.}/.." || exit 1
bad=0
sources=$(find mod_qlm tests -name '*.[ch]')

for file in $sources; do
    lines=$(wc -l <"$file")
    case $file in mod_qlm/*) most=600 ;; *) most=1000 ;; esac
    [ "$lines" -le $most ] || { echo "$file: $lines lines; one of more than $most wants to be two"; bad=1; }
    head -n 1 "$file" | grep -q '^/\*' || { echo "$file does not open with a comment of what it is"; bad=1; }
done
files=$(find mod_qlm tests conf docs configure.ac quickstart -type f ! -path 'tests/fuzz/seeds/*' \
    ! -path 'tests/vectors/*' ! -name Makefile.in \
    \( -name '*.[ch]' -o -name '*.def' -o -name '*.sh' -o -name '*.py' -o -name '*.md' -o -name '*.in' \
    -o -name '*.txt' -o -name configure.ac -o -name quickstart \))
if grep -nIE "$(printf '\t')|[[:space:]]+\$|$(printf '\r')" $files | head -n 20 | grep .; then
    echo "tabs, trailing blanks or carriage returns (above)"
    bad=1
fi
for file in $(find . -maxdepth 1 -name '*.md') $files; do
    [ -z "$(tail -c 1 "$file")" ] || { echo "$file: no line end at the end"; bad=1; }
done
[ $bad -eq 0 ] || exit 1

if [ -z "$CLANG_FORMAT" ]; then
    echo "clang-format is not installed"
    exit 77
fi
"$CLANG_FORMAT" --dry-run --Werror $sources
