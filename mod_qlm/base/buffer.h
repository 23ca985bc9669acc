/* A growing text, for documents. It doubles inside one pool; the text is always terminated. */
#ifndef QLM_BASE_BUFFER_H
#define QLM_BASE_BUFFER_H

#include <apr_pools.h>

typedef struct qlm_buffer_t {
    char *text;
    apr_size_t length;
    apr_size_t capacity;
    apr_pool_t *pool;
} qlm_buffer_t;

/** An empty buffer with room for @a capacity bytes, in @a pool. */
qlm_buffer_t *qlm_buffer_create(apr_size_t capacity, apr_pool_t *pool);

/** Add texts as they are. None may be NULL, except with a @a length of 0. */
void qlm_buffer_add(qlm_buffer_t *buffer, const char *text);
void qlm_buffer_add_bytes(qlm_buffer_t *buffer, const char *bytes, apr_size_t length);
void qlm_buffer_addf(qlm_buffer_t *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Add @a text (NULL is empty) as XML character data in canonical form (C14N 1.0 §2.3: & < > and CR
 * escaped, all else literal); characters that XML 1.0 forbids and ill-formed UTF-8 are dropped. */
void qlm_buffer_add_xml(qlm_buffer_t *buffer, const char *text);

/** Add `<name>text</name>`; an empty or NULL text gives `<name></name>`, the canonical form of an
 * empty element. */
void qlm_buffer_add_element(qlm_buffer_t *buffer, const char *name, const char *text);

/** Add @a text (NULL is empty) as HTML/XML attribute value content: & < > " ' and tab, LF, CR
 * escaped, forbidden characters dropped. */
void qlm_buffer_add_attribute(qlm_buffer_t *buffer, const char *text);

#endif
