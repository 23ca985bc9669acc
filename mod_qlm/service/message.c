/* Filling in the blanks of a sentence. */
#include "service/message.h"

#include "base/buffer.h"

/* The value of the blank at @a at, "{0}" to "{9}"; NULL if there is none. */
static const char *find_value(const char *at, const char *const *values)
{
    int wanted = at[1] - '0';

    if (at[0] != '{' || wanted < 0 || wanted > 9 || at[2] != '}') {
        return NULL;
    }
    while (wanted > 0 && *values) {
        wanted--;
        values++;
    }
    return *values;
}

const char *qlm_message(const qlm_properties_t *properties, qlm_property_t property,
                        const char *const *values, apr_pool_t *pool)
{
    qlm_buffer_t *buffer = qlm_buffer_create(256, pool);
    const char *text = qlm_properties_text(properties, property);

    while (*text) {
        const char *value = find_value(text, values);

        if (value) {
            qlm_buffer_add(buffer, value);
            text += 3;
        }
        else {
            qlm_buffer_add_bytes(buffer, text++, 1);
        }
    }
    return buffer->text;
}
