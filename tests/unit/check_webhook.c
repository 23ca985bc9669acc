/* Webhooks of shops through whole calls on a real SQLite file: products found by their mapping,
 * renewals, and Salesforce's deliveries with recorded answers of its REST API. */
#include "unit/service_fixture.h"

/* ---- ShareIt ----------------------------------------------------------------------------------
 */

#define SHAREIT "is_vendor=shareit&is_user=demo&is_pwd=demo"
#define MAPPED  "&is_productid=1&is_majorversion=1&is_minorversion=0"

static qlm_reply_t *hook(const char *query, const char *body)
{
    return call("QlmWebHookHandler", query, body);
}

static qlm_reply_t *shareit(const char *number, const char *product, const char *more)
{
    return hook(SHAREIT, apr_pstrcat(pool, "PURCHASE_ID=", number, "&PRODUCT_ID=", product,
                                     "&QUANTITY=1&RUNNING_NO=1&EMAIL=ann@buyer.example"
                                     "&FIRSTNAME=Ann&LASTNAME=Buyer",
                                     more, NULL));
}

/* The key that a shop was answered. */
static const char *key_in(const qlm_reply_t *reply)
{
    ck_assert_msg(reply->http_status == 200, "%d: %s", reply->http_status, reply->body);
    return apr_pstrmemdup(pool, reply->body, strcspn(reply->body, "\r\n"));
}

START_TEST(a_mapped_product_becomes_a_key)
{
    qlm_reply_t *reply;
    qlm_license_view_t *view;

    set_property("shareit_300123", MAPPED "&is_features=0:2&is_expduration=30");
    reply = shareit("S1", "300123", "");
    view = license_of(key_in(reply));
    ck_assert_str_eq(reply->outcome, "issued");
    ck_assert_int_eq(view->license.product_id, 1);
    ck_assert_str_eq(view->license.features, "0:2;");
    ck_assert_int_eq(view->license.expires_at, qlm_date_add_days(now, 30));
    ck_assert_str_eq(view->license.vendor, "shareit");
    ck_assert_str_eq(view->license.order_ref, "S1");
    ck_assert_str_eq(view->customer.email, "ann@buyer.example");
}
END_TEST

START_TEST(the_url_wins_over_the_mapping)
{
    qlm_reply_t *reply;

    set_property("shareit_300123", MAPPED "&is_features=0:2&is_userdata1=mapped");
    reply = hook(SHAREIT "&is_features=0:1", "PURCHASE_ID=S2&PRODUCT_ID=300123&QUANTITY=1");
    ck_assert_str_eq(license_of(key_in(reply))->license.features, "0:1;");
    ck_assert_str_eq(license_of(key_in(reply))->license.user_data, "mapped");
    /* what a buyer posts is no argument */
    reply = shareit("S3", "300123", "&is_features=0:255&is_productid=2");
    ck_assert_str_eq(license_of(key_in(reply))->license.features, "0:2;");
    ck_assert_int_eq(license_of(key_in(reply))->license.product_id, 1);
}
END_TEST

START_TEST(each_product_has_its_own_mapping)
{
    set_property("shareit_1", MAPPED);
    set_property("shareit_2", "&is_productid=2&is_majorversion=1&is_minorversion=0");
    ck_assert_int_eq(license_of(key_in(shareit("S4", "2", "")))->license.product_id, 2);
    ck_assert_int_eq(license_of(key_in(shareit("S5", "1", "")))->license.product_id, 1);
}
END_TEST

static const char *const unmapped[] = {
    "300124", "300123%27%20OR%201=1", "%", "", "300123%0a", "..%2f300123",
};

START_TEST(a_product_that_nobody_mapped_is_refused)
{
    qlm_reply_t *reply;

    set_property("shareit_300123", MAPPED);
    set_property("shareit_", MAPPED);
    reply = shareit("S6", unmapped[_i], "");
    if (strcmp(unmapped[_i], "300123%0a") == 0) { /* blanks around do not count */
        ck_assert_int_eq(reply->http_status, 200);
        return;
    }
    ck_assert_int_eq(reply->http_status, 400);
    ck_assert(strncmp(reply->body, "Error: ", 7) == 0);
    ck_assert_int_eq(count_licenses(), 0);
}
END_TEST

