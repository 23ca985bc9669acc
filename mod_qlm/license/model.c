/* License models and key letters: two tables, and questions to them. */
#include "license/model.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

/* What a model is made of: its term, and how its seats are shared. */
typedef enum term_t { TERM_PERMANENT, TERM_TRIAL, TERM_SUBSCRIPTION } term_t;
typedef enum sharing_t { SHARING_NONE, SHARING_FLOATING, SHARING_CLOUD } sharing_t;

typedef struct model_row_t {
    const char *name;
    term_t term;
    sharing_t sharing;
    char activation_prefix; /* with engine 6; 0 = as with engine 5 */
    char computer_prefix;
} model_row_t;

static const model_row_t models[QLM_MODEL_COUNT] = {
    [QLM_MODEL_NONE] = {"none", TERM_PERMANENT, SHARING_NONE, 0, 0},
    [QLM_MODEL_PERMANENT] = {"permanent", TERM_PERMANENT, SHARING_NONE, 'A', 'U'},
    [QLM_MODEL_TRIAL] = {"trial", TERM_TRIAL, SHARING_NONE, 'B', 'V'},
    [QLM_MODEL_SUBSCRIPTION] = {"subscription", TERM_SUBSCRIPTION, SHARING_NONE, 'F', 'J'},
    [QLM_MODEL_PERMANENT_FLOATING] = {"permanent_floating", TERM_PERMANENT, SHARING_FLOATING, 'K',
                                      'N'},
    [QLM_MODEL_TRIAL_FLOATING] = {"trial_floating", TERM_TRIAL, SHARING_FLOATING, 'L', 'P'},
    [QLM_MODEL_SUBSCRIPTION_FLOATING] = {"subscription_floating", TERM_SUBSCRIPTION,
                                         SHARING_FLOATING, 'M', 'Q'},
    [QLM_MODEL_PERMANENT_CLOUD] = {"permanent_cloud", TERM_PERMANENT, SHARING_CLOUD, 'R', 'W'},
    [QLM_MODEL_TRIAL_CLOUD] = {"trial_cloud", TERM_TRIAL, SHARING_CLOUD, 'S', 'X'},
    [QLM_MODEL_SUBSCRIPTION_CLOUD] = {"subscription_cloud", TERM_SUBSCRIPTION, SHARING_CLOUD, 'T',
                                      'Y'},
};

/* The row of a model; a number that is none (from a damaged record) counts as "none". */
static const model_row_t *model_row(qlm_model_t model)
{
    unsigned int index = (unsigned int)model;

    return &models[index < QLM_MODEL_COUNT ? index : QLM_MODEL_NONE];
}

const char *qlm_model_name(qlm_model_t model)
{
    return model_row(model)->name;
}

int qlm_model_parse(qlm_model_t *model, const char *text)
{
    if (qlm_text_is_empty(text)) {
        return 0;
    }
    for (int i = 0; i < QLM_MODEL_COUNT; i++) {
        if (strcasecmp(models[i].name, text) == 0) {
            *model = (qlm_model_t)i;
            return 1;
        }
    }
    return 0;
}

int qlm_model_is_trial(qlm_model_t model)
{
    return model_row(model)->term == TERM_TRIAL;
}

int qlm_model_is_subscription(qlm_model_t model)
{
    return model_row(model)->term == TERM_SUBSCRIPTION;
}

int qlm_model_is_floating(qlm_model_t model)
{
    return model_row(model)->sharing == SHARING_FLOATING;
}

int qlm_model_is_cloud(qlm_model_t model)
{
    return model_row(model)->sharing == SHARING_CLOUD;
}

/* Generic keys know only two letters, whatever the engine. */
static char generic_prefix(qlm_model_t model, int is_time_limited)
{
    return is_time_limited || qlm_model_is_trial(model) ? 'E' : 'G';
}

char qlm_model_activation_prefix(qlm_model_t model, qlm_engine_t engine, int is_time_limited,
                                 int is_generic)
{
    if (is_generic) {
        return generic_prefix(model, is_time_limited);
    }
    if (engine == QLM_ENGINE_6 && model_row(model)->activation_prefix) {
        return model_row(model)->activation_prefix;
    }
    return is_time_limited ? 'B' : 'A';
}

char qlm_model_computer_prefix(qlm_model_t model, qlm_engine_t engine, int is_time_limited,
                               int is_generic)
{
    if (is_generic) {
        return generic_prefix(model, is_time_limited);
    }
    if (engine == QLM_ENGINE_6 && model_row(model)->computer_prefix) {
        return model_row(model)->computer_prefix;
    }
    return is_time_limited ? 'V' : 'U';
}

int qlm_model_is_activation_prefix(char letter)
{
    if (letter == 'G' || letter == 'E') {
        return 1;
    }
    for (int i = 0; i < QLM_MODEL_COUNT; i++) {
        if (letter && models[i].activation_prefix == letter) {
            return 1;
        }
    }
    return 0;
}

/* The parts of a version are 1 to 5 digits, separated by single dots, at most four of them. */
int qlm_engine_parse(qlm_engine_t *engine, const char *text)
{
    int major = 0;
    const char *rest = text;

    if (qlm_text_is_empty(text)) {
        return 0;
    }
    for (int part = 0; part < 4; part++) {
        size_t digits = strspn(rest, "0123456789");

        if (digits < 1 || digits > 5) {
            return 0;
        }
        for (size_t i = 0; part == 0 && i < digits; i++) {
            major = major * 10 + (rest[i] - '0');
        }
        rest += digits;
        if (!*rest) {
            if (major > 0) {
                *engine = major < 6 ? QLM_ENGINE_5 : QLM_ENGINE_6;
            }
            return major > 0;
        }
        if (*rest++ != '.') {
            return 0;
        }
    }
    return 0;
}
