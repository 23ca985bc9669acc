#!/bin/sh
# No writable globals: reads the object files. Allowed are the module record and the pointers to
# httpd's optional functions, which are fetched once at startup.
[ -n "$QLM_BUILD" ] || { echo "run me by make check"; exit 1; }
command -v objdump >/dev/null || { echo "objdump is not installed"; exit 77; }
cd "$QLM_BUILD/mod_qlm" || exit 1

objects=$(find . -path '*/.libs/*.o' -o -path './qlmctl/*.o' | sort)
[ "$(echo "$objects" | wc -l)" -gt 20 ] || { echo "the objects are not built"; exit 1; }
if nm $objects | grep -q '__asan_init\|__ubsan_handle'; then
    echo "a build with sanitizers has globals of its own"
    exit 77
fi
found=$(for object in $objects; do
    objdump -t "$object" | awk -v object="$object" '
        $0 ~ / (\.data|\.bss|\*COM\*)(\.[A-Za-z_][A-Za-z0-9_.]*)?\t/ && $0 !~ /\.data\.rel\.ro/ && $0 !~ / d  / {
            if ($NF !~ /^(qlm_module|dbd_open|dbd_close)$/) print object ": " $NF
        }'
done)
[ -z "$found" ] || { printf 'writable:\n%s\n' "$found"; exit 1; }
echo "$(echo "$objects" | wc -l) objects"
