/* A world for Salesforce's translator: what it may fetch is a script of recorded exchanges that
 * must be asked for one after the other; memory, time, log and delivery are kept here. */
#ifndef QLM_TESTS_SALESFORCE_FIXTURE_H
#define QLM_TESTS_SALESFORCE_FIXTURE_H

#include "vendor/soap.h"
#include "vendor/vendors.h"
#include "vendor/webhook.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#define WORLD_NOW       ((apr_int64_t)1795248000) /* 2026-11-21 08:00:00 */
#define WORLD_LOGIN_URL "https://login.salesforce.com/services/oauth2/token"
#define WORLD_TOKEN     "00D7Q00000Demo1!AQ4AQDemo"

/** One request that is expected, and what comes back. */
typedef struct exchange_t {
    const char *method, *url; /**< the URL with its escapes undone */
    const char *sends;        /**< the body; NULL = any */
    const char *bearer;       /**< NULL = any */
    int status;               /**< 0 = no answer at all */
    const char *content_type, *body;
    int seconds; /**< how long it takes */
} exchange_t;

typedef struct world_t {
    apr_pool_t *pool;
    apr_array_header_t *script; /**< of exchange_t */
    int played;
    apr_table_t *memory;
    apr_array_header_t *notes;      /**< of const char * */
    apr_array_header_t *lines;      /**< of qlm_line_t, all that were delivered */
    int deliveries;                 /**< calls of deliver */
    int failing_delivery;           /**< which of them fails, 0 = none, -1 = all */
    qlm_error_kind_t delivery_kind; /**< how */
    int is_memory_broken;
    apr_time_t time;
    qlm_properties_t *properties;
    qlm_credentials_t credentials;
    qlm_fetcher_t fetcher;
    qlm_callback_t callback;
    qlm_webhook_t webhook;
} world_t;

static world_t *world;
static apr_pool_t *pool;

/** As a form's value is unescaped, so that scripts show queries as they are meant. */
static inline const char *world_unescape(const char *text)
{
    qlm_fields_t *fields = qlm_fields_create(pool);
    const char *pair = apr_pstrcat(pool, "x=", text, NULL);
    ck_assert_ptr_null(qlm_fields_parse(fields, pair, strlen(pair), QLM_FROM_URL));
    const char *value = qlm_fields_get(fields, "x", QLM_FROM_URL);
    return value ? value : "";
}

static inline const char *world_url(const char *url)
{
    const char *query = strstr(url, "?q=");
    return query ? apr_pstrcat(pool, apr_pstrmemdup(pool, url, (apr_size_t)(query - url) + 3),
                               world_unescape(query + 3), NULL)
                 : url;
}

static inline const char *world_header(const qlm_fetch_request_t *request, const char *name)
{
    for (int i = 0; request->headers && i < request->headers->nelts; ++i) {
        const char *header = APR_ARRAY_IDX(request->headers, i, const char *);
        ck_assert_msg(!strpbrk(header, "\r\n"), "a header of two lines: %s", header);
        if (strncasecmp(header, name, strlen(name)) == 0 && header[strlen(name)] == ':') {
            return header + strlen(name) + 2;
        }
    }
    return "";
}

static inline qlm_error_t *world_fetch(qlm_fetch_response_t **response, void *baton,
                                       const qlm_fetch_request_t *request, apr_pool_t *to)
{
    const char *url = world_url(request->url);
    ck_assert_ptr_eq(baton, world);
    ck_assert_msg(world->played < world->script->nelts, "an exchange too many: %s %s",
                  request->method, url);
    const exchange_t *exchange = &APR_ARRAY_IDX(world->script, world->played++, exchange_t);
    ck_assert_str_eq(request->method, exchange->method);
    ck_assert_str_eq(url, exchange->url);
    if (exchange->sends) {
        ck_assert_str_eq(request->body, exchange->sends);
        ck_assert_str_eq(request->content_type, "application/x-www-form-urlencoded");
    }
    if (exchange->bearer) {
        ck_assert_str_eq(world_header(request, "Authorization"),
                         apr_pstrcat(pool, "Bearer ", exchange->bearer, NULL));
    }
    world->time += apr_time_from_sec(exchange->seconds);
    if (exchange->status == 0) {
        return qlm_error_make(to, QLM_ERROR_OUTBOUND, QLM_CODE_UNKNOWN, "no answer: time-out");
    }
    /* in the request's pool, as contracted: nothing may be used after it */
    qlm_fetch_response_t *made = apr_pcalloc(to, sizeof(*made));
    made->status = exchange->status;
    made->content_type = exchange->content_type;
    made->length = strlen(exchange->body);
    made->body = apr_pstrdup(to, exchange->body);
    *response = made;
    return NULL;
}

