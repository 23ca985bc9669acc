/* Answers that several shops have in common. */
#ifndef QLM_VENDOR_ANSWER_H
#define QLM_VENDOR_ANSWER_H

#include "vendor/vendor.h"

/** The HTTP status that shows @a error to a shop which looks at the status. */
int qlm_answer_status(const qlm_error_t *error);

/** Status 200 and exactly the keys, joined by LF: what the shop hands to its buyer. */
void qlm_answer_keys_as_text(qlm_answer_t *answer, const apr_array_header_t *keys,
                             const char *content_type, apr_pool_t *pool);

/** A status that is never 2xx, and one line `Error: …` in plain ASCII whatever the character set.
 */
void qlm_answer_failure_as_text(qlm_answer_t *answer, const qlm_error_t *error,
                                const char *content_type, apr_pool_t *pool);

#endif
