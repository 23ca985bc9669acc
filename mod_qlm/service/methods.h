/* The method table: what may be called, with which arguments, by whom, and how it fails. */
#ifndef QLM_SERVICE_METHODS_H
#define QLM_SERVICE_METHODS_H

#include "base/error.h"
#include "license/properties.h"
#include "service/arguments.h"

struct qlm_call_t;
struct qlm_reply_t;

/** Who must prove to be who. */
typedef enum qlm_permission_t {
    QLM_PERMISSION_PUBLIC,  /**< anybody */
    QLM_PERMISSION_OFFERED, /**< anybody, but credentials that are given must be right */
    QLM_PERMISSION_VENDOR,  /**< the vendor named, with its credentials */
    QLM_PERMISSION_RELEASE  /**< as VENDOR, or as OFFERED where the property
                               releaseLicenseRequiresAuthentication is false */
} qlm_permission_t;

/** The form of answers and failures. */
typedef enum qlm_form_t {
    QLM_FORM_XML,      /**< `<QuickLicenseManager>` fragment */
    QLM_FORM_JSON,     /**< JSON, failures too */
    QLM_FORM_CHOSEN,   /**< JSON where is_format asks for it, else XML */
    QLM_FORM_DOCUMENT, /**< license document, signed, failures too */
    QLM_FORM_VENDOR    /**< as the vendor's translator writes it */
} qlm_form_t;

typedef struct qlm_method_t {
    const char *name;
    const char *summary; /**< one sentence for the index page */
    qlm_permission_t permission;
    qlm_form_t form;
    int gate; /**< the property that must be true, or -1 */
    const qlm_parameter_t *parameters;
    /** Do it. The reply's outcome, subject and body (or the call's content) are set on success. */
    qlm_error_t *(*run)(struct qlm_reply_t *reply, struct qlm_call_t *call);
} qlm_method_t;

/** All methods in alphabetical order; the last has a NULL name. */
extern const qlm_method_t qlm_methods[];

/** What separates methods in a property that lists some. */
#define QLM_METHOD_SEPARATORS ";, \t\r\n"

/** Another name in circulation for a method. */
typedef struct qlm_method_alias_t {
    const char *name;
    const char *method; /**< as the method table spells it */
} qlm_method_alias_t;

/** All aliases; the last has a NULL name. */
extern const qlm_method_alias_t qlm_method_aliases[];

/** Find by name or alias, any case. @return NULL if there is none */
const qlm_method_t *qlm_method_find(const char *name);

#endif