START_TEST(a_mapping_that_is_wrong_is_refused)
{
    set_property("shareit_300123", "&is_productid=9&is_majorversion=1&is_minorversion=0");
    ck_assert_int_eq(shareit("S7", "300123", "")->http_status, 400);
    set_property("shareit_300123", MAPPED "&is_expdate=never");
    ck_assert_int_eq(shareit("S7", "300123", "")->http_status, 400);
    ck_assert_int_eq(count_licenses(), 0);
    set_property("shareit_300123", MAPPED); /* nothing of it was remembered */
    ck_assert_int_eq(shareit("S7", "300123", "")->http_status, 200);
}
END_TEST

START_TEST(a_repeat_gets_the_same_bytes_even_without_its_mapping)
{
    qlm_reply_t *first, *again;

    set_property("shareit_300123", MAPPED "&is_emailtemplate=1. New Order");
    first = shareit("S8", "300123", "");
    set_property("shareit_300123", MAPPED "&is_emailtemplate=1. New Order&is_features=0:7");
    again = shareit("S8", "300123", "");
    ck_assert_str_eq(again->body, first->body);
    ck_assert_str_eq(again->outcome, "repeated");
    ck_assert_int_eq(count_licenses(), 1);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 1);
}
END_TEST

START_TEST(wrong_credentials_are_refused_before_anything_else)
{
    qlm_reply_t *reply;

    set_property("shareit_300123", MAPPED);
    reply = hook("is_vendor=shareit&is_user=demo&is_pwd=no", "PURCHASE_ID=1&PRODUCT_ID=300123");
    ck_assert_int_eq(reply->http_status, 403);
    reply = hook("is_vendor=shareit",
                 "PURCHASE_ID=1&PRODUCT_ID=300123&is_user=demo&is_pwd=demo&is_vendor=shareit");
    ck_assert_int_eq(reply->http_status, 403);
    ck_assert_int_eq(count_licenses(), 0);
}
END_TEST

/* ---- renewals ---------------------------------------------------------------------------------
 */

#define YEARLY MAPPED "&is_expduration=365"

static apr_int64_t end_of(const char *key)
{
    return license_of(key)->license.expires_at;
}

START_TEST(a_renewal_moves_the_end_of_its_key_once)
{
    const char *key;
    qlm_reply_t *reply;
    apr_int64_t end;

    set_property("shareit_300123", YEARLY "&is_emailtemplate=1. New Order");
    key = key_in(shareit("R1", "300123", ""));
    end = end_of(key);
    now += 360 * QLM_DATE_DAY;
    reply = shareit("R2", "300123", apr_pstrcat(pool, "&ORIGINAL=", key, NULL));
    ck_assert_str_eq(reply->outcome, "renewed");
    ck_assert_str_eq(key_in(reply), key);
    ck_assert_int_eq(end_of(key), qlm_date_add_days(end, 365));
    ck_assert_int_eq(count_licenses(), 1);
    end = end_of(key);
    for (int i = 0; i < 3; i++) {
        now += 60;
        reply = shareit("R2", "300123", apr_pstrcat(pool, "&ORIGINAL=", key, NULL));
        ck_assert_str_eq(reply->outcome, "repeated");
        ck_assert_str_eq(key_in(reply), key);
        ck_assert_int_eq(end_of(key), end);
    }
    /* the next period is another order */
    reply = shareit("R3", "300123", apr_pstrcat(pool, "&ORIGINAL=", key, NULL));
    ck_assert_str_eq(reply->outcome, "renewed");
    ck_assert_int_eq(end_of(key), qlm_date_add_days(end, 365));
    ck_assert_int_eq(count_licenses(), 1);
}
END_TEST

