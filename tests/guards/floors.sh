#!/bin/sh
# The floors of the house: reads every #include of mod_qlm/ and refuses those that go up or sideways
# where no door is drawn. See docs/architecture.md.
cd "${srcdir:-.}/../mod_qlm" || exit 1

find . -name '*.[ch]' | sort | xargs awk '
    BEGIN {
        may["base"] = "base"
        may["license"] = "base license"
        may["mail"] = "base mail"
        may["outbound"] = "base mail outbound"
        may["vendor"] = "base license vendor"
        may["store"] = "base license mail store"
        may["service"] = "base license mail outbound vendor store service"
        may["web"] = "base outbound service web"
        may["qlmctl"] = "base license mail outbound vendor store service qlmctl"
        may["mod_qlm.c"] = "web"
        # The only file of the web room that knows what it lends.
        may["web/database.c"] = may["web"] " store"
    }
    function refuse(why) { printf "mod_qlm/%s:%d: %s: %s\n", file, FNR, why, $0; bad++ }
    FNR == 1 { file = FILENAME; sub(/^\.\//, "", file); room = file; sub(/\/.*/, "", room) }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        path = $0; sub(/^[^"]*"/, "", path); sub(/".*/, "", path)
        target = path; sub(/\/.*/, "", target)
        allowed = " " (file in may ? may[file] : may[room]) " "
        seen++
        if (path !~ /\//) refuse("the path must start at the room")
        else if (!(room in may)) refuse("this room is not drawn in tests/guards/floors.sh")
        else if (index(allowed, " " target " ") == 0) refuse(room " may not include " target)
    }
    /^[ \t]*#[ \t]*include[ \t]*<(httpd|http_|ap_|mod_|mpm|scoreboard|unixd|util_)/ {
        seen++
        if (room != "web" && room != "mod_qlm.c") refuse("httpd is known in web/ only")
    }
    /^[ \t]*#[ \t]*include[ \t]*<apr_dbd/ {
        if (room != "store" && file != "web/database.c") refuse("the database is known in store/ only")
    }
    END {
        printf "%d includes read\n", seen
        exit bad > 0 || seen == 0
    }'
