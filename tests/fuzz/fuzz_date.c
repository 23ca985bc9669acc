/* Dates: the first line is a pattern (or empty), the rest a text to be read by it. */
#include "base/date.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char written[] = "yyyy-MM-dd HH:mm:ss";
    apr_pool_t *pool = fuzz_pool();
    char *pattern = fuzz_text(data, size);
    char *end = strchr(pattern, '\n');
    const char *text = end ? end + 1 : "";
    apr_int64_t seconds = -1, again = -1;

    if (end) {
        *end = '\0';
    }
    if (qlm_date_parse_any(&seconds, text, *pattern ? pattern : NULL)) {
        FUZZ_PROMISE(seconds >= 0 && seconds <= QLM_DATE_MAX);
        FUZZ_PROMISE(qlm_date_parse(&again, qlm_date_format(seconds, written, pool), written));
        FUZZ_PROMISE(again == seconds);
        FUZZ_PROMISE(qlm_date_end_of_day(seconds) >= seconds);
        FUZZ_PROMISE(qlm_date_end_of_day(seconds) - seconds < QLM_DATE_DAY);
        FUZZ_PROMISE(qlm_date_minute(seconds) <= seconds);
        FUZZ_PROMISE(qlm_date_add_days(seconds, (apr_int64_t)size * 1000000) <= QLM_DATE_MAX);
        FUZZ_PROMISE(qlm_date_format(seconds, pattern, pool) != NULL);
    }
    else {
        FUZZ_PROMISE(seconds == -1);
    }
    free(pattern);
    apr_pool_destroy(pool);
    return 0;
}