static inline apr_time_t world_clock(void *baton)
{
    ck_assert_ptr_eq(baton, world);
    return world->time;
}

static inline qlm_error_t *world_deliver(int *done, void *baton, const apr_array_header_t *lines,
                                         apr_pool_t *to)
{
    ck_assert_ptr_eq(baton, world);
    ck_assert_int_gt(lines->nelts, 0);
    ++world->deliveries;
    if (world->failing_delivery == world->deliveries || world->failing_delivery == -1) {
        return qlm_error_make(to, world->delivery_kind, QLM_CODE_DATABASE, "delivery failed");
    }
    for (int i = 0; i < lines->nelts; ++i) {
        qlm_line_t line = APR_ARRAY_IDX(lines, i, qlm_line_t);
        const char **texts[] = {&line.arguments,
                                &line.order.order_ref,
                                &line.order.line_ref,
                                &line.order.shop_product,
                                &line.order.comment,
                                &line.order.customer.email,
                                &line.order.customer.full_name,
                                &line.order.customer.company,
                                &line.order.customer.phone,
                                &line.order.customer.address1,
                                &line.order.customer.address2,
                                &line.order.customer.city,
                                &line.order.customer.state,
                                &line.order.customer.zip,
                                &line.order.customer.country};
        for (apr_size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); ++j) {
            *texts[j] = apr_pstrdup(world->pool, *texts[j]);
        }
        ck_assert_str_eq(line.order.vendor, "salesforce");
        ck_assert_int_eq(line.order.is_remembered, 1);
        ck_assert_ptr_null(line.order.oddity);
        APR_ARRAY_PUSH(world->lines, qlm_line_t) = line;
    }
    *done = lines->nelts;
    return NULL;
}

static inline qlm_error_t *world_recall(const char **value, void *baton, const char *name,
                                        apr_pool_t *to)
{
    ck_assert_ptr_eq(baton, world);
    if (world->is_memory_broken) {
        return qlm_error_store(to, "no memory");
    }
    const char *kept = apr_table_get(world->memory, name);
    *value = kept ? apr_pstrdup(to, kept) : NULL;
    return NULL;
}

static inline qlm_error_t *world_remember(void *baton, const char *name, const char *value,
                                          apr_int64_t expires_at, apr_pool_t *to)
{
    ck_assert_ptr_eq(baton, world);
    if (world->is_memory_broken) {
        return qlm_error_store(to, "no memory");
    }
    if (value) {
        ck_assert_int_gt(expires_at, WORLD_NOW);
        apr_table_set(world->memory, name, value);
    }
    else {
        apr_table_unset(world->memory, name);
    }
    return NULL;
}

static inline void world_note(void *baton, const char *text)
{
    ck_assert_ptr_eq(baton, world);
    APR_ARRAY_PUSH(world->notes, const char *) = apr_pstrdup(world->pool, text);
}

static inline void world_create(void)
{
    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    world = apr_pcalloc(pool, sizeof(*world));
    world->pool = pool;
    world->script = apr_array_make(pool, 8, sizeof(exchange_t));
    world->memory = apr_table_make(pool, 8);
    world->notes = apr_array_make(pool, 8, sizeof(const char *));
    world->lines = apr_array_make(pool, 8, sizeof(qlm_line_t));
    world->delivery_kind = QLM_ERROR_STORE;
    world->time = apr_time_from_sec(WORLD_NOW);
    world->properties = qlm_properties_create(pool);
    qlm_properties_put(world->properties, "salesforce_pid_001",
                       "&is_productid=1&is_minorversion=0");
    world->credentials =
        (qlm_credentials_t){"bot@acme.example", "Pa55word!XyZtokEN", "", "3MVG9demoKey", "55DEMO"};
    world->fetcher = (qlm_fetcher_t){world_fetch, world};
    world->callback = (qlm_callback_t){qlm_fields_create(pool), world->properties, WORLD_NOW};
    world->webhook = (qlm_webhook_t){.callback = &world->callback,
                                     .credentials = &world->credentials,
                                     .fetcher = &world->fetcher,
                                     .deadline = world->time + apr_time_from_sec(45),
                                     .clock = world_clock,
                                     .deliver = world_deliver,
                                     .recall = world_recall,
                                     .remember = world_remember,
                                     .note = world_note,
                                     .baton = world};
}

