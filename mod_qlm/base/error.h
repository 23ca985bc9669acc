/* The error object. Every function below web/ that can fail returns one; NULL is success.
 *
 * An error lives in the pool of the call that made it and is never changed after it was made.
 * It carries two texts: `text` may be shown to any caller and names cause and remedy; `detail`
 * is for the log only (SQL, paths). Neither ever holds a password, a secret or a whole key. */
#ifndef QLM_BASE_ERROR_H
#define QLM_BASE_ERROR_H

#include <apr_errno.h>
#include <apr_pools.h>

/** What went wrong, as far as the answer depends on it. */
typedef enum qlm_error_kind_t {
    QLM_ERROR_ARGUMENT, /**< the caller sent something unusable; HTTP 400 where a status is shown */
    QLM_ERROR_DENIED,   /**< not allowed: credentials, address, switched off; HTTP 403 */
    QLM_ERROR_MISSING,  /**< there is no such method or object; HTTP 404 */
    QLM_ERROR_METHOD,   /**< verb not allowed; HTTP 405 */
    QLM_ERROR_TOO_LARGE, /**< body over the limit; HTTP 413 */
    QLM_ERROR_REFUSED,   /**< understood, and refused by a rule of licenses */
    QLM_ERROR_CONFLICT,  /**< somebody else was faster; a unit of work is run again */
    QLM_ERROR_OUTBOUND,  /**< another server gave no usable answer */
    QLM_ERROR_STORE,     /**< the database failed; HTTP 503 */
    QLM_ERROR_INTERNAL   /**< our own fault; HTTP 500 */
} qlm_error_kind_t;

/** EServerErrorCode of the QLM contract: the number shown as `errorCode`. */
typedef enum qlm_code_t {
    QLM_CODE_NONE = 0,
    QLM_CODE_BLOCKED = 1,
    QLM_CODE_TIME_DIFFERENCE = 2,
    QLM_CODE_IP_RESTRICTION = 3,
    QLM_CODE_INVALID_FORMAT = 5,
    QLM_CODE_EMPTY_DATA = 6,
    QLM_CODE_DISABLED = 7,
    QLM_CODE_AUTHENTICATION = 8,
    QLM_CODE_LICENSE_ERROR = 200,
    QLM_CODE_REVOKED = 201,
    QLM_CODE_ILLEGAL = 202,
    QLM_CODE_NOT_FOUND = 203,
    QLM_CODE_NO_PRODUCT = 204,
    QLM_CODE_NOT_VALID = 205,
    QLM_CODE_NOT_PROVIDED = 206,
    QLM_CODE_ACTIVATED_ELSEWHERE = 207,
    QLM_CODE_MISSING_ARGUMENT = 208,
    QLM_CODE_EXPIRED = 209,
    QLM_CODE_NO_MORE_ACTIVATIONS = 210,
    QLM_CODE_WRONG_VERSION = 211,
    QLM_CODE_TOO_MANY_RELEASES = 212,
    QLM_CODE_TOO_MANY_TRIALS = 213,
    QLM_CODE_TOO_MANY_PER_SYSTEM = 214,
    QLM_CODE_FAILED_TO_SIGN = 215,
    QLM_CODE_RELEASE_NOT_ACTIVE = 216,
    QLM_CODE_RELEASE_ELSEWHERE = 217,
    QLM_CODE_PRODUCT_NOT_FOUND = 218,
    QLM_CODE_NOT_ACTIVATED = 219,
    QLM_CODE_WRONG_PRODUCT = 220,
    QLM_CODE_WRONG_DEACTIVATION_CODE = 224,
    QLM_CODE_COMPUTER_KEY_MISMATCH = 225,
    QLM_CODE_COUNT_NOT_LOWERED = 227,
    QLM_CODE_RELEASE_OFFLINE = 228,
    QLM_CODE_CUSTOMER_NOT_FOUND = 1904,
    QLM_CODE_DATABASE = 2000,
    QLM_CODE_UNKNOWN = 3000
} qlm_code_t;

typedef struct qlm_error_t {
    qlm_error_kind_t kind;
    qlm_code_t code;     /**< shown to callers of the XML methods */
    const char *text;    /**< one line, UTF-8, for the caller */
    const char *detail;  /**< one line for the log, or NULL */
    apr_status_t status; /**< APR's or the system's word, or APR_SUCCESS */
} qlm_error_t;

/** Make an error. The text is formatted by apr_psprintf into @a pool. Never returns NULL. */
qlm_error_t *qlm_error_make(apr_pool_t *pool, qlm_error_kind_t kind, qlm_code_t code,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Make an error of kind QLM_ERROR_STORE whose caller's text is fixed ("temporarily unavailable
 * …"); the format gives the detail for the log. */
qlm_error_t *qlm_error_store(apr_pool_t *pool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Give @a error a detail for the log (formatted into @a pool). @return @a error itself */
qlm_error_t *qlm_error_detail(qlm_error_t *error, apr_pool_t *pool, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Copy @a error (which may be NULL) to another pool. */
qlm_error_t *qlm_error_copy(const qlm_error_t *error, apr_pool_t *pool);

/** Return from the calling function if @a call fails. */
#define QLM_TRY(call)                                                                              \
    do {                                                                                           \
        qlm_error_t *qlm_try_error_ = (call);                                                      \
        if (qlm_try_error_) {                                                                      \
            return qlm_try_error_;                                                                 \
        }                                                                                          \
    } while (0)

#endif
