/* The table of entry points. */
#include "service/entry.h"

#include "service/methods.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

const qlm_entry_t qlm_entries[] = {
    {"/qlmservice.asmx", 1, NULL},
    {"/api/v1/QlmApi", 0, NULL},
    {"/api/WebService", 0, NULL},
    {"/qlmregistration.asmx", 0, "Register"},
    {NULL, 0, NULL},
};

/* The entry point with which `path` begins, as whole segments. */
static const qlm_entry_t *find_here(const char *path)
{
    for (const qlm_entry_t *entry = qlm_entries; entry->path; entry++) {
        apr_size_t length = strlen(entry->path);

        if (strncasecmp(path, entry->path, length) == 0 &&
            (path[length] == '\0' || path[length] == '/')) {
            return entry;
        }
    }
    return NULL;
}

const qlm_entry_t *qlm_entry_find(apr_size_t *folder_length, const char **rest, const char *path)
{
    for (const char *here = path; (here = strchr(here, '/')) != NULL; here++) {
        const qlm_entry_t *entry = find_here(here);

        if (entry) {
            const char *behind = here + strlen(entry->path);

            if (folder_length) {
                *folder_length = (apr_size_t)(here - path);
            }
            if (rest) {
                *rest = *behind ? behind + 1 : behind;
            }
            return entry;
        }
    }
    return NULL;
}

const char *qlm_entry_method(const char *rest, apr_pool_t *pool)
{
    apr_size_t length = strlen(rest);
    const qlm_method_t *method;
    const char *name;

    while (length > 0 && rest[length - 1] == '/') {
        length--;
    }
    name = apr_pstrmemdup(pool, rest, length);
    method = qlm_method_find(name);
    return method ? method->name : name;
}

const char *qlm_entry_canonical(const char *folder, const char *method, apr_pool_t *pool)
{
    return apr_pstrcat(pool, folder, qlm_entries[0].path, *method ? "/" : "", method, NULL);
}
