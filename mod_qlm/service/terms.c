/* Terms: the rules by which an absent argument gets its value. */
#include "service/terms.h"

#include "base/date.h"

#define PLAN_DAYS 365 /* of a maintenance plan, if nobody says how many */

static qlm_model_t default_model(const qlm_properties_t *properties, qlm_property_t property)
{
    qlm_model_t model = QLM_MODEL_NONE;

    if (!qlm_model_parse(&model, qlm_properties_text(properties, property)) ||
        model == QLM_MODEL_NONE) {
        model = QLM_MODEL_SUBSCRIPTION;
    }
    return model;
}

/* Given, else by the date, else by the duration, else permanent; is_floating makes it the floating
 * kind. */
static qlm_model_t choose_model(const qlm_arguments_t *arguments, const qlm_order_t *order,
                                const qlm_properties_t *properties)
{
    qlm_model_t model =
        (qlm_model_t)qlm_arguments_number(arguments, QLM_ARGUMENT_MODEL, QLM_MODEL_NONE);

    if (model == QLM_MODEL_NONE) {
        if (qlm_arguments_number(arguments, QLM_ARGUMENT_EXPIRY, 0) || order->expires_at) {
            model = default_model(properties, QLM_PROPERTY_MODEL_WHEN_DATE);
        }
        else if (qlm_arguments_number(arguments, QLM_ARGUMENT_DURATION, 0)) {
            model = default_model(properties, QLM_PROPERTY_MODEL_WHEN_DURATION);
        }
        else {
            model = QLM_MODEL_PERMANENT;
        }
    }
    if (qlm_arguments_number(arguments, QLM_ARGUMENT_FLOATING, 0) &&
        model <= QLM_MODEL_SUBSCRIPTION) {
        model = (qlm_model_t)(model + QLM_MODEL_PERMANENT_FLOATING - QLM_MODEL_PERMANENT);
    }
    return model;
}

static qlm_engine_t choose_engine(const qlm_arguments_t *arguments,
                                  const qlm_properties_t *properties)
{
    qlm_engine_t engine = QLM_ENGINE_6;

    qlm_engine_parse(&engine, qlm_properties_text(properties, QLM_PROPERTY_DEFAULT_QLM_VERSION));
    return (qlm_engine_t)qlm_arguments_number(arguments, QLM_ARGUMENT_QLM_VERSION, engine);
}

/* is_expdate wins, then the shop's own period, then the duration from today. */
static apr_int64_t choose_expiry(const qlm_arguments_t *arguments, const qlm_order_t *order,
                                 const qlm_properties_t *properties, apr_int64_t now)
{
    apr_int64_t date = qlm_arguments_number(arguments, QLM_ARGUMENT_EXPIRY, order->expires_at);
    apr_int64_t days = qlm_arguments_number(arguments, QLM_ARGUMENT_DURATION, 0);

    if (!date && days && qlm_properties_bool(properties, QLM_PROPERTY_DURATION_SETS_DATE)) {
        date = qlm_date_add_days(now, days);
    }
    return date;
}

/* A plan of no days would be over on the day it is bought. */
apr_int64_t qlm_terms_plan_days(const qlm_arguments_t *arguments,
                                const qlm_properties_t *properties)
{
    apr_int64_t period = qlm_properties_int(properties, QLM_PROPERTY_MAINTENANCE_DAYS);

    return qlm_arguments_number(arguments, QLM_ARGUMENT_PLAN_DAYS, period > 0 ? period : PLAN_DAYS);
}

static apr_int64_t choose_maintenance(const qlm_arguments_t *arguments,
                                      const qlm_properties_t *properties, apr_int64_t now)
{
    return qlm_arguments_number(arguments, QLM_ARGUMENT_PLAN, 0)
               ? qlm_date_add_days(now, qlm_terms_plan_days(arguments, properties))
               : 0;
}

void qlm_terms_read(qlm_terms_t *terms, const qlm_arguments_t *arguments, const qlm_order_t *order,
                    const qlm_properties_t *properties, apr_int64_t now)
{
    terms->product_id = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_PRODUCT, 0);
    terms->major = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_MAJOR, 0);
    terms->minor = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_MINOR, 0);
    terms->model = choose_model(arguments, order, properties);
    terms->engine = choose_engine(arguments, properties);
    terms->is_generic = 0;
    qlm_arguments_features(&terms->features, arguments, QLM_ARGUMENT_FEATURES);
    terms->use_one_key = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_ONE_KEY, 1);
    terms->activations_per_key = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_PER_KEY, 0);
    if (terms->activations_per_key < 0) {
        terms->activations_per_key = 0;
    }
    terms->additional_activations =
        (int)qlm_arguments_number(arguments, QLM_ARGUMENT_ADDITIONAL, 0);
    terms->is_floating = qlm_model_is_floating(terms->model);
    terms->duration_days = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_DURATION, -1);
    terms->expires_at = choose_expiry(arguments, order, properties, now);
    terms->maintenance_until = choose_maintenance(arguments, properties, now);
    terms->computer_type = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_COMPUTER_TYPE, 0);
    terms->affiliate_id = qlm_arguments_text(arguments, QLM_ARGUMENT_AFFILIATE);
    terms->user_data = qlm_arguments_text(arguments, QLM_ARGUMENT_USER_DATA);
    terms->legacy_key = qlm_arguments_text(arguments, QLM_ARGUMENT_LEGACY_KEY);
    terms->properties = qlm_arguments_text(arguments, QLM_ARGUMENT_PROPERTIES);
}
