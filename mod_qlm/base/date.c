/* Calendar arithmetic by APR; patterns by a small table of fields. */
#include "base/date.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <string.h>

/* The first part of a pattern: a field, or characters that stand for themselves. */
typedef struct part_t {
    char letter;       /* which member of the broken-down time; '\0' when it is literal */
    apr_size_t length; /* letters in the pattern; of a field, how many digits */
} part_t;

/* `pattern` is not empty. A run of letters that is no field is literal as a whole. */
static part_t next_part(const char *pattern)
{
    part_t part = {'\0', 1};

    if (strchr("yMdHms", *pattern)) {
        while (pattern[part.length] == *pattern) {
            part.length++;
        }
        if (part.length == 2 || part.length == (*pattern == 'y' ? 4 : 1)) {
            part.letter = *pattern;
        }
    }
    return part;
}

static apr_int32_t *member(apr_time_exp_t *time, char letter)
{
    switch (letter) {
    case 'y':
        return &time->tm_year;
    case 'M':
        return &time->tm_mon;
    case 'd':
        return &time->tm_mday;
    case 'H':
        return &time->tm_hour;
    case 'm':
        return &time->tm_min;
    default:
        return &time->tm_sec;
    }
}

/* Read the digits of a field: exactly its width, but 1 or 2 for a single letter. */
static int read_digits(apr_int32_t *number, const char **text, apr_size_t width)
{
    apr_size_t most = width == 1 ? 2 : width;
    apr_size_t count = 0;

    *number = 0;
    while (count < most && apr_isdigit(**text)) {
        *number = *number * 10 + (*(*text)++ - '0');
        count++;
    }
    return count >= width;
}

static int is_real(const apr_time_exp_t *time)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = time->tm_year;
    int is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return year >= 1970 && year <= 9999 && time->tm_mon >= 1 && time->tm_mon <= 12 &&
           time->tm_mday >= 1 &&
           time->tm_mday <= days[time->tm_mon - 1] + (time->tm_mon == 2 && is_leap) &&
           time->tm_hour <= 23 && time->tm_min <= 59 && time->tm_sec <= 59;
}

int qlm_date_parse(apr_int64_t *seconds, const char *text, const char *pattern)
{
    apr_time_exp_t time = {0};
    apr_time_t made;

    time.tm_mday = time.tm_mon = 1;
    time.tm_year = 1970;
    while (*pattern) {
        part_t part = next_part(pattern);

        if (part.letter) {
            if (!read_digits(member(&time, part.letter), &text, part.length)) {
                return 0;
            }
            if (part.letter == 'y' && part.length == 2) {
                time.tm_year += 2000;
            }
        }
        else {
            if (strncmp(text, pattern, part.length) != 0) {
                return 0;
            }
            text += part.length;
        }
        pattern += part.length;
    }
    if (*text || !is_real(&time)) {
        return 0;
    }
    time.tm_year -= 1900;
    time.tm_mon -= 1;
    if (apr_time_exp_gmt_get(&made, &time) != APR_SUCCESS) {
        return 0;
    }
    *seconds = apr_time_sec(made);
    return 1;
}

int qlm_date_parse_any(apr_int64_t *seconds, const char *text, const char *pattern)
{
    static const char *const patterns[] = {"yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm",
                                           "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-ddTHH:mm:ssZ"};

    if (pattern && qlm_date_parse(seconds, text, pattern)) {
        return 1;
    }
    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
        if (qlm_date_parse(seconds, text, patterns[i])) {
            return 1;
        }
    }
    return 0;
}

static apr_int64_t writable(apr_int64_t seconds)
{
    return seconds < 0 ? 0 : seconds > QLM_DATE_MAX ? QLM_DATE_MAX : seconds;
}

/* Write the last `width` digits of `number`; of a width of 1 it is the least. */
static char *write_digits(char *to, apr_int32_t number, apr_size_t width)
{
    apr_size_t digits = width == 1 && number > 9 ? 2 : width;

    for (apr_size_t i = digits; i-- > 0; number /= 10) {
        to[i] = (char)('0' + number % 10);
    }
    return to + digits;
}

const char *qlm_date_format(apr_int64_t seconds, const char *pattern, apr_pool_t *pool)
{
    apr_time_exp_t time;
    /* The letter of a field becomes two digits at most. */
    char *made = apr_palloc(pool, 2 * strlen(pattern) + 1);
    char *to = made;

    apr_time_exp_gmt(&time, apr_time_from_sec(writable(seconds)));
    time.tm_year += 1900;
    time.tm_mon += 1;
    while (*pattern) {
        part_t part = next_part(pattern);

        if (part.letter) {
            to = write_digits(to, *member(&time, part.letter), part.length);
        }
        else {
            memcpy(to, pattern, part.length);
            to += part.length;
        }
        pattern += part.length;
    }
    *to = '\0';
    return made;
}

apr_int64_t qlm_date_end_of_day(apr_int64_t seconds)
{
    seconds = writable(seconds);
    return seconds - seconds % QLM_DATE_DAY + QLM_DATE_DAY - 1;
}

apr_int64_t qlm_date_minute(apr_int64_t seconds)
{
    return seconds - seconds % 60;
}

apr_int64_t qlm_date_add_days(apr_int64_t seconds, apr_int64_t days)
{
    seconds = writable(seconds);
    if (days > (QLM_DATE_MAX - seconds) / QLM_DATE_DAY) {
        return QLM_DATE_MAX;
    }
    return qlm_date_end_of_day(days > 0 ? seconds + days * QLM_DATE_DAY : seconds);
}
