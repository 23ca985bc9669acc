/* From raw fields to typed arguments, by the table in arguments.def. Nobody parses these again; a
 * vendor's own fields stay raw for its translator. */
#ifndef QLM_SERVICE_ARGUMENTS_H
#define QLM_SERVICE_ARGUMENTS_H

#include "base/fields.h"
#include "license/features.h"
#include "license/model.h"
#include "license/order.h"
#include "license/properties.h"

typedef enum qlm_argument_t {
    QLM_ARGUMENT_NONE,
#define QLM_ARGUMENT(id, names, type, min, max, help) QLM_ARGUMENT_##id,
#include "service/arguments.def"
#undef QLM_ARGUMENT
    QLM_ARGUMENT_COUNT
} qlm_argument_t;

typedef enum qlm_argument_type_t {
    QLM_ARGUMENT_TYPE_TEXT,  /**< UTF-8 (or Latin-1 converted), no control characters */
    QLM_ARGUMENT_TYPE_LINES, /**< as TEXT, line breaks and tabs allowed */
    QLM_ARGUMENT_TYPE_RAW,   /**< as TEXT, but echoed and judged by the method */
    QLM_ARGUMENT_TYPE_INT,
    QLM_ARGUMENT_TYPE_DAYS, /**< -1 and 0 = not given */
    QLM_ARGUMENT_TYPE_BOOL,
    QLM_ARGUMENT_TYPE_FLAG,     /**< present is true unless it is false/0/no/off */
    QLM_ARGUMENT_TYPE_DATE,     /**< end of that day */
    QLM_ARGUMENT_TYPE_FEATURES, /**< number = the four sets, set 0 lowest */
    QLM_ARGUMENT_TYPE_MODEL,
    QLM_ARGUMENT_TYPE_ENGINE /**< an unreadable one counts as not given */
} qlm_argument_type_t;

typedef struct qlm_argument_row_t {
    const char *names; /**< blank-separated spellings */
    qlm_argument_type_t type;
    apr_int64_t min, max;
    const char *help;
} qlm_argument_row_t;

/** One parameter of a method. */
typedef struct qlm_parameter_t {
    qlm_argument_t argument; /**< QLM_ARGUMENT_NONE ends a list */
    int is_required;
} qlm_parameter_t;

typedef struct qlm_value_t {
    int is_given;
    const char *text;
    apr_int64_t number;
} qlm_value_t;

/** Typed values by argument. */
typedef struct qlm_arguments_t {
    qlm_value_t value[QLM_ARGUMENT_COUNT];
} qlm_arguments_t;

const qlm_argument_row_t *qlm_argument_row(qlm_argument_t argument);

/** The documented spelling; in @a pool where there are several. */
const char *qlm_argument_name(qlm_argument_t argument, apr_pool_t *pool);

/** The raw value of an argument under any of its spellings, by precedence of the sources; NULL if
 * absent or empty. */
const char *qlm_argument_raw(const qlm_fields_t *fields, qlm_argument_t argument, int sources);

/** Check @a fields against a method's parameters and type them.
 * @param sources  where is_* arguments may come from (QLM_FROM_*)
 * Errors: ARGUMENT 208 for a missing one (206 for the key), 5 for an unreadable one; the text names
 * the argument and what it takes. */
qlm_error_t *qlm_arguments_read(qlm_arguments_t **arguments, const qlm_parameter_t *parameters,
                                const qlm_fields_t *fields, int sources,
                                const qlm_properties_t *properties, apr_pool_t *pool);

/** The text of an argument, "" if not given. */
const char *qlm_arguments_text(const qlm_arguments_t *arguments, qlm_argument_t argument);
/** The number of an argument, @a fallback if not given. */
apr_int64_t qlm_arguments_number(const qlm_arguments_t *arguments, qlm_argument_t argument,
                                 apr_int64_t fallback);

/** The features of an argument of that type. */
void qlm_arguments_features(qlm_features_t *features, const qlm_arguments_t *arguments,
                            qlm_argument_t argument);

#endif