START_TEST(the_shops_own_period_decides)
{
    const char *key;
    apr_int64_t day;

    set_property("shareit_300123", YEARLY);
    key = key_in(shareit("R4", "300123", ""));
    shareit("R5", "300123", apr_pstrcat(pool, "&ORIGINAL=", key, "&EXPIRY_DATE=31/12/2027", NULL));
    ck_assert(qlm_date_parse(&day, "2027-12-31", "yyyy-MM-dd"));
    ck_assert_int_eq(end_of(key), qlm_date_end_of_day(day));
}
END_TEST

START_TEST(who_renews_late_gets_a_whole_period_from_today)
{
    const char *key;

    set_property("shareit_300123", MAPPED "&is_expduration=30");
    key = key_in(shareit("R6", "300123", ""));
    now += 300 * QLM_DATE_DAY;
    shareit("R7", "300123", apr_pstrcat(pool, "&ORIGINAL=", key, NULL));
    ck_assert_int_eq(end_of(key), qlm_date_add_days(now, 30));
}
END_TEST

typedef struct revocation_t {
    const char *key;
    int changed;
} revocation_t;

UNIT(revoke_license, revocation_t)
{
    const qlm_actor_t actor = {"test", "", "", now};

    return qlm_store_disable_license(&baton->changed, unit_store, baton->key, 1, &actor, unit_pool);
}

START_TEST(a_key_that_cannot_be_renewed_is_left_alone)
{
    const char *key;
    apr_int64_t end;
    revocation_t work;

    set_property("shareit_1", YEARLY);
    set_property("shareit_2", "&is_productid=2&is_majorversion=1&is_minorversion=0");
    key = key_in(shareit("R8", "1", ""));
    end = end_of(key);
    /* of another product */
    ck_assert_str_ne(key_in(shareit("R9", "2", apr_pstrcat(pool, "&OLD=", key, NULL))), key);
    /* mistyped, or never made here */
    ck_assert_str_ne(key_in(shareit("R10", "1", "&OLD=A1234-12345-12345-12345-12345-1")), key);
    /* in the URL, which the shop's operator writes once for all buyers */
    ck_assert_str_ne(key_in(hook(apr_pstrcat(pool, SHAREIT "&OLD=", key, NULL),
                                 "PURCHASE_ID=R11&PRODUCT_ID=1&QUANTITY=1")),
                     key);
    /* revoked */
    work.key = license_of(key)->license.activation_key;
    OK(qlm_store_write(store, revoke_license, &work, pool));
    ck_assert_int_eq(work.changed, 1);
    ck_assert_str_ne(key_in(shareit("R12", "1", apr_pstrcat(pool, "&OLD=", key, NULL))), key);
    ck_assert_int_eq(end_of(key), end);
    ck_assert_int_eq(count_licenses(), 5);
}
END_TEST

START_TEST(the_field_of_the_original_key_may_be_named)
{
    const char *key;
    apr_int64_t end;

    set_property("shareit_1", YEARLY);
    set_property("shareit_originalkey_field", "ORIGINAL");
    key = key_in(shareit("R13", "1", ""));
    end = end_of(key);
    ck_assert_str_ne(key_in(shareit("R14", "1", apr_pstrcat(pool, "&OTHER=", key, NULL))), key);
    ck_assert_int_eq(end_of(key), end);
    ck_assert_str_eq(key_in(shareit("R15", "1", apr_pstrcat(pool, "&original=", key, NULL))), key);
    ck_assert_int_gt(end_of(key), end);
}
END_TEST

/* ---- Salesforce -------------------------------------------------------------------------------
 */

#define ORGANIZATION "00D7Q00000Demo1EAC"
#define ORDER_ID     "8017Q000005Zx1QAAS"
#define ITEM_1       "8027Q00000AbCd1QAF"
#define ITEM_2       "8027Q00000AbCd2QAF"
#define SALESFORCE   "is_vendor=salesforce&is_user=demo&is_pwd=demo&is_affiliateid=salesforce"
#define TEMPLATE     "&is_emailtemplate=1. New Order"