static inline void world_destroy(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

/** All that was noted, one a line. */
static inline const char *world_notes(void)
{
    return apr_array_pstrcat(pool, world->notes, '\n');
}

/** Nothing that was written down anywhere but in the memory may hold a secret. */
static inline void world_check_secrets(const char *answer)
{
    const char *const secrets[] = {world->credentials.password,
                                   world->credentials.api_key,
                                   world->credentials.shared_key,
                                   WORLD_TOKEN,
                                   "AQ4AQ",
                                   "BEGIN "};
    const char *written = apr_pstrcat(pool, world_notes(), answer, NULL);
    for (apr_size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); ++i) {
        ck_assert_msg(!*secrets[i] || !strstr(written, secrets[i]), "a secret in: %s", written);
    }
}

/** Deliver @a message. @return the answer; *error is what receive returned */
static inline const qlm_answer_t *world_receive(qlm_error_t **error, const char *message)
{
    qlm_answer_t *answer = apr_pcalloc(pool, sizeof(*answer));
    qlm_fields_t *fields = qlm_fields_create(pool);
    ck_assert_ptr_null(qlm_fields_add(fields, "XML", message, QLM_FROM_BODY));
    world->callback.fields = fields;
    *error = qlm_vendor_salesforce.receive(answer, &world->webhook, pool);
    ck_assert_ptr_nonnull(answer->body);
    world_check_secrets(answer->body);
    ck_assert_msg(world->played == world->script->nelts, "%d of %d exchanges asked for:\n%s",
                  world->played, world->script->nelts, world_notes());
    return answer;
}

static inline exchange_t *last_exchange(void)
{
    ck_assert_int_gt(world->script->nelts, 0);
    return &APR_ARRAY_IDX(world->script, world->script->nelts - 1, exchange_t);
}

/* ---- exchanges by hand ---- */

#define ORGANIZATION "00D7Q00000Demo1EAC"
#define ORDER_1      "8017Q000005Zx1QAAS"
#define ORDER_2      "8017Q000005Zx2QAAS"
#define INSTANCE     "https://acme-demo.my.salesforce.com"
#define QUERY_URL    INSTANCE "/services/data/v60.0/query/?q="

#define ORDER_FIELDS                                                                               \
    "Id, OrderNumber, StatusCode, Status, EffectiveDate, AccountId, Account.Name, "                \
    "BillToContact.Id, BillToContact.FirstName, BillToContact.LastName, BillToContact.Email, "     \
    "BillToContact.Phone, CustomerAuthorizedBy.Id, CustomerAuthorizedBy.FirstName, "               \
    "CustomerAuthorizedBy.LastName, CustomerAuthorizedBy.Email, CustomerAuthorizedBy.Phone, "      \
    "BillingStreet, BillingCity, BillingState, BillingPostalCode, BillingCountry"
#define ITEM_FIELDS                                                                                \
    "Id, Quantity, Product2.ProductCode, Description, ServiceDate, EndDate, Product2.Id, "         \
    "Product2.Name, PricebookEntry.Product2.ProductCode"

static inline const char *message_from(const char *organization, const char *notifications)
{
    return apr_pstrcat(
        pool,
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" "
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><notifications "
        "xmlns=\"http://soap.sforce.com/2005/09/outbound\"><OrganizationId>",
        organization, "</OrganizationId><SessionId xsi:nil=\"true\"/>", notifications,
        "</notifications></soapenv:Body></soapenv:Envelope>", NULL);
}

static inline const char *notification(const char *id, const char *order_id)
{
    return apr_pstrcat(pool, "<Notification><Id>", id,
                       "</Id><sObject xsi:type=\"sf:Order\" "
                       "xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\"><sf:Id>",
                       order_id, "</sf:Id></sObject></Notification>", NULL);
}

static inline const char *message_of(const char *order_id)
{
    return message_from(ORGANIZATION, notification("04l7Q000001Dm01QAC", order_id));
}

