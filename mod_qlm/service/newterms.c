/* New terms for a license that is there. */
#include "service/newterms.h"

#include "base/date.h"
#include "license/renewal.h"

static int is_given(const qlm_call_t *call, qlm_argument_t argument)
{
    return call->arguments->value[argument].is_given;
}

/* ---- the product ------------------------------------------------------------------------------
 */

/* An order or a subscription may hold several products: of those only the ones that is_productid
 * names are meant. */
static qlm_error_t *check_move(const qlm_changing_t *changing, apr_pool_t *pool)
{
    if (changing->is_only || changing->after.product_id == changing->view->license.product_id) {
        return NULL;
    }
    return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_WRONG_PRODUCT,
                          "the license is of product %d: name it by is_avkey to move it to another "
                          "product",
                          changing->view->license.product_id);
}

static qlm_error_t *set_product(qlm_changing_t *changing, apr_pool_t *pool)
{
    const qlm_call_t *call = changing->call;
    qlm_license_t *after = &changing->after;

    if (!is_given(call, QLM_ARGUMENT_PRODUCT) && !is_given(call, QLM_ARGUMENT_MAJOR) &&
        !is_given(call, QLM_ARGUMENT_MINOR)) {
        return NULL;
    }
    after->product_id =
        (int)qlm_arguments_number(call->arguments, QLM_ARGUMENT_PRODUCT, after->product_id);
    after->major = (int)qlm_arguments_number(call->arguments, QLM_ARGUMENT_MAJOR, after->major);
    after->minor = (int)qlm_arguments_number(call->arguments, QLM_ARGUMENT_MINOR, after->minor);
    QLM_TRY(check_move(changing, pool));
    if (qlm_snapshot_product(call->site, after->product_id, after->major, after->minor)) {
        return NULL;
    }
    return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_PRODUCT_NOT_FOUND,
                          "unknown product %d version %d.%d: check is_productid, is_majorversion "
                          "and is_minorversion, or define the product on the license server",
                          after->product_id, after->major, after->minor);
}

/* ---- the model --------------------------------------------------------------------------------
 */

/* Plain, floating and cloud models come in the same three kinds: permanent, trial, subscription. */
static int kind_of(qlm_model_t model)
{
    return ((int)model - QLM_MODEL_PERMANENT) % 3;
}

static int family_of(qlm_model_t model)
{
    return ((int)model - QLM_MODEL_PERMANENT) / 3;
}

/* A plain name says the kind; the family is in the key, which stays. */
static qlm_error_t *fit_to_key(qlm_model_t *model, const qlm_license_t *license, apr_pool_t *pool)
{
    if (family_of(*model) == 0) {
        *model =
            (qlm_model_t)(QLM_MODEL_PERMANENT + 3 * family_of(license->model) + kind_of(*model));
    }
    if (family_of(*model) == family_of(license->model)) {
        return NULL;
    }
    return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_LICENSE_ERROR,
                          "the key is of the model %s and cannot become %s: replace it by "
                          "UpgradeLicense",
                          qlm_model_name(license->model), qlm_model_name(*model));
}

/* The units that were sold are seats of the new family. */
static void convert_seats(qlm_license_t *license, qlm_model_t model)
{
    int seats =
        qlm_model_is_floating(license->model) ? license->floating_seats : license->num_licenses;

    if (family_of(model) == family_of(license->model)) {
        return;
    }
    license->floating_seats = family_of(model) == 0 ? 1 : seats;
    license->num_licenses = qlm_model_is_floating(model) ? 1 : seats;
}

static qlm_error_t *set_model(qlm_changing_t *changing, int is_new_key, apr_pool_t *pool)
{
    qlm_license_t *after = &changing->after;
    qlm_model_t model = (qlm_model_t)qlm_arguments_number(changing->call->arguments,
                                                          QLM_ARGUMENT_MODEL, QLM_MODEL_NONE);

    if (model == QLM_MODEL_NONE) {
        return NULL;
    }
    if (!is_new_key) {
        QLM_TRY(fit_to_key(&model, after, pool));
    }
    convert_seats(after, model);
    after->model = model;
    if (kind_of(model) == kind_of(QLM_MODEL_PERMANENT)) {
        after->expires_at = 0;
        after->duration_days = -1;
    }
    return NULL;
}

/* ---- the end ----------------------------------------------------------------------------------
 */

/* As a new license gets it: is_expdate wins, days count from today. */
static void set_end(qlm_changing_t *changing)
{
    const qlm_call_t *call = changing->call;
    apr_int64_t date = qlm_arguments_number(call->arguments, QLM_ARGUMENT_EXPIRY, 0);
    apr_int64_t days = qlm_arguments_number(call->arguments, QLM_ARGUMENT_DURATION, 0);

    if (!date && days && qlm_properties_bool(call->properties, QLM_PROPERTY_DURATION_SETS_DATE)) {
        date = qlm_date_add_days(call->now, days);
    }
    if (date) {
        changing->after.expires_at = date;
    }
    if (days) {
        changing->after.duration_days = (int)days;
    }
}

static qlm_error_t *check_end(const qlm_changing_t *changing, apr_pool_t *pool)
{
    const qlm_license_t *after = &changing->after;

    if (!is_given(changing->call, QLM_ARGUMENT_MODEL) || !qlm_renewal_is_endless(after) ||
        kind_of(after->model) == kind_of(QLM_MODEL_PERMANENT)) {
        return NULL;
    }
    return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_MISSING_ARGUMENT,
                          "a license of the model %s needs an end: add is_expdate or "
                          "is_expduration",
                          qlm_model_name(after->model));
}

/* ---- the rest ---------------------------------------------------------------------------------
 */

static void set_texts(qlm_changing_t *changing)
{
    const qlm_call_t *call = changing->call;
    qlm_license_t *after = &changing->after;
    qlm_features_t features;

    if (is_given(call, QLM_ARGUMENT_FEATURES)) {
        qlm_arguments_features(&features, call->arguments, QLM_ARGUMENT_FEATURES);
        after->features = qlm_features_format(&features, call->pool);
    }
    if (is_given(call, QLM_ARGUMENT_USER_DATA)) {
        after->user_data = qlm_arguments_text(call->arguments, QLM_ARGUMENT_USER_DATA);
    }
    if (is_given(call, QLM_ARGUMENT_AFFILIATE)) {
        after->affiliate_id = qlm_arguments_text(call->arguments, QLM_ARGUMENT_AFFILIATE);
    }
    after->engine = (qlm_engine_t)qlm_arguments_number(call->arguments, QLM_ARGUMENT_QLM_VERSION,
                                                       after->engine);
}

qlm_error_t *qlm_newterms_apply(qlm_changing_t *changing, int is_new_key, apr_pool_t *pool)
{
    QLM_TRY(set_product(changing, pool));
    QLM_TRY(set_model(changing, is_new_key, pool));
    set_end(changing);
    QLM_TRY(check_end(changing, pool));
    set_texts(changing);
    return NULL;
}