/* The REST API as recorded, and how often it was asked. */
static struct {
    int logins, orders, items, others;
    int down_at; /* which request gets no answer, 0 = none */
    int expired; /* queries with the first token are refused */
    const char *quantities[2], *codes[2];
    const char *email, *organization;
} api;

static qlm_fetch_response_t *respond(int status, const char *body, apr_pool_t *to)
{
    qlm_fetch_response_t *response = apr_pcalloc(to, sizeof(*response));

    response->status = status;
    response->content_type = "application/json;charset=UTF-8";
    response->body = body;
    response->length = strlen(body);
    return response;
}

static const char *item_json(const char *id, int index, apr_pool_t *to)
{
    return apr_pstrcat(to, "{\"Id\":\"", id, "\",\"Quantity\":", api.quantities[index],
                       ",\"Description\":null,\"Product2\":{\"Name\":\"Viewer\",\"ProductCode\":\"",
                       api.codes[index], "\"}}", NULL);
}

static qlm_fetch_response_t *answer_query(const char *url, apr_pool_t *to)
{
    if (strstr(url, "OrderItem")) {
        api.items++;
        ck_assert_ptr_nonnull(strstr(url, ORDER_ID));
        return respond(200,
                       apr_pstrcat(to, "{\"totalSize\":2,\"done\":true,\"records\":[",
                                   item_json(ITEM_1, 0, to), ",", item_json(ITEM_2, 1, to), "]}",
                                   NULL),
                       to);
    }
    api.orders++;
    return respond(
        200,
        apr_pstrcat(to,
                    "{\"totalSize\":1,\"done\":true,\"records\":[{\"Id\":\"" ORDER_ID
                    "\",\"OrderNumber\":\"00000137\",\"StatusCode\":\"Activated\",\"Status\":"
                    "\"Activated\",\"EffectiveDate\":\"2026-11-20\",\"Account\":{\"Name\":\"Buyer "
                    "Ltd\"},\"CustomerAuthorizedBy\":{\"FirstName\":\"Ann\",\"LastName\":\"Buyer\","
                    "\"Email\":\"",
                    api.email, "\"},\"BillToContact\":null,\"BillingCountry\":\"Germany\"}]}",
                    NULL),
        to);
}

static int is_header(const qlm_fetch_request_t *request, const char *header)
{
    for (int i = 0; i < request->headers->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(request->headers, i, const char *), header) == 0) {
            return 1;
        }
    }
    return 0;
}

static qlm_error_t *fetch(qlm_fetch_response_t **response, void *baton,
                          const qlm_fetch_request_t *request, apr_pool_t *to)
{
    (void)baton;
    ck_assert_int_eq(lent, 0); /* no connection is held while Salesforce is asked */
    if (api.logins + api.orders + api.items + api.others + 1 == api.down_at) {
        api.others++;
        return qlm_error_make(to, QLM_ERROR_OUTBOUND, QLM_CODE_UNKNOWN, "no connection");
    }
    if (strcmp(request->method, "POST") == 0) {
        ck_assert_str_eq(request->url, "https://login.salesforce.com/services/oauth2/token");
        ck_assert_ptr_nonnull(strstr(request->body, "grant_type=password"));
        ck_assert_ptr_nonnull(strstr(request->body, "client_secret=hush"));
        *response =
            respond(200,
                    apr_psprintf(to,
                                 "{\"access_token\":\"TOKEN%d\",\"instance_url\":"
                                 "\"https://acme.my.salesforce.com\",\"id\":"
                                 "\"https://login.salesforce.com/id/%s/0057Q000000Dm01QAE\"}",
                                 ++api.logins, api.organization),
                    to);
        return NULL;
    }
    ck_assert_str_eq(request->method, "GET");
    ck_assert(strncmp(request->url,
                      "https://acme.my.salesforce.com/services/data/v60.0/query/?q=", 60) == 0);
    if (api.expired && is_header(request, "Authorization: Bearer TOKEN1")) {
        api.others++;
        *response = respond(401,
                            "[{\"message\":\"Session expired or invalid\",\"errorCode\":"
                            "\"INVALID_SESSION_ID\"}]",
                            to);
        return NULL;
    }
    ck_assert(is_header(request, apr_psprintf(to, "Authorization: Bearer TOKEN%d", api.logins)));
    *response = answer_query(request->url, to);
    return NULL;
}

