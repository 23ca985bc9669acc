/* What the tests of signatures share: two key pairs, made once for the program, and helpers. */
#ifndef QLM_TESTS_SIGNATURE_FIXTURE_H
#define QLM_TESTS_SIGNATURE_FIXTURE_H

#include "license/signature.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN  "<QuickLicenseManager>"
#define CLOSE "</QuickLicenseManager>"
#define PLAIN OPEN "<status>2</status><userFullName>Ann</userFullName>" CLOSE

static apr_pool_t *pool;
static const char *private_pem, *public_pem, *other_public_pem;
static qlm_private_key_t *key;

/* Keys are slow to make, so the tests share them; forked children inherit this pool. */
static apr_pool_t *keys_pool;

static inline void make_keys(void)
{
    const char *unused;

    apr_pool_create(&keys_pool, NULL);
    if (qlm_signature_generate(&private_pem, &public_pem, 2048, keys_pool) ||
        qlm_signature_generate(&unused, &other_public_pem, 2048, keys_pool) ||
        qlm_signature_load(&key, private_pem, keys_pool)) {
        fprintf(stderr, "no keys\n");
        exit(EXIT_FAILURE);
    }
}

static inline void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static inline void tear_down(void)
{
    apr_pool_destroy(pool);
}

static inline const char *sign_with(const char *content, const qlm_private_key_t *private_key,
                                    qlm_algorithm_t algorithm)
{
    const char **document = apr_pcalloc(pool, sizeof(*document));
    const qlm_error_t *error =
        qlm_signature_sign(document, content, private_key, algorithm, NULL, pool);

    ck_assert_msg(error == NULL, "%s (%s)", error ? error->text : "",
                  error && error->detail ? error->detail : "");
    return *document;
}

static inline const char *sign(const char *content)
{
    return sign_with(content, key, QLM_ALGORITHM_RSA_SHA256);
}

/* Verify with the right key; the reason must be a sentence in any case. */
static inline int is_valid(const char **reason, const char *document)
{
    int is_good;

    *reason = "";
    is_good = qlm_signature_verify(reason, document, strlen(document), public_pem, pool);
    ck_assert_msg(strlen(*reason) > 5, "%.300s", document);
    return is_good;
}

static inline void check_valid(const char *document)
{
    const char *reason;

    ck_assert_msg(is_valid(&reason, document), "%s: %.300s", reason, document);
}

/* Refused, and for the reason in which @a word occurs. */
static inline void check_refused(const char *document, const char *word)
{
    const char *reason;

    ck_assert_msg(!is_valid(&reason, document), "accepted: %.300s", document);
    ck_assert_msg(strstr(reason, word) != NULL, "%s: %.300s", reason, document);
}

/* @a text with the first @a from replaced. */
static inline const char *replace(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);

    ck_assert_msg(at != NULL, "no %s in %.300s", from, text);
    return apr_psprintf(pool, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

#endif
