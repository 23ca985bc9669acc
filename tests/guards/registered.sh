#!/bin/sh
# What exists is built and run: every source file is named in mod_qlm/Makefile.am, every unit test,
# fuzz target and guard in tests/Makefile.am; every fuzz target has seeds.
cd "${srcdir:-.}" || exit 1
bad=0 count=0

need()
{
    count=$((count + 1))
    grep -qE "(^|[[:space:]])$(echo "$1" | sed 's/\./\\./g')([[:space:]]|\\\\|\$)" "$2" ||
        { echo "$1 is not in $2"; bad=1; }
}

for file in $(cd ../mod_qlm && find . -name '*.[ch]' -o -name '*.def' | sed 's|^\./||'); do
    need "$file" ../mod_qlm/Makefile.am
done
for file in unit/check_*.c; do
    need "${file%.c}" Makefile.am
done
for file in unit/*.h fuzz/*.h bench/*.c bench/*.py soak/*.py cluster/*; do
    need "$file" Makefile.am
done
for file in fuzz/fuzz_*.c; do
    need "${file%.c}" Makefile.am
    name=$(basename "$file" .c)
    [ -n "$(ls "fuzz/seeds/${name#fuzz_}" 2>/dev/null)" ] || { echo "$file has no seeds"; bad=1; }
done
for file in guards/*.sh; do
    need "$file" Makefile.am
done

# A unit test that cannot fail: each needs a main() that reports failures.
for file in unit/check_*.c; do
    grep -q 'srunner_ntests_failed' "$file" || { echo "$file does not report its failures"; bad=1; }
done
echo "$count files"
[ $count -gt 20 ] && exit $bad