static const qlm_fetcher_t recording = {fetch, &api};

static void set_up_salesforce(void)
{
    set_up();
    memset(&api, 0, sizeof(api));
    api.quantities[0] = "2.0";
    api.quantities[1] = "1.0";
    api.codes[0] = "001";
    api.codes[1] = "002";
    api.email = "ann@buyer.example";
    api.organization = ORGANIZATION;
    fetcher = &recording;
    set_property("salesforce_pid_001",
                 MAPPED TEMPLATE "&is_usemultipleactivationskey=false&is_features=0:1");
    set_property("salesforce_pid_002",
                 "&is_productid=2&is_majorversion=1&is_minorversion=0" TEMPLATE);
}

static const char *notification(const char *id, const char *order_id)
{
    return apr_pstrcat(pool, "<Notification><Id>", id,
                       "</Id><sObject xsi:type=\"sf:Order\" "
                       "xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\"><sf:Id>",
                       order_id, "</sf:Id></sObject></Notification>", NULL);
}

static qlm_reply_t *send_xml(const char *query, const char *xml)
{
    qlm_fields_t *fields = qlm_fields_create(pool);

    OK(qlm_fields_parse(fields, query, strlen(query), QLM_FROM_URL));
    OK(qlm_fields_add(fields, "XML", xml, QLM_FROM_BODY));
    return run("QlmWebHookHandler", fields);
}

static const char *message(const char *organization, const char *notifications)
{
    return apr_pstrcat(
        pool,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope "
        "xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" "
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>"
        "<notifications xmlns=\"http://soap.sforce.com/2005/09/outbound\"><OrganizationId>",
        organization,
        "</OrganizationId><SessionId xsi:nil=\"true\"/>"
        "<EnterpriseUrl>https://evil.example/services</EnterpriseUrl>",
        notifications, "</notifications></soapenv:Body></soapenv:Envelope>", NULL);
}

static qlm_reply_t *deliver_as(const char *id)
{
    return send_xml(SALESFORCE, message(ORGANIZATION, notification(id, ORDER_ID)));
}

static void acknowledges(const qlm_reply_t *reply, const char *word)
{
    ck_assert_msg(reply->http_status == 200, "%d: %s", reply->http_status, reply->body);
    has(reply->content_type, "text/xml");
    ck_assert_msg(strstr(reply->body, apr_pstrcat(pool, "<Ack>", word, "</Ack>", NULL)) != NULL,
                  "%s (%s)", reply->body, reply->oddity);
    has_not(reply->oddity, "TOKEN"); /* secrets appear nowhere */
    has_not(reply->oddity, "hush");
}

