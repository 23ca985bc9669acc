/* A whole delivery from Salesforce: the message, and what the other side answers to each request,
 * one after the other, are parts of the input, separated by a line "--". The status of an answer is
 * the first three digits of its part. Whatever comes, every request goes to the login host or to a
 * host of Salesforce's, no header has two lines, no secret is noted, and what is delivered is fit
 * for the database. */
#include "fuzz/fuzz_vendor.h"

#include "vendor/vendors.h"
#include "vendor/webhook.h"

#include <apr_strings.h>

#define SECRET "s3cret-Word"

typedef struct play_t {
    char *next; /**< the answers that are left, NULL = none */
    int requests;
    apr_table_t *memory;
} play_t;

/** Cut the next part off. */
static char *next_part(play_t *play)
{
    char *part = play->next, *end = part ? strstr(part, "\n--\n") : NULL;
    play->next = end ? end + 4 : NULL;
    if (end) {
        *end = '\0';
    }
    return part;
}

static int is_salesforces(const char *url)
{
    apr_size_t length = strcspn(url + 8, "/:");
    const char *host = url + 8;
    if (strncmp(url, "https://", 8) != 0) {
        return 0;
    }
    return (length >= 15 && strncasecmp(host + length - 15, ".salesforce.com", 15) == 0) ||
           (length >= 10 && strncasecmp(host + length - 10, ".force.com", 10) == 0);
}

static qlm_error_t *fetch(qlm_fetch_response_t **response, void *baton,
                          const qlm_fetch_request_t *request, apr_pool_t *pool)
{
    play_t *play = baton;
    char *part = next_part(play), *rest = part;

    ++play->requests;
    FUZZ_PROMISE(is_salesforces(request->url) && !strpbrk(request->url, " \r\n'\"<>"));
    for (int i = 0; i < request->headers->nelts; ++i) {
        FUZZ_PROMISE(!strpbrk(APR_ARRAY_IDX(request->headers, i, const char *), "\r\n"));
    }
    if (!part) {
        return qlm_error_make(pool, QLM_ERROR_OUTBOUND, QLM_CODE_UNKNOWN, "no answer");
    }
    *response = apr_pcalloc(pool, sizeof(**response));
    (*response)->status = (int)strtol(part, &rest, 10);
    (*response)->content_type = "application/json";
    (*response)->body = apr_pstrdup(pool, rest);
    (*response)->length = strlen(rest);
    return NULL;
}

static apr_time_t clock_of(void *baton)
{
    const play_t *play = baton;
    return apr_time_from_sec(FUZZ_NOW + play->requests); /* so every delivery ends */
}

static qlm_error_t *deliver(int *done, void *baton, const apr_array_header_t *lines,
                            apr_pool_t *pool)
{
    (void)baton;
    (void)pool;
    FUZZ_PROMISE(lines->nelts > 0);
    for (int i = 0; i < lines->nelts; ++i) {
        const qlm_line_t *line = &APR_ARRAY_IDX(lines, i, qlm_line_t);
        fuzz_check_order(&line->order);
        FUZZ_PROMISE(fuzz_is_clean(line->order.comment, 255));
        FUZZ_PROMISE(*line->order.order_ref && strlen(line->order.line_ref) == 34);
        FUZZ_PROMISE(strcmp(line->arguments, "&is_productid=1") == 0);
    }
    *done = lines->nelts;
    return NULL;
}

static qlm_error_t *recall(const char **value, void *baton, const char *name, apr_pool_t *pool)
{
    const play_t *play = baton;
    const char *kept = apr_table_get(play->memory, name);
    *value = kept ? apr_pstrdup(pool, kept) : NULL;
    return NULL;
}

static qlm_error_t *remember(void *baton, const char *name, const char *value,
                             apr_int64_t expires_at, apr_pool_t *pool)
{
    const play_t *play = baton;
    (void)expires_at;
    (void)pool;
    FUZZ_PROMISE(fuzz_is_clean(name, 100));
    if (value) {
        FUZZ_PROMISE(fuzz_is_clean(value, 20000) && !strstr(value, SECRET));
        apr_table_set(play->memory, name, value);
    }
    else {
        apr_table_unset(play->memory, name);
    }
    return NULL;
}

static void note(void *baton, const char *text)
{
    (void)baton;
    FUZZ_PROMISE(fuzz_is_clean(text, 4000) && !strstr(text, SECRET));
}

static void receive(char *message, play_t *play, apr_pool_t *pool)
{
    static const qlm_credentials_t credentials = {"bot@acme.example", SECRET, "", SECRET, SECRET};
    qlm_fields_t *fields = qlm_fields_create(pool);
    qlm_properties_t *properties = qlm_properties_create(pool);
    qlm_callback_t callback = {fields, properties, FUZZ_NOW};
    qlm_fetcher_t fetcher = {fetch, play};
    qlm_webhook_t webhook = {.callback = &callback,
                             .credentials = &credentials,
                             .fetcher = &fetcher,
                             .deadline = apr_time_from_sec(FUZZ_NOW + 45),
                             .clock = clock_of,
                             .deliver = deliver,
                             .recall = recall,
                             .remember = remember,
                             .note = note,
                             .baton = play};
    qlm_answer_t answer = {0, NULL, NULL};
    qlm_properties_put(properties, "salesforce_pid_001", "&is_productid=1");
    qlm_fields_add(fields, "XML", message, QLM_FROM_BODY);
    qlm_error_t *error = qlm_vendor_salesforce.receive(&answer, &webhook, pool);
    FUZZ_PROMISE(answer.body && answer.content_type && !strstr(answer.body, SECRET));
    if (error) {
        FUZZ_PROMISE(error->kind == QLM_ERROR_ARGUMENT || error->kind == QLM_ERROR_DENIED);
        FUZZ_PROMISE(answer.http_status >= 400 && strncmp(answer.body, "Error: ", 7) == 0);
    }
    else {
        FUZZ_PROMISE(answer.http_status == 200 && strstr(answer.body, "<Ack>"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    char *text = fuzz_text(data, size);
    play_t play = {text, 0, apr_table_make(pool, 4)};

    if (!strstr(text, SECRET)) { /* what the input says itself is not given away by us */
        receive(next_part(&play), &play, pool);
    }
    free(text);
    apr_pool_destroy(pool);
    return 0;
}
