/* Trial registrations: who has asked for which trial, from where. What the rules against a second
 * trial look at. */
#ifndef QLM_STORE_REGISTRATIONS_H
#define QLM_STORE_REGISTRATIONS_H

#include "store/store.h"

/** Under this name of a vendor licenses of registrations are stored. */
#define QLM_REGISTRATION_VENDOR "registration"

typedef struct qlm_registration_t {
    const char *email;   /**< compared without case */
    const char *domain;  /**< of the e-mail, folded */
    const char *address; /**< of the client, "" = not kept */
    int product_id, major, minor;
    apr_int64_t license_id, created_at;
    /** Of the license as it is now, 0 = none; not stored here. */
    apr_int64_t expires_at, first_activated_at;
} qlm_registration_t;

/** The registrations of an e-mail, oldest first, at most 1000; array of qlm_registration_t. */
qlm_error_t *qlm_store_list_registrations(apr_array_header_t **registrations, qlm_store_t *store,
                                          const char *email, apr_pool_t *pool);

/** Inside a unit: add one that follows @a ordinal earlier ones of the same e-mail. CONFLICT if
 * another one came in between: the unit is run again and sees it. */
qlm_error_t *qlm_store_add_registration(qlm_store_t *store, const qlm_registration_t *registration,
                                        int ordinal, apr_pool_t *pool);

/** Registrations since @a since: of the whole site, or from one @a address. */
qlm_error_t *qlm_store_count_registrations(apr_int64_t *count, qlm_store_t *store,
                                           const char *address, apr_int64_t since,
                                           apr_pool_t *pool);

/** Registrations with e-mails of a domain (folded). */
qlm_error_t *qlm_store_count_registrations_of_domain(apr_int64_t *count, qlm_store_t *store,
                                                     const char *domain, apr_pool_t *pool);

/** Licenses that a customer got otherwise than by registration. */
qlm_error_t *qlm_store_count_bought(apr_int64_t *count, qlm_store_t *store, apr_int64_t customer_id,
                                    apr_pool_t *pool);

#endif