START_TEST(an_order_of_two_items_is_one_mail_with_all_keys)
{
    qlm_license_filter_t filter = {"salesforce", "00000137", "", 0, 10};
    apr_array_header_t *licenses;
    qlm_mail_t *mail;
    int others = 0;

    acknowledges(deliver_as("04l7Q000001Dm01QAC"), "true");
    ck_assert_int_eq(api.logins, 1);
    ck_assert_int_eq(api.orders, 1);
    ck_assert_int_eq(api.items, 1);
    OK(qlm_store_list_licenses(&licenses, store, &filter, pool));
    ck_assert_int_eq(licenses->nelts, 3); /* two of the first item, one of the second */
    mail = only_mail();
    ck_assert_str_eq(mail->to, "ann@buyer.example");
    ck_assert_str_eq(only_row(QLM_OUTBOX_MAIL)->subject, "order salesforce/00000137");
    for (int i = 0; i < licenses->nelts; i++) {
        const qlm_license_t *license = &APR_ARRAY_IDX(licenses, i, qlm_license_t);
        const char *key = qlm_keygen_display(license->activation_key, pool);
        qlm_license_view_t *view = license_of(key);

        has(mail->html, key);
        has(mail->text, key);
        others += license->product_id == 2;
        ck_assert_str_eq(license->features, license->product_id == 1 ? "0:1;" : "");
        ck_assert_str_eq(license->affiliate_id, "salesforce");
        ck_assert_str_eq(view->customer.email, "ann@buyer.example");
        ck_assert_str_eq(view->customer.full_name, "Ann Buyer");
        ck_assert_str_eq(view->customer.company, "Buyer Ltd");
        has(license->line_ref, license->product_id == 1 ? ITEM_1 : ITEM_2);
    }
    ck_assert_int_eq(others, 1);
    has(mail->text, "Other 1.0");
    has(mail->text, "Demo \"Pro\" 1.0");
}
END_TEST

START_TEST(a_redelivery_makes_nothing_new)
{
    acknowledges(deliver_as("04l7Q000001Dm01QAC"), "true");
    acknowledges(deliver_as("04l7Q000001Dm01QAC"), "true");
    acknowledges(deliver_as("04l7Q000001Dm02QAC"), "true"); /* the order was edited */
    ck_assert_int_eq(count_licenses(), 3);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 1);
    ck_assert_int_eq(api.logins, 1); /* the token is kept */
}
END_TEST

START_TEST(an_item_added_later_is_mailed_by_itself)
{
    apr_array_header_t *rows;
    qlm_mail_t *mail;

    api.codes[1] = "none";
    acknowledges(deliver_as("04l7Q000001Dm01QAC"), "true");
    ck_assert_int_eq(count_licenses(), 2);
    api.codes[1] = "002";
    acknowledges(deliver_as("04l7Q000001Dm02QAC"), "true");
    ck_assert_int_eq(count_licenses(), 3);
    rows = rows_of("");
    ck_assert_int_eq(rows->nelts, 2);
    OK(qlm_mail_from_json(&mail, APR_ARRAY_IDX(rows, 0, qlm_outbox_row_t).payload, pool));
    has(mail->text, "Other 1.0");
    has_not(mail->text, "Demo");
}
END_TEST

START_TEST(what_is_new_decides_about_the_mail)
{
    api.codes[1] = "none";
    acknowledges(deliver_as("04l7Q000001Dm01QAC"), "true");
    api.codes[1] = "002";
    set_property("salesforce_pid_002", "&is_productid=2&is_majorversion=1&is_minorversion=0");
    acknowledges(deliver_as("04l7Q000001Dm02QAC"), "true");
    ck_assert_int_eq(count_licenses(), 3);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 1); /* the old item's template does not count */
}
END_TEST

/* Whichever request gets no answer: the message is asked for again, and then all is there once. */
START_TEST(a_failing_connection_asks_for_redelivery)
{
    qlm_reply_t *reply;

    api.down_at = _i;
    reply = deliver_as("04l7Q000001Dm01QAC");
    acknowledges(reply, "false");
    has(reply->oddity, "no connection");
    ck_assert_int_eq(count_licenses(), 0);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 0);
    acknowledges(deliver_as("04l7Q000001Dm01QAC"), "true");
    ck_assert_int_eq(count_licenses(), 3);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 1);
}
END_TEST

START_TEST(an_expired_session_is_renewed_once)
{
    api.expired = 1;
    acknowledges(deliver_as("04l7Q000001Dm01QAC"), "true");
    ck_assert_int_eq(api.logins, 2);
    ck_assert_int_eq(count_licenses(), 3);
    acknowledges(deliver_as("04l7Q000001Dm02QAC"), "true");
    ck_assert_int_eq(api.logins, 2); /* the new one is kept */
}
END_TEST

