/* JSON that another server sent, read with jansson within limits of size and depth. */
#ifndef QLM_VENDOR_JSON_H
#define QLM_VENDOR_JSON_H

#include "base/error.h"

#include <jansson.h>

#define QLM_JSON_MAX_BYTES (4 * 1024 * 1024)
#define QLM_JSON_MAX_DEPTH 32

/** Read @a length bytes of @a text, an object or an array. The value lives as long as @a pool.
 * Numbers are read as reals. Errors: OUTBOUND, saying why and quoting nothing of it. */
qlm_error_t *qlm_json_read(json_t **value, const char *text, apr_size_t length, apr_pool_t *pool);

/** Tie @a value (a new reference, or NULL) to @a pool. @return @a value */
json_t *qlm_json_keep(json_t *value, apr_pool_t *pool);

/** The member that @a path leads to ("Account.Name"), NULL if there is none or it is null. */
const json_t *qlm_json_member(const json_t *value, const char *path);

/** The text at @a path, "" if there is none or it is no text. */
const char *qlm_json_text(const json_t *value, const char *path);

/** @a value on one line, in @a pool; NULL if jansson refuses (ill-formed texts, no memory). */
const char *qlm_json_write(const json_t *value, apr_pool_t *pool);

#endif