static inline exchange_t *expect(const char *method, const char *url, int status, const char *body)
{
    exchange_t exchange = {.method = method, .url = url, .status = status, .body = body};
    exchange.content_type = "application/json;charset=UTF-8";
    APR_ARRAY_PUSH(world->script, exchange_t) = exchange;
    return last_exchange();
}

static inline const char *token_answer(const char *token, const char *instance)
{
    return apr_psprintf(pool,
                        "{\"access_token\":\"%s\",\"instance_url\":\"%s\",\"id\":"
                        "\"https://login.salesforce.com/id/" ORGANIZATION
                        "/0057Q000000Dm01QAE\",\"token_type\":\"Bearer\"}",
                        token, instance);
}

static inline void expect_login(void)
{
    expect("POST", WORLD_LOGIN_URL, 200, token_answer(WORLD_TOKEN, INSTANCE));
}

static inline const char *order_url(const char *id)
{
    return apr_pstrcat(pool, QUERY_URL "SELECT " ORDER_FIELDS " FROM Order WHERE Id = '", id, "'",
                       NULL);
}

static inline const char *items_url(const char *id)
{
    return apr_pstrcat(pool, QUERY_URL "SELECT " ITEM_FIELDS " FROM OrderItem WHERE OrderId = '",
                       id, "' ORDER BY OrderItemNumber", NULL);
}

/** "{'a':1}" with double quotes, for the eye. */
static inline const char *json(const char *text)
{
    char *made = apr_pstrdup(pool, text);
    for (char *p = made; *p; ++p) {
        *p = *p == '\'' ? '"' : *p == '`' ? '\'' : *p;
    }
    return made;
}

static inline const char *records(const char *text)
{
    return apr_pstrcat(pool, "{\"totalSize\":1,\"done\":true,\"records\":[", json(text), "]}",
                       NULL);
}

static inline const char *order_record(const char *id, const char *more)
{
    return apr_psprintf(pool,
                        "{'Id':'%s','OrderNumber':'00000137','StatusCode':'Activated'"
                        "%s%s}",
                        id, *more ? "," : "", more);
}

#define CONTACT                                                                                    \
    "'CustomerAuthorizedBy':{'FirstName':'Ada','LastName':'Byron','Email':'ada@byron.example'}"

static inline const char *item_record(const char *id, const char *code, const char *quantity)
{
    return apr_psprintf(pool, "{'Id':'%s','Quantity':%s,'Product2':{'ProductCode':%s}}", id,
                        quantity, code);
}

static inline void expect_order(const char *id, const char *more)
{
    expect("GET", order_url(id), 200, records(order_record(id, more)));
}

static inline void expect_items(const char *id, const char *items)
{
    expect("GET", items_url(id), 200, records(items));
}

static inline const char *good_item(void)
{
    return item_record("8027Q00000AbCd1QAF", "'001'", "2.0");
}

/** Forget what was played, keep the memory: the next delivery. */
static inline void next_delivery(void)
{
    world->script->nelts = world->played = 0;
    world->notes->nelts = world->lines->nelts = 0;
}

static inline void check_ack(const char *message, int is_taken)
{
    qlm_error_t *error;
    const qlm_answer_t *answer = world_receive(&error, message);
    ck_assert_msg(!error, "%s", error ? error->text : "");
    ck_assert_int_eq(answer->http_status, 200);
    ck_assert_str_eq(answer->content_type, "text/xml; charset=UTF-8");
    ck_assert_msg(strstr(answer->body, is_taken ? "<Ack>true</Ack>" : "<Ack>false</Ack>") != NULL,
                  "%s\n%s", answer->body, world_notes());
}

static inline void check_noted(const char *part)
{
    ck_assert_msg(strstr(world_notes(), part) != NULL, "'%s' is not in:\n%s", part, world_notes());
}

static inline const char *refusal_of(qlm_error_kind_t kind, int status, const char *message)
{
    qlm_error_t *error;
    const qlm_answer_t *answer = world_receive(&error, message);
    ck_assert_msg(error != NULL, "accepted %.80s", message);
    ck_assert_int_eq(error->kind, kind);
    ck_assert_int_eq(answer->http_status, status);
    ck_assert_str_eq(answer->content_type, "text/plain; charset=UTF-8");
    ck_assert_msg(strncmp(answer->body, "Error: ", 7) == 0, "%s", answer->body);
    ck_assert_ptr_null(strchr(answer->body, '<'));
    return error->text;
}

#endif
