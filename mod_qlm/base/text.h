/* Strict readers and cleaners of text. Pure functions; nothing is kept. Texts are UTF-8. */
#ifndef QLM_BASE_TEXT_H
#define QLM_BASE_TEXT_H

#include <apr_pools.h>
#include <apr_tables.h>

/** Read a decimal integer: optional blanks around, optional sign, digits only, within [min, max].
 * @return 1 and *number set, or 0 and *number untouched */
int qlm_text_to_int64(apr_int64_t *number, const char *text, apr_int64_t min, apr_int64_t max);

/** Read a boolean: true/1/yes/on, false/0/no/off, any case, blanks around ignored; -1 counts as
 * true.
 * @return 1 and *value set to 0 or 1, or 0 and *value untouched */
int qlm_text_to_bool(int *value, const char *text);

/** Is @a text well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms)? */
int qlm_text_is_utf8(const char *text);

/** @return @a text itself if it is UTF-8, otherwise its bytes read as ISO-8859-1, in @a pool */
const char *qlm_text_from_latin1_or_utf8(const char *text, apr_pool_t *pool);

/** The bytes of @a text read as ISO-8859-1 in any case, in @a pool. */
const char *qlm_text_from_latin1(const char *text, apr_pool_t *pool);

/** How many bytes at the start of @a text form one character that XML 1.0 allows (2.2, production
 * Char); 0 for ill-formed UTF-8, a forbidden character and the end of the text. */
apr_size_t qlm_text_xml_character(const char *text);

/** Has @a text a control character (below 0x20 or 0x7f)? Tab counts as one. */
int qlm_text_has_control(const char *text);

/** A copy without control characters (each run becomes one blank), without characters XML 1.0
 * forbids, blanks trimmed at both ends, cut at a character boundary to at most @a max_bytes. For
 * names and addresses. */
const char *qlm_text_clean(const char *text, apr_size_t max_bytes, apr_pool_t *pool);

/** A copy in lower case (ASCII letters only), trimmed. How e-mail addresses, vendor names and
 * computer ids are compared. */
const char *qlm_text_fold(const char *text, apr_pool_t *pool);

/** @a text without blanks (space, tab, CR, LF) at both ends: a part of @a text itself, or a copy in
 * @a pool. */
const char *qlm_text_trim(const char *text, apr_pool_t *pool);

/** Split at any character of @a separators; trims, drops empty parts. @return array of const char *
 */
apr_array_header_t *qlm_text_split(const char *text, const char *separators, apr_pool_t *pool);

/** NULL and "" are "empty". */
int qlm_text_is_empty(const char *text);

/** Is @a host, a name or an address (IPv6 with or without brackets), this machine for certain? */
int qlm_text_is_loopback(const char *host);

/** The value of a hexadecimal digit of any case, 0 to 15, or -1. */
int qlm_text_hex_digit(char c);

/** A short form for logs and messages: control characters and non-ASCII as '?', at most @a
 * max_bytes, then "...". */
const char *qlm_text_for_log(const char *text, apr_size_t max_bytes, apr_pool_t *pool);

#endif
