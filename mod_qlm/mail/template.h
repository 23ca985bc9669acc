/* Templates: subject, HTML and text with %Name% variables. Variables are inserted escaped for where
 * they stand: HTML-escaped in html, as they are in text, on one line in the subject. An unknown
 * variable stays as written and is reported. The part between two %ItemTemplate% marks is repeated
 * for each item. */
#ifndef QLM_MAIL_TEMPLATE_H
#define QLM_MAIL_TEMPLATE_H

#include "base/error.h"

#include <apr_hash.h>
#include <apr_tables.h>

#define QLM_TEMPLATE_NAME_MAX     100                  /**< bytes */
#define QLM_TEMPLATE_SUBJECT_MAX  250                  /**< bytes */
#define QLM_TEMPLATE_BODY_MAX     65536                /**< bytes */
#define QLM_TEMPLATE_RENDERED_MAX (4U * 1024U * 1024U) /**< bytes of a body once filled in */

typedef struct qlm_template_t {
    const char *name;                  /**< such as "1. New Order"; compared without case */
    const char *language;              /**< "en", "de" …; "" = any */
    const char *subject, *html, *text; /**< text may be "": made from html */
} qlm_template_t;

/** What a template says once filled in. */
typedef struct qlm_rendered_t {
    const char *subject, *html, *text;
    const char *unknown; /**< variables that were not known, comma separated; "" if none */
    int is_cut;          /**< a part reached QLM_TEMPLATE_RENDERED_MAX; the rest is missing */
} qlm_rendered_t;

/** Fill in @a form.
 * @param variables  folded name -> const char * value
 * @param items      of apr_hash_t * like @a variables, for the repeated part; at least one; outside
 * the repeated part the first counts after @a variables, except %ActivationKey%, which is all
 * items' keys, one per line (<br> in HTML) */
void qlm_template_render(qlm_rendered_t *rendered, const qlm_template_t *form,
                         apr_hash_t *variables, const apr_array_header_t *items, apr_pool_t *pool);

/** The templates that are there without any being stored: "1. New Order" and the others in
 * builtin.c; array of qlm_template_t. */
const apr_array_header_t *qlm_template_builtin(apr_pool_t *pool);

/** May it be stored? Name 1..100 bytes, subject one line up to 250 bytes, bodies up to 64 KiB.
 * Errors: ARGUMENT. */
qlm_error_t *qlm_template_check(const qlm_template_t *form, apr_pool_t *pool);

#endif
