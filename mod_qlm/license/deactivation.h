/* The code with which an application proves, without asking the server, that it has given up a
 * license: QLM's deactivation code. Computation only.
 *
 * It is the MD5 digest, in hexadecimal, of
 * `activation key without dashes|computer id|communication encryption key|yyyy-MM-dd`. Its strength
 * is that of the encryption key, which only the application and the server know. */
#ifndef QLM_LICENSE_DEACTIVATION_H
#define QLM_LICENSE_DEACTIVATION_H

#include "base/error.h"

#include <apr_pools.h>

/** What a code is about. */
typedef struct qlm_deactivation_t {
    const char *activation_key; /**< normal form */
    const char *computer_id;
    const char *encryption_key; /**< with or without its braces: either counts */
} qlm_deactivation_t;

/** The code of one day, 32 lower-case hex digits in @a pool; the encryption key is taken as it
 * stands. Errors: INTERNAL where OpenSSL has no MD5 (FIPS mode). */
qlm_error_t *qlm_deactivation_code(const char **code, const qlm_deactivation_t *deactivation,
                                   apr_int64_t day, apr_pool_t *pool);

/** Is @a code the one of the UTC day of @a now, of the day before or after? Clocks and zones of
 * clients differ. Case and dashes do not matter; the time taken tells nothing.
 * @param is_right  set to 0 or 1; always 0 without an encryption key
 * Errors: as qlm_deactivation_code. */
qlm_error_t *qlm_deactivation_check(int *is_right, const char *code,
                                    const qlm_deactivation_t *deactivation, apr_int64_t now,
                                    apr_pool_t *pool);

#endif