START_TEST(the_token_is_kept_sealed)
{
    acknowledges(deliver_as("04l7Q000001Dm01QAC"), "true");
    run_sql("CREATE TABLE found AS SELECT CASE WHEN count(*) > 0 AND sum(instr(value, 'TOKEN1')"
            " + instr(value, 'acme')) = 0 THEN 'sealed' ELSE NULL END AS said FROM qlm_memo");
    run_sql("CREATE TABLE proof (said TEXT NOT NULL)");
    run_sql("INSERT INTO proof SELECT said FROM found"); /* fails on NULL */
}
END_TEST

START_TEST(items_that_cannot_be_served_are_left_out_and_told)
{
    qlm_reply_t *reply;

    api.codes[0] = "00'1 OR %";
    api.quantities[1] = "2.5";
    reply = deliver_as("04l7Q000001Dm01QAC");
    acknowledges(reply, "true"); /* a repeat would not help */
    has(reply->oddity, ITEM_1);
    has(reply->oddity, "002");
    ck_assert_int_eq(count_licenses(), 0);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 0);
}
END_TEST

START_TEST(a_wrong_mapping_does_not_stop_the_other_items)
{
    qlm_reply_t *reply;

    set_property("salesforce_pid_001", "&is_productid=9&is_majorversion=1&is_minorversion=0");
    reply = deliver_as("04l7Q000001Dm01QAC");
    acknowledges(reply, "true");
    has(reply->oddity, ITEM_1);
    has(reply->oddity, "unknown product 9");
    ck_assert_int_eq(count_licenses(), 1);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 1);
}
END_TEST

START_TEST(a_contact_without_address_gets_keys_but_no_mail)
{
    qlm_reply_t *reply;

    api.email = "";
    reply = deliver_as("04l7Q000001Dm01QAC");
    acknowledges(reply, "true");
    has(reply->oddity, "e-mail");
    ck_assert_int_eq(count_licenses(), 3);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 0);
}
END_TEST

START_TEST(a_database_that_fails_asks_for_redelivery)
{
    qlm_reply_t *reply;

    run_sql("CREATE TRIGGER refuse BEFORE INSERT ON qlm_license"
            " BEGIN SELECT RAISE(ABORT, 'no'); END");
    reply = deliver_as("04l7Q000001Dm01QAC");
    acknowledges(reply, "false");
    ck_assert_int_eq(count_licenses(), 0);
    run_sql("DROP TRIGGER refuse");
    acknowledges(deliver_as("04l7Q000001Dm01QAC"), "true");
    ck_assert_int_eq(count_licenses(), 3);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 1);
}
END_TEST

START_TEST(another_organization_is_refused)
{
    const char *foreign =
        message("00D7Q00000Evil1EAC", notification("04l7Q000001Dm01QAC", ORDER_ID));
    qlm_reply_t *reply = send_xml(SALESFORCE, foreign);

    ck_assert_int_eq(reply->http_status, 403);
    ck_assert_int_eq(api.orders, 0);
    acknowledges(deliver_as("04l7Q000001Dm01QAC"), "true");
    ck_assert_int_eq(api.logins, 1);
    reply = send_xml(SALESFORCE, foreign); /* now without asking anybody */
    ck_assert_int_eq(reply->http_status, 403);
    ck_assert_int_eq(api.orders, 1);
    ck_assert_int_eq(count_licenses(), 3);
}
END_TEST

static const char *const rubbish[] = {
    "",
    "PURCHASE_ID=1",
    "<x/>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>",
};

START_TEST(what_is_no_message_is_refused)
{
    qlm_reply_t *reply = send_xml(SALESFORCE, rubbish[_i]);

    ck_assert_int_eq(reply->http_status, 400);
    ck_assert_int_eq(api.logins, 0);
    has_not(reply->body, "<Ack>");
}
END_TEST

