/* License models (ELicenseModel) and the letters their keys begin with (QLM "ELicenseType"). */
#ifndef QLM_LICENSE_MODEL_H
#define QLM_LICENSE_MODEL_H

#include <apr.h>

typedef enum qlm_model_t {
    QLM_MODEL_NONE = 0,
    QLM_MODEL_PERMANENT,
    QLM_MODEL_TRIAL,
    QLM_MODEL_SUBSCRIPTION,
    QLM_MODEL_PERMANENT_FLOATING,
    QLM_MODEL_TRIAL_FLOATING,
    QLM_MODEL_SUBSCRIPTION_FLOATING,
    QLM_MODEL_PERMANENT_CLOUD,
    QLM_MODEL_TRIAL_CLOUD,
    QLM_MODEL_SUBSCRIPTION_CLOUD,
    QLM_MODEL_COUNT
} qlm_model_t;

/** Key engine: 5 knows only A and B keys, 6 the full table. */
typedef enum qlm_engine_t { QLM_ENGINE_5 = 5, QLM_ENGINE_6 = 6 } qlm_engine_t;

/** The token of a model, as stored and sent ("permanent_floating"); static. */
const char *qlm_model_name(qlm_model_t model);

/** Read a token, any case. @return 1 and *model set, or 0 */
int qlm_model_parse(qlm_model_t *model, const char *text);

int qlm_model_is_trial(qlm_model_t model);
int qlm_model_is_subscription(qlm_model_t model);
int qlm_model_is_floating(qlm_model_t model);
int qlm_model_is_cloud(qlm_model_t model);

/** First letter of an activation key. Engine 5: A when nothing limits the time, B otherwise;
 * generic keys G and E. */
char qlm_model_activation_prefix(qlm_model_t model, qlm_engine_t engine, int is_time_limited,
                                 int is_generic);

/** First letter of a computer key. */
char qlm_model_computer_prefix(qlm_model_t model, qlm_engine_t engine, int is_time_limited,
                               int is_generic);

/** Can @a letter begin an activation key of ours? */
int qlm_model_is_activation_prefix(char letter);

/** Read an engine version such as "5.0.00" or "6.0.00": below 6 is engine 5. @return 1 and *engine
 * set, or 0 */
int qlm_engine_parse(qlm_engine_t *engine, const char *text);

#endif
