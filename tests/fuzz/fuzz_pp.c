/* Product properties: any text as is_pp, and as what is stored. */
#include "fuzz/fuzz.h"
#include "license/productvalues.h"

#include "base/text.h"

#include <libxml/parser.h>

#define NOW ((apr_int64_t)1795200000)

static qlm_pp_definitions_t *define(apr_pool_t *pool)
{
    static const qlm_pp_definition_t rows[] = {
        {"limits", "seats", "{1}", QLM_PP_INT, "5", "", 1, NULL},
        {"modules", "qa", "{2}", QLM_PP_BOOL, "false", "", 1, NULL},
        {"modules", "title", "{3}", QLM_PP_STRING, "", "", 1, NULL},
        {"net", "host", "{4}", QLM_PP_IP_ADDRESS, "", "", 1, NULL},
        {"net", "range", "{5}", QLM_PP_IP_SUBNET, "", "", 1, NULL},
        {"", "names", "{6}", QLM_PP_CSV, "a,b", "", 1, NULL},
        {"other", "names", "{7}", QLM_PP_CSV, "", "", 1, NULL},
    };
    qlm_pp_definitions_t *definitions = qlm_pp_definitions_create(pool);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        qlm_pp_definitions_add(definitions, &rows[i]);
    }
    return definitions;
}

/* Whatever is stored, the document shows well-formed XML of values that fit their types. */
static void show(const char *stored, const qlm_pp_definitions_t *definitions, apr_pool_t *pool)
{
    apr_array_header_t *values = qlm_pp_values(stored, definitions, NOW, pool);
    const char *xml = qlm_pp_write(stored, definitions, NOW, pool);
    xmlDocPtr doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL,
                                  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);

    FUZZ_PROMISE(doc != NULL);
    xmlFreeDoc(doc);
    for (int i = 0; i < values->nelts; i++) {
        const qlm_pp_value_t *value = &APR_ARRAY_IDX(values, i, qlm_pp_value_t);
        const char *normal;

        if (!value->is_set) {
            FUZZ_PROMISE(value->value == value->definition->default_value);
            continue;
        }
        FUZZ_PROMISE(!qlm_pp_read_value(&normal, value->definition->type, value->value, pool));
        FUZZ_PROMISE(strcmp(normal, value->value) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    char *text = fuzz_text(data, size);
    qlm_pp_definitions_t *definitions = define(pool);
    const char *changed, *again, *oddity = NULL;
    const char *ordered = qlm_pp_apply_order(&oddity, "", text, definitions, NOW, pool);

    show(text, definitions, pool);
    show(ordered, definitions, pool);
    FUZZ_PROMISE(strlen(ordered) <= QLM_PP_STORED_MAX);
    if (!qlm_pp_apply(&changed, "", text, definitions, NOW, pool)) {
        FUZZ_PROMISE(!oddity && strcmp(changed, ordered) == 0);
        FUZZ_PROMISE(!qlm_pp_apply(&again, changed, "", definitions, NOW, pool));
        FUZZ_PROMISE(strcmp(again, changed) == 0);
    }
    else {
        FUZZ_PROMISE(oddity != NULL);
    }
    free(text);
    apr_pool_destroy(pool);
    return 0;
}