START_TEST(who_is_not_allowed_learns_nothing)
{
    const char *xml = message(ORGANIZATION, notification("04l7Q000001Dm01QAC", ORDER_ID));
    qlm_reply_t *reply = send_xml("is_vendor=salesforce&is_user=demo&is_pwd=no", xml);

    ck_assert_int_eq(reply->http_status, 403);
    has_not(reply->body, "<Ack>");
    ck_assert_int_eq(api.logins, 0);
    ck_assert_int_eq(count_licenses(), 0);
}
END_TEST

START_TEST(a_server_that_cannot_ask_others_says_so)
{
    fetcher = NULL;
    ck_assert_int_eq(deliver_as("04l7Q000001Dm01QAC")->http_status, 500);
    ck_assert_int_eq(count_licenses(), 0);
}
END_TEST

START_TEST(salesforce_is_not_served_by_the_key_method)
{
    qlm_reply_t *reply = call("GetActivationKey", SALESFORCE PRODUCT, "");

    ck_assert_int_eq(reply->http_status, 400);
    ck_assert_int_eq(count_licenses(), 0);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof(*(table)))

static Suite *webhook_suite(void)
{
    Suite *suite = suite_create("webhook");
    TCase *orders = tcase_create("shareit");
    TCase *messages = tcase_create("salesforce");

    tcase_add_checked_fixture(orders, set_up, tear_down);
    tcase_set_timeout(orders, 60);
    tcase_add_test(orders, a_mapped_product_becomes_a_key);
    tcase_add_test(orders, the_url_wins_over_the_mapping);
    tcase_add_test(orders, each_product_has_its_own_mapping);
    tcase_add_loop_test(orders, a_product_that_nobody_mapped_is_refused, 0, ROWS(unmapped));
    tcase_add_test(orders, a_mapping_that_is_wrong_is_refused);
    tcase_add_test(orders, a_repeat_gets_the_same_bytes_even_without_its_mapping);
    tcase_add_test(orders, wrong_credentials_are_refused_before_anything_else);
    tcase_add_test(orders, a_renewal_moves_the_end_of_its_key_once);
    tcase_add_test(orders, the_shops_own_period_decides);
    tcase_add_test(orders, who_renews_late_gets_a_whole_period_from_today);
    tcase_add_test(orders, a_key_that_cannot_be_renewed_is_left_alone);
    tcase_add_test(orders, the_field_of_the_original_key_may_be_named);
    suite_add_tcase(suite, orders);

    tcase_add_checked_fixture(messages, set_up_salesforce, tear_down);
    tcase_set_timeout(messages, 60);
    tcase_add_test(messages, an_order_of_two_items_is_one_mail_with_all_keys);
    tcase_add_test(messages, a_redelivery_makes_nothing_new);
    tcase_add_test(messages, an_item_added_later_is_mailed_by_itself);
    tcase_add_test(messages, what_is_new_decides_about_the_mail);
    tcase_add_loop_test(messages, a_failing_connection_asks_for_redelivery, 1, 4);
    tcase_add_test(messages, an_expired_session_is_renewed_once);
    tcase_add_test(messages, the_token_is_kept_sealed);
    tcase_add_test(messages, items_that_cannot_be_served_are_left_out_and_told);
    tcase_add_test(messages, a_wrong_mapping_does_not_stop_the_other_items);
    tcase_add_test(messages, a_contact_without_address_gets_keys_but_no_mail);
    tcase_add_test(messages, a_database_that_fails_asks_for_redelivery);
    tcase_add_test(messages, another_organization_is_refused);
    tcase_add_loop_test(messages, what_is_no_message_is_refused, 0, ROWS(rubbish));
    tcase_add_test(messages, who_is_not_allowed_learns_nothing);
    tcase_add_test(messages, a_server_that_cannot_ask_others_says_so);
    tcase_add_test(messages, salesforce_is_not_served_by_the_key_method);
    suite_add_tcase(suite, messages);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(webhook_suite());
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
