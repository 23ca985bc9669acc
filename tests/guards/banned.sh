#!/bin/sh
# Calls and constructs that have no place here. Comments and texts are not looked at. (Deprecated
# functions of OpenSSL are the compiler's task, writable globals that of globals.sh.)
cd "${srcdir:-.}/.." || exit 1

# file:line:code, without comments, string and character constants
code()
{
    find "$@" -name '*.[ch]' -o -name '*.def' | sort | while read -r file; do
        perl -0777 -pe '
            s{(/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\x27(?:\\.|[^\x27\\])*\x27)}
             {my $x = $1; my $n = ($x =~ tr/\n//); ($x =~ /^"/ ? "\"\"" : $x =~ /^\x27/ ? "0" : " ") . "\n" x $n}gse
        ' "$file" | awk -v file="$file" '{ print file ":" FNR ":" $0 }'
    done
}

bad=0
refuse()
{
    found=$(code $3 | grep -E "$2")
    if [ -n "$found" ]; then
        printf '%s:\n%s\n' "$1" "$found"
        bad=1
    fi
}

[ "$(code mod_qlm | wc -l)" -gt 1000 ] || { echo "nothing to look at"; exit 1; }

refuse "unbounded or unsafe calls" \
    '(^|[^A-Za-z0-9_>.])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atoll|atof|gets|system|popen|mktemp|tmpnam|alloca|rand|srand)[ ]*\(' \
    "mod_qlm tests"
refuse "APR's transactions commit what a failure left (see store/)" 'apr_dbd_transaction_' mod_qlm
refuse "mod_dbd's own preparing disables a connection by one statement, its acquiring holds it too long" \
    'ap_dbd_(prepare|acquire)' mod_qlm
refuse_text()
{
    if grep -nE -e "$2" $3; then
        echo "$1"
        bad=1
    fi
}
refuse_text "a waiter would hold the mutex of SQLite's driver that the writer needs" 'PRAGMA +busy_timeout' \
    "mod_qlm/store/*.c mod_qlm/store/*.def"
refuse_text "MariaDB's driver loses a connection by rows that nobody reads, and not all engines know the word" \
    '"[^"]*RETURNING' "mod_qlm/store/*.c mod_qlm/store/*.def"
refuse_text "one statement at a time: drivers tell the outcome of the last only" '^[^*]*;[[:space:]]*"[,)]' "mod_qlm/store/*.def"
refuse "libxml2 with network, entities or DTD" 'XML_PARSE_(NOENT|DTDLOAD|DTDATTR|DTDVALID|HUGE)' mod_qlm
refuse "a warning that is switched off" '#[ ]*pragma[ ]+(GCC|clang)[ ]+diagnostic' "mod_qlm tests"
exit $bad
