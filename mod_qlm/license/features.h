/* Features: 4 sets (0..3) of 8 bits each. Written "0:3;1:1;", set by set, empty sets left out, ""
 * when none. */
#ifndef QLM_LICENSE_FEATURES_H
#define QLM_LICENSE_FEATURES_H

#include <apr_pools.h>

#define QLM_FEATURE_SETS 4

typedef struct qlm_features_t {
    unsigned char set[QLM_FEATURE_SETS];
} qlm_features_t;

/** Read an argument: pairs `set:value` separated by ';' or ',', set 0..3, value 0..255; pairs of
 * one set are OR-ed; a lone "0" (as two shops' recipes print) and "" mean no features. Strict
 * otherwise.
 * @return 1 and *features set, or 0 */
int qlm_features_parse(qlm_features_t *features, const char *text);

/** The stored and sent form, in @a pool. */
const char *qlm_features_format(const qlm_features_t *features, apr_pool_t *pool);

/** The names of the features in @a stored ("0:3;"), "STD,PRO,", by a product's "set:id:name;…"; a
 * feature without a name as "set:id". In @a pool. */
const char *qlm_features_names(const char *stored, const char *names, apr_pool_t *pool);

/** Are these a product's names: "set:id:name;…", set 0..3, id one of 1, 2, 4 … 128, each feature
 * once, no name with ',' or ':'? "" is. */
int qlm_features_are_names(const char *names, apr_pool_t *pool);

#endif
