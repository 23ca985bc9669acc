/* The registry of translators: one line per shop. */
#include "vendor/vendors.h"

#include "base/text.h"

#include <apr_strings.h>

const qlm_vendor_t *const qlm_vendors[] = {
    &qlm_vendor_cleverbridge,
    &qlm_vendor_shareit,
    &qlm_vendor_salesforce,
    &qlm_vendor_qlmauthenticationprovider,
    NULL,
};

/** Names come from URLs that people type, so blanks around them are forgiven; and QLM's own sample
 * of RetrieveActivationKeyHttp has a '>' behind the vendor. */
static int is_name(const char *given, apr_size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(given, name, length) == 0;
}

static int answers_to(const qlm_vendor_t *vendor, const char *given, apr_size_t length)
{
    if (is_name(given, length, vendor->name)) {
        return 1;
    }
    for (const char *const *alias = vendor->aliases; alias && *alias; ++alias) {
        if (is_name(given, length, *alias)) {
            return 1;
        }
    }
    return 0;
}

const qlm_vendor_t *qlm_vendor_find(const char *name)
{
    if (qlm_text_is_empty(name)) {
        return NULL;
    }
    name += strspn(name, " ");
    apr_size_t length = strlen(name);
    while (length > 0 && (name[length - 1] == ' ' || name[length - 1] == '>')) {
        --length;
    }
    for (const qlm_vendor_t *const *vendor = qlm_vendors; *vendor; ++vendor) {
        if (answers_to(*vendor, name, length)) {
            return *vendor;
        }
    }
    return NULL;
}

const char *qlm_vendor_names(apr_pool_t *pool)
{
    const char *names = "";
    for (const qlm_vendor_t *const *vendor = qlm_vendors; *vendor; ++vendor) {
        names = apr_pstrcat(pool, names, *names ? ", " : "", (*vendor)->name, NULL);
    }
    return names;
}
