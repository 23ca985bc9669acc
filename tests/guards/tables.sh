#!/bin/sh
# The tables in the sources against the pages that describe them: methods, vendors, directives (with
# the sample configuration), properties. Each must name exactly what the other names.
cd "${srcdir:-.}/.." || exit 1
bad=0

# same WHAT "names in the table" "names on the page"
same()
{
    if [ -z "$2" ]; then
        echo "$1: no name found in the sources"
        bad=1
    fi
    difference=$( { echo "$2"; echo "$2" | sort -u; echo "$3"; } | grep . | sort | uniq -c |
        awk '$1 == 1 { print "  only on the page: " $2 } $1 == 2 { print "  only in the sources: " $2 }
             $1 > 3 { print "  more than once: " $2 }')
    if [ -n "$difference" ]; then
        printf '%s:\n%s\n' "$1" "$difference"
        bad=1
    else
        echo "$1: $(echo "$2" | grep -c .)"
    fi
}
# The headings of a page that are one word: "## Name".
headings() { sed -nE 's/^## `?([A-Za-z]+)`?$/\1/p' "$1"; }

same "methods and docs/methods.md" \
    "$(sed -nE '/^const qlm_method_t qlm_methods\[\]/,/^};/s/^ *\{"([A-Za-z]+)",.*/\1/p' mod_qlm/service/methods.c)" \
    "$(headings docs/methods.md)"

same "vendors and docs/vendors.md" \
    "$(grep -hoE '^ *\.name = "[a-z0-9]+"' mod_qlm/vendor/*.c | grep -oE '[a-z0-9]+"$' | tr -d '"')" \
    "$(headings docs/vendors.md)"

directives=$(sed -nE '/command_rec qlm_directives\[\]/,/^};/s/.*(AP_INIT_[A-Z0-9]+|FLAG)\("(Qlm[A-Za-z]+)".*/\2/p' \
    mod_qlm/web/directives.c)
same "directives and docs/directives.md" "$directives" "$(headings docs/directives.md)"
same "directives and conf/qlm.conf.in" "$directives" \
    "$(sed -nE 's/^# *(Qlm[A-Za-z]+) .*/\1/p' conf/qlm.conf.in)"
if grep -nE '^ *[^#[:space:]]' conf/qlm.conf.in; then
    echo "conf/qlm.conf.in: a line that is not a comment (above)"
    bad=1
fi

# The default of a property stands in both places.
same "properties and docs/properties.md" \
    "$(sed -nE 's/^QLM_PROPERTY\([A-Z0-9_]+, "([A-Za-z0-9_]+)", "[^"]*", [A-Z]+, "([^"]*)",.*/\1=\2/p' \
        mod_qlm/license/properties.def | tr ' ' '_')" \
    "$(sed -nE 's/^\| `([A-Za-z0-9_]+)` \| [a-z]+ \| (`([^`]*)`)? *\|.*/\1=\3/p' docs/properties.md | tr ' ' '_')"
exit $bad
