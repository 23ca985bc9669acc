/* Answers and failures in their forms. Success never contains the letters "error", failure always
 * does: shops' plugins look for them. */
#ifndef QLM_SERVICE_REPLY_H
#define QLM_SERVICE_REPLY_H

#include "service/call.h"

#define QLM_XML_DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define QLM_TYPE_XML        "text/xml; charset=utf-8"
#define QLM_TYPE_JSON       "application/json"
#define QLM_TYPE_HTML       "text/html; charset=utf-8"

/** An empty reply, status 200, in @a pool. */
qlm_reply_t *qlm_reply_create(apr_pool_t *pool);

/** Set the body; the text is not copied. */
void qlm_reply_set(qlm_reply_t *reply, const char *content_type, const char *body);

/** Set the body to a JSON value, which is given up. Errors: INTERNAL where it cannot be written. */
struct json_t;
qlm_error_t *qlm_reply_set_json(qlm_reply_t *reply, struct json_t *value, apr_pool_t *pool);

/** Is JSON asked for by is_format? Errors: ARGUMENT for another format than xml and json. */
qlm_error_t *qlm_reply_is_json(int *is_json, const qlm_call_t *call);
/** A success in XML: `<result>`, and one more element unless @a name is NULL. */
void qlm_reply_result(qlm_reply_t *reply, const char *result, const char *name, const char *value,
                      apr_pool_t *pool);

/** Set outcome (static) and subject for the log. */
void qlm_reply_note(qlm_reply_t *reply, const char *outcome, const char *subject);

/** Send the call's content: signed unless is_sign=false or no signer is known, with declaration
 * and, if asked for, a BOM. Errors: INTERNAL 215. */
qlm_error_t *qlm_reply_send_document(qlm_reply_t *reply, qlm_call_t *call);

/** Turn @a error into the answer, in the form of the call's method and vendor. */
void qlm_reply_fail(qlm_reply_t *reply, qlm_call_t *call, const qlm_error_t *error);

/** The index page: the callable methods with their arguments. */
void qlm_reply_index(qlm_reply_t *reply, apr_pool_t *pool);

#endif
