/* Who is told of an order: mails to customers and events to the publisher, as rows of the outbox
 * written with the keys, through whole calls on a real SQLite file. */
#include "mail/template.h"

#include "unit/service_fixture.h"

#include <jansson.h>

#define MAILED  "&is_emailtemplate=1.%20New%20Order"
#define ADDRESS "&email=ann@buyer.example&name=Ann%20Buyer"

static qlm_reply_t *order(const char *more)
{
    return call("GetActivationKey", apr_pstrcat(pool, CREDENTIALS PRODUCT, more, NULL), "");
}

/* Order, and expect a key. */
static const char *issue(const char *more)
{
    return element(order(more), "activationKey");
}

/* ---- the mail of an order ---------------------------------------------------------------------
 */

START_TEST(an_order_is_mailed_when_a_template_is_named)
{
    const char *key;
    const qlm_outbox_row_t *row;
    qlm_mail_t *mail;

    set_property("smtpFrom", "shop@sender.example");
    set_property("smtpFromDisplayName", "The Shop");
    key = issue(MAILED ADDRESS "&orderNumber=A1");
    row = only_row(QLM_OUTBOX_MAIL);
    ck_assert_str_eq(row->state, QLM_OUTBOX_WAITING);
    ck_assert_str_eq(row->target, "ann@buyer.example");
    ck_assert_str_eq(row->subject, "order qlmauthenticationprovider/A1");
    ck_assert_int_eq(row->attempts, 0);
    ck_assert_int_eq(row->created_at, now);
    ck_assert_int_eq(row->next_at, now);
    ck_assert_int_eq(row->finished_at, 0);
    mail = only_mail();
    ck_assert_ptr_null(qlm_mail_check(mail, pool));
    ck_assert_str_eq(mail->from, "shop@sender.example");
    ck_assert_str_eq(mail->from_name, "The Shop");
    ck_assert_str_eq(mail->to, "ann@buyer.example");
    ck_assert_int_eq(mail->date, now);
    ck_assert_str_eq(mail->message_id,
                     apr_psprintf(pool, "<qlm.%" APR_INT64_T_FMT "@sender.example>", row->id));
    has(mail->subject, "A1");
    has(mail->html, key);
    has(mail->text, key);
    has(mail->html, "Ann Buyer");
    has(mail->html, "Demo &quot;Pro&quot; 1.0");
    has(mail->text, "Demo \"Pro\" 1.0");
    has_not(mail->html, "%");
}
END_TEST

START_TEST(all_keys_of_an_order_are_in_one_mail)
{
    qlm_mail_t *mail;
    qlm_license_filter_t filter = {"qlmauthenticationprovider", "A2", "", 0, 10};
    apr_array_header_t *licenses;

    issue(MAILED ADDRESS "&orderNumber=A2&is_quantity=3&is_usemultipleactivationskey=false");
    OK(qlm_store_list_licenses(&licenses, store, &filter, pool));
    ck_assert_int_eq(licenses->nelts, 3);
    mail = only_mail();
    for (int i = 0; i < 3; i++) {
        const qlm_license_t *license = &APR_ARRAY_IDX(licenses, i, qlm_license_t);
        const char *key = qlm_keygen_display(license->activation_key, pool);
        const char *place = strstr(mail->html, key);

        has(mail->text, key);
        ck_assert_ptr_nonnull(place);
        ck_assert_ptr_null(strstr(place + 1, key)); /* once */
    }
}
END_TEST

START_TEST(a_repeat_is_not_mailed_again)
{
    const char *first = issue(MAILED ADDRESS "&orderNumber=A3");
    apr_int64_t id = only_row(QLM_OUTBOX_MAIL)->id;
    qlm_reply_t *again;

    now += 3600;
    again = order(MAILED ADDRESS "&orderNumber=A3");
    ck_assert_str_eq(again->outcome, "repeated");
    ck_assert_str_eq(element(again, "activationKey"), first);
    ck_assert_int_eq(only_row(QLM_OUTBOX_MAIL)->id, id);
    issue(MAILED ADDRESS "&orderNumber=A4");
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 2);
}
END_TEST

static const struct {
    const char *query, *note; /* NULL = nothing to note */
} unmailed[] = {
    {ADDRESS, NULL},
    {ADDRESS "&is_emailtemplate=", NULL},
    {ADDRESS MAILED "&is_send_mail=false", NULL},
    {ADDRESS MAILED "&is_send_mail=0", NULL},
    {ADDRESS MAILED "&is_sendmail=false", NULL},
    {ADDRESS "&is_send_mail=true", NULL},
    {MAILED "&name=Ann", "e-mail"},
    {MAILED "&name=Ann&email=", "e-mail"},
    {MAILED "&name=Ann&email=ann%20at%20buyer.example", "e-mail"},
    {MAILED "&name=Ann&email=ann@buyer.example,eve@other.example", "e-mail"},
    {MAILED "&name=Ann&email=ann@buyer.example%3Eeve", "e-mail"},
    {MAILED "&name=Ann&email=ann@buyer.example%0d%0aBcc:%20eve@other.example", "e-mail"},
    {ADDRESS "&is_emailtemplate=None%20Such", "None Such"},
};

/* Whatever becomes of the mail, the order becomes a key. */
START_TEST(an_order_that_is_not_mailed)
{
    qlm_reply_t *reply = order(unmailed[_i].query);

    has(reply->body, "<activationKey>");
    ck_assert_ptr_null(reply->error);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 0);
    if (unmailed[_i].note) {
        has(reply->oddity, unmailed[_i].note);
        has_not(reply->oddity, "eve@other.example");
        has_not(reply->oddity, "\n");
    }
    else {
        ck_assert_msg(!reply->oddity, "%s", reply->oddity);
    }
}
END_TEST

START_TEST(said_yes_is_mailed)
{
    issue(ADDRESS MAILED "&is_send_mail=true");
    issue(ADDRESS MAILED "&is_send_mail=1");
    issue(ADDRESS "&is_emailtemplate=1.%20NEW%20order"); /* names are compared without case */
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 3);
}
END_TEST

#define SHAREIT_URL "is_vendor=shareit&is_user=demo&is_pwd=demo" PRODUCT MAILED

START_TEST(a_test_order_is_not_mailed)
{
    qlm_reply_t *reply =
        call("GetActivationKey", SHAREIT_URL,
             "PURCHASE_ID=0&QUANTITY=1&EMAIL=ann@buyer.example&FIRSTNAME=Ann&LASTNAME=Buyer");

    ck_assert_int_eq(reply->http_status, 200);
    ck_assert_int_eq(count_licenses(), 1);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 0);
    call("GetActivationKey", SHAREIT_URL,
         "PURCHASE_ID=7&QUANTITY=1&EMAIL=ann@buyer.example&FIRSTNAME=Ann&LASTNAME=Buyer");
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 1);
}
END_TEST

START_TEST(a_buyer_cannot_name_a_template)
{
    qlm_reply_t *reply =
        call("GetActivationKey", "is_vendor=shareit&is_user=demo&is_pwd=demo" PRODUCT,
             "PURCHASE_ID=7&QUANTITY=1&EMAIL=ann@buyer.example" MAILED);

    ck_assert_int_eq(reply->http_status, 200);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 0);
}
END_TEST

START_TEST(copies_go_where_the_properties_say)
{
    qlm_reply_t *reply;
    qlm_mail_t *mail;

    set_property("sendMailCc", "a@sender.example; b@sender.example");
    set_property("sendMailBcc", "c@sender.example, nobody, x@sender.example\r\nTo: y");
    reply = order(MAILED ADDRESS "&orderNumber=A5");
    mail = only_mail();
    ck_assert_int_eq(mail->cc->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(mail->cc, 0, const char *), "a@sender.example");
    ck_assert_str_eq(APR_ARRAY_IDX(mail->cc, 1, const char *), "b@sender.example");
    ck_assert_int_eq(mail->bcc->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(mail->bcc, 0, const char *), "c@sender.example");
    has(reply->oddity, "sendMailBcc");
    has(reply->oddity, "nobody");
    has_not(reply->oddity, "sendMailCc");
}
END_TEST

/* ---- one transaction --------------------------------------------------------------------------
 */

START_TEST(an_order_whose_mail_cannot_be_queued_is_no_order)
{
    qlm_reply_t *reply;

    run_sql("CREATE TRIGGER refuse BEFORE INSERT ON qlm_outbox"
            " BEGIN SELECT RAISE(ABORT, 'no'); END");
    reply = order(MAILED ADDRESS "&orderNumber=A6");
    ck_assert_ptr_nonnull(reply->error);
    ck_assert_int_eq(reply->error->kind, QLM_ERROR_STORE);
    has_not(reply->body, "<activationKey>");
    ck_assert_int_eq(count_licenses(), 0);
    run_sql("DROP TRIGGER refuse");
    issue(MAILED ADDRESS "&orderNumber=A6"); /* nothing of it was kept */
    ck_assert_int_eq(count_licenses(), 1);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 1);
}
END_TEST

START_TEST(an_order_that_is_refused_is_not_mailed)
{
    set_property("maxNewKeysPerDay", "1");
    set_property("webHooksEnabled", "true");
    set_property("license_created", "https://hook.example/a");
    issue(MAILED ADDRESS "&orderNumber=A7");
    ck_assert_ptr_nonnull(order(MAILED ADDRESS "&orderNumber=A8")->error);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_MAIL), 1);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_WEBHOOK), 1);
}
END_TEST

/* ---- templates --------------------------------------------------------------------------------
 */

static const struct {
    const char *locale, *subject;
} locales[] = {
    {"&is_locale=fr", "French"}, {"&is_locale=FR", "French"},
    {"&is_locale=it", "Any"},    {"", "Any"},
    {"&is_locale=", "Any"},      {"&is_locale=en", "English"},
};

START_TEST(the_language_asked_for_comes_first_then_any)
{
    set_template("1. New Order", "en", "English", "<p>%ActivationKey%</p>", "");
    set_template("1. New Order", "fr", "French", "<p>%ActivationKey%</p>", "");
    set_template("1. New Order", "", "Any", "<p>%ActivationKey%</p>", "");
    set_template("Another", "it", "Another", "<p>%ActivationKey%</p>", "");
    issue(apr_pstrcat(pool, MAILED ADDRESS, locales[_i].locale, NULL));
    ck_assert_str_eq(only_mail()->subject, locales[_i].subject);
}
END_TEST

START_TEST(builtin_templates_speak_two_languages)
{
    issue(MAILED ADDRESS "&is_locale=de");
    has(only_mail()->text, "Vielen Dank");
}
END_TEST

START_TEST(without_a_language_the_builtin_one_is_english)
{
    issue(MAILED ADDRESS);
    has(only_mail()->text, "Thank you");
}
END_TEST

START_TEST(a_stored_template_beats_the_builtin_one)
{
    const char *key;
    qlm_mail_t *mail;

    set_template("1. NEW ORDER", "fr", "Merci %OrderID%", "<p>%ActivationKey%</p>", "");
    key = issue(MAILED ADDRESS "&orderNumber=A9"); /* the only stored one, in whatever language */
    mail = only_mail();
    ck_assert_str_eq(mail->subject, "Merci A9");
    ck_assert_str_eq(mail->html, apr_pstrcat(pool, "<p>", key, "</p>", NULL));
}
END_TEST

START_TEST(unknown_variables_are_noted_and_stay)
{
    qlm_reply_t *reply;

    set_template("1. New Order", "", "Keys", "<p>%Nonsense% %ActivationKey% 50% off</p>", "");
    reply = order(MAILED ADDRESS);
    has(reply->oddity, "Nonsense");
    has_not(reply->oddity, "ActivationKey");
    has(only_mail()->html, "%Nonsense%");
    has(only_mail()->html, element(reply, "activationKey"));
}
END_TEST

/* Each variable of an order, and what it says here. */
static const struct {
    const char *name, *text;
} variables[] = {
    {"OrderID", "A10"},
    {"OrderDate", "21.11.2026"},
    {"FullName", "Ann Buyer"},
    {"Email", "ann@buyer.example"},
    {"Company", "Buyer & Co"},
    {"Phone", "0123"},
    {"Fax", ""},
    {"Mobile", ""},
    {"Address1", "Street 1"},
    {"Address2", "Door 2"},
    {"City", "Town"},
    {"State", "NW"},
    {"Zip", "12345"},
    {"Country", "Germany"},
    {"Notes", ""},
    {"Comment", ""},
    {"ReceiptID", "S1"},
    {"EmailFrom", "shop@sender.example"},
    {"ProductName", "Demo \"Pro\""},
    {"MajorVersion", "1"},
    {"MinorVersion", "0"},
    {"NumLicenses", "2"},
    {"AvailableLicenses", "2"},
    {"FloatingSeats", "1"},
    {"LicenseModel", "subscription"},
    {"EnabledFeatures", "0:3;"},
    {"SubscriptionExpiryDate", "01.12.2026"},
    {"SubscriptionDuration", "10"},
    {"MaintenanceRenewalDate", "21.11.2027"},
    {"UserData1", "mine"},
    {"LegacyKey", "OLD"},
    {"AffiliateName", "eu"},
};

START_TEST(the_variables_of_an_order)
{
    const char *html = "", *text = "", *expected = "";
    qlm_reply_t *reply;
    qlm_mail_t *mail;

    for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
        text = apr_pstrcat(pool, text, variables[i].name, "=%", variables[i].name, "%\n", NULL);
        expected =
            apr_pstrcat(pool, expected, variables[i].name, "=", variables[i].text, "\n", NULL);
    }
    html = apr_pstrcat(pool, "<pre>", text, "</pre>", NULL);
    set_template("1. New Order", "", "%COMPANY%", html, text);
    set_property("emailDateFormat", "dd.MM.yyyy");
    set_property("smtpFrom", "shop@sender.example");
    reply = order(MAILED ADDRESS
                  "&orderNumber=A10&company=Buyer%20%26%20Co&phone=0123&addr1=Street%201"
                  "&addr2=Door%202&city=Town&state=NW&zip=12345&country=Germany&subscriptionid=S1"
                  "&is_quantity=2&is_features=0:3&is_expduration=10&is_maintenance_plan=1"
                  "&is_userdata1=mine&is_legacykey=OLD&is_affiliateid=eu");
    mail = only_mail();
    ck_assert_msg(!reply->oddity, "%s", reply->oddity);
    ck_assert_str_eq(mail->text, expected);
    ck_assert_str_eq(mail->subject, "Buyer & Co");
    has(mail->html, "Company=Buyer &amp; Co\n");
    has(mail->html, "Phone=0123\n");
}
END_TEST

/* A buyer's name is text, whatever it looks like. */
START_TEST(a_name_injects_nothing)
{
    const char *key;
    qlm_mail_t *mail;
    apr_array_header_t *headers;

    set_property("smtpFrom", "shop@sender.example");
    set_template("1. New Order", "", "Keys for %FullName%",
                 "<p title=\"%FullName%\">%FullName%: %OrderID%</p>", "%FullName%: %OrderID%");
    key = issue(MAILED "&email=ann@buyer.example&orderNumber=A11"
                       "&name=%3Cb%3E%22%25ActivationKey%25%22%0D%0ABcc:%20eve@other.example");
    mail = only_mail();
    has(mail->html, "&lt;b&gt;&quot;%ActivationKey%&quot; Bcc: eve@other.example: A11");
    has_not(mail->html, "<b>");
    has_not(mail->html, key); /* a value is not read as a template again */
    has(mail->text, "<b>\"%ActivationKey%\" Bcc: eve@other.example: A11");
    ck_assert_int_eq(qlm_text_has_control(mail->subject), 0);
    headers = qlm_mail_headers(mail, pool);
    for (int i = 0; i < headers->nelts; i++) {
        const char *header = APR_ARRAY_IDX(headers, i, const char *);

        ck_assert_int_eq(qlm_text_has_control(header), 0);
        ck_assert_int_ne(strncasecmp(header, "Bcc", 3), 0);
    }
    ck_assert_str_eq(only_row(QLM_OUTBOX_MAIL)->target, "ann@buyer.example");
}
END_TEST

/* ---- events -----------------------------------------------------------------------------------
 */

static json_t *event_of(const qlm_outbox_row_t *row)
{
    json_error_t error;
    json_t *whole = json_loads(row->payload, JSON_REJECT_DUPLICATES, &error);

    ck_assert_msg(whole != NULL, "%s: %s", error.text, row->payload);
    return whole;
}

typedef struct member_t {
    const char *name, *text; /* NULL = a number or a flag */
    int number;
} member_t;

/* All members of LicenseInfo, in this order, and no others. */
static void check_info(const json_t *event, const member_t *members, size_t count)
{
    json_t *info = json_object_get(event, "LicenseInfo");
    void *at = json_object_iter(info);

    ck_assert_uint_eq(json_object_size(info), count);
    for (size_t i = 0; i < count; i++, at = json_object_iter_next(info, at)) {
        const json_t *value = json_object_iter_value(at);

        ck_assert_str_eq(json_object_iter_key(at), members[i].name);
        if (members[i].text) {
            ck_assert_msg(json_is_string(value), "%s", members[i].name);
            ck_assert_msg(strcmp(json_string_value(value), members[i].text) == 0, "%s: %s",
                          members[i].name, json_string_value(value));
        }
        else if (json_is_boolean(value)) {
            ck_assert_msg(json_boolean_value(value) == members[i].number, "%s", members[i].name);
        }
        else {
            ck_assert_msg(json_is_integer(value), "%s", members[i].name);
            ck_assert_msg(json_integer_value(value) == members[i].number, "%s: %d", members[i].name,
                          (int)json_integer_value(value));
        }
    }
}

#define HOOKED                                                                                     \
    "&orderNumber=A12&email=ann@buyer.example&name=Ann%20%22the%5C%22%20B%C3%BCyer"                \
    "&country=Germany&company=%3C/script%3E&subscriptionid=S1&is_quantity=2&is_features=0:3;1:1"   \
    "&is_expduration=10&is_maintenance_plan=1&is_affiliateid=eu&is_userdata1=mine"                 \
    "&is_legacykey=OLD&is_pp=%3Cp/%3E"

START_TEST(license_created_tells_everything)
{
    const char *key, *normal;
    const qlm_outbox_row_t *row;
    json_t *event;

    set_property("webHooksEnabled", "true");
    set_property("license_created", "https://hook.example/a");
    key = issue(HOOKED);
    normal = license_of(key)->license.activation_key;
    ck_assert_ptr_null(strchr(normal, '-'));
    row = only_row(QLM_OUTBOX_WEBHOOK);
    ck_assert_str_eq(row->target, "https://hook.example/a");
    ck_assert_str_eq(row->state, QLM_OUTBOX_WAITING);
    ck_assert_int_eq(row->next_at, now);
    has(row->subject, "license_created ");
    has_not(row->subject, normal); /* a whole key is never shown */
    event = event_of(row);
    ck_assert_str_eq(json_string_value(json_object_get(event, "Event")), "license_created");
    ck_assert_str_eq(json_string_value(json_object_get(event, "TimeStampUtc")),
                     "2026-11-21T09:30:15");
    {
        const member_t members[] = {
            {"LicenseUpdatedOnServer", NULL, 0},
            {"ActivationKey", normal, 0},
            {"FullName", "Ann \"the\\\" B\xc3\xbcyer", 0},
            {"Country", "Germany", 0},
            {"AffiliateID", "eu", 0},
            {"Email", "ann@buyer.example", 0},
            {"Duration", NULL, 10},
            {"ExpiryDate", "2026-12-01T23:59:59", 0},
            {"UsesAdminEncryption", NULL, 0},
            {"MaintenanceRenewalDate", "2027-11-21T23:59:59", 0},
            {"Features", "0:3;1:1;", 0},
            {"OrderID", "A12", 0},
            {"ReceiptID", "S1", 0},
            {"SubscriptionID", "S1", 0},
            {"LicenseModel", NULL, QLM_MODEL_SUBSCRIPTION},
            {"ProductID", NULL, 1},
            {"MajorVersion", NULL, 1},
            {"MinorVersion", NULL, 0},
            {"NumLicenses", NULL, 2},
            {"FloatingSeats", NULL, 1},
            {"UserData", "mine", 0},
            {"NewFeatures", "", 0},
            {"NewFloatingSeats", NULL, -1},
            {"ComputerID", "", 0},
            {"ComputerName", "", 0},
            {"Comment", "", 0},
            {"LegacyKey", "OLD", 0},
            {"AvailableLicenses", NULL, 2},
            {"OrderDate", "2026-11-21T09:30:15", 0},
            {"ProductProperties", "", 0},
            {"BundleID", "", 0},
            {"ProductName", "Demo \"Pro\"", 0},
            {"MaxReleaseCount", NULL, -2},
            {"MaxReleasePeriodInDays", NULL, -2},
            {"OrganizationID", NULL, 0},
        };

        check_info(event, members, sizeof(members) / sizeof(*members));
    }
    json_decref(event);
}
END_TEST

START_TEST(license_activated_names_the_computer)
{
    const char *key;
    json_t *event, *info;

    set_property("webHooksEnabled", "true");
    set_property("license_activated", "https://hook.example/b");
    key = issue(HOOKED);
    ck_assert_int_eq(count_rows(QLM_OUTBOX_WEBHOOK), 0);
    now += 60;
    call("ValidateLicenseHttp",
         apr_pstrcat(pool, "is_avkey=", key, "&is_pcid=PC-1&is_computer_name=Office", NULL), "");
    ck_assert_str_eq(only_row(QLM_OUTBOX_WEBHOOK)->target, "https://hook.example/b");
    event = event_of(only_row(QLM_OUTBOX_WEBHOOK));
    info = json_object_get(event, "LicenseInfo");
    ck_assert_str_eq(json_string_value(json_object_get(event, "Event")), "license_activated");
    ck_assert_str_eq(json_string_value(json_object_get(event, "TimeStampUtc")),
                     "2026-11-21T09:31:15");
    ck_assert_uint_eq(json_object_size(info), 35);
    ck_assert_str_eq(json_string_value(json_object_get(info, "ComputerID")), "PC-1");
    ck_assert_str_eq(json_string_value(json_object_get(info, "ComputerName")), "Office");
    ck_assert_str_eq(json_string_value(json_object_get(info, "Email")), "ann@buyer.example");
    ck_assert_str_eq(json_string_value(json_object_get(info, "ActivationKey")),
                     license_of(key)->license.activation_key);
    ck_assert_int_eq(json_integer_value(json_object_get(info, "NumLicenses")), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(info, "AvailableLicenses")), 1);
    json_decref(event);
    /* a computer that is active already, and one that only asks, are no events */
    call("ValidateLicenseHttp", apr_pstrcat(pool, "is_avkey=", key, "&is_pcid=PC-1", NULL), "");
    call("ValidateLicenseHttp",
         apr_pstrcat(pool, "is_avkey=", key, "&is_pcid=PC-9&is_activate=false", NULL), "");
    ck_assert_int_eq(count_rows(QLM_OUTBOX_WEBHOOK), 1);
    call("ValidateLicenseHttp", apr_pstrcat(pool, "is_avkey=", key, "&is_pcid=PC-2", NULL), "");
    ck_assert_int_eq(count_rows(QLM_OUTBOX_WEBHOOK), 2);
}
END_TEST

START_TEST(each_address_gets_each_event_in_the_order_of_its_license)
{
    qlm_outbox_filter_t filter = {QLM_OUTBOX_WEBHOOK, "", 0, 10};
    const char *key;
    apr_array_header_t *rows;

    set_property("webHooksEnabled", "true");
    set_property("license_created", "https://hook.example/a; https://hook.example/b");
    set_property("license_activated", "https://hook.example/a");
    key = issue("&is_quantity=2&is_usemultipleactivationskey=false");
    ck_assert_int_eq(count_rows(QLM_OUTBOX_WEBHOOK), 4);
    key = apr_pstrmemdup(pool, key, strcspn(key, " \r\n,"));
    now += 1;
    call("ValidateLicenseHttp", apr_pstrcat(pool, "is_avkey=", key, "&is_pcid=PC-1", NULL), "");
    ck_assert_int_eq(count_rows(QLM_OUTBOX_WEBHOOK), 5);
    /* the activation waits until its license's creation has arrived at that address */
    filter.now = now;
    OK(qlm_store_list_due(&rows, store, &filter, pool));
    ck_assert_int_eq(rows->nelts, 4);
    for (int i = 0; i < rows->nelts; i++) {
        has(APR_ARRAY_IDX(rows, i, qlm_outbox_row_t).payload, "license_created");
    }
}
END_TEST

START_TEST(events_are_off_unless_enabled_and_addressed)
{
    const char *key;

    set_property("license_created", "https://hook.example/a");
    set_property("license_activated", "https://hook.example/a");
    key = issue("");
    call("ValidateLicenseHttp", apr_pstrcat(pool, "is_avkey=", key, "&is_pcid=PC-1", NULL), "");
    ck_assert_int_eq(count_rows(QLM_OUTBOX_WEBHOOK), 0);
    set_property("webHooksEnabled", "true");
    set_property("license_created", " ; ");
    issue("");
    ck_assert_int_eq(count_rows(QLM_OUTBOX_WEBHOOK), 0);
    set_property("license_created", "https://hook.example/a");
    issue("");
    ck_assert_int_eq(count_rows(QLM_OUTBOX_WEBHOOK), 1);
}
END_TEST

START_TEST(a_repeated_order_is_no_event)
{
    set_property("webHooksEnabled", "true");
    set_property("license_created", "https://hook.example/a");
    issue("&orderNumber=A13");
    issue("&orderNumber=A13");
    ck_assert_int_eq(count_rows(QLM_OUTBOX_WEBHOOK), 1);
}
END_TEST

START_TEST(a_bare_license_has_empty_dates)
{
    json_t *event, *info;

    set_property("webHooksEnabled", "true");
    set_property("license_created", "https://hook.example/a");
    issue("");
    event = event_of(only_row(QLM_OUTBOX_WEBHOOK));
    info = json_object_get(event, "LicenseInfo");
    ck_assert_str_eq(json_string_value(json_object_get(info, "ExpiryDate")), "");
    ck_assert_str_eq(json_string_value(json_object_get(info, "MaintenanceRenewalDate")), "");
    ck_assert_str_eq(json_string_value(json_object_get(info, "FullName")), "");
    ck_assert_int_eq(json_integer_value(json_object_get(info, "Duration")), -1);
    json_decref(event);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof(*(table)))

static Suite *notify_suite(void)
{
    Suite *suite = suite_create("notify");
    TCase *mails = tcase_create("mails");
    TCase *events = tcase_create("events");

    tcase_add_checked_fixture(mails, set_up, tear_down);
    tcase_set_timeout(mails, 60);
    tcase_add_test(mails, an_order_is_mailed_when_a_template_is_named);
    tcase_add_test(mails, all_keys_of_an_order_are_in_one_mail);
    tcase_add_test(mails, a_repeat_is_not_mailed_again);
    tcase_add_loop_test(mails, an_order_that_is_not_mailed, 0, ROWS(unmailed));
    tcase_add_test(mails, said_yes_is_mailed);
    tcase_add_test(mails, a_test_order_is_not_mailed);
    tcase_add_test(mails, a_buyer_cannot_name_a_template);
    tcase_add_test(mails, copies_go_where_the_properties_say);
    add_file_test(mails, an_order_whose_mail_cannot_be_queued_is_no_order);
    tcase_add_test(mails, an_order_that_is_refused_is_not_mailed);
    tcase_add_loop_test(mails, the_language_asked_for_comes_first_then_any, 0, ROWS(locales));
    tcase_add_test(mails, builtin_templates_speak_two_languages);
    tcase_add_test(mails, without_a_language_the_builtin_one_is_english);
    tcase_add_test(mails, a_stored_template_beats_the_builtin_one);
    tcase_add_test(mails, unknown_variables_are_noted_and_stay);
    tcase_add_test(mails, the_variables_of_an_order);
    tcase_add_test(mails, a_name_injects_nothing);
    suite_add_tcase(suite, mails);

    tcase_add_checked_fixture(events, set_up, tear_down);
    tcase_set_timeout(events, 60);
    tcase_add_test(events, license_created_tells_everything);
    tcase_add_test(events, license_activated_names_the_computer);
    tcase_add_test(events, each_address_gets_each_event_in_the_order_of_its_license);
    tcase_add_test(events, events_are_off_unless_enabled_and_addressed);
    tcase_add_test(events, a_repeated_order_is_no_event);
    tcase_add_test(events, a_bare_license_has_empty_dates);
    suite_add_tcase(suite, events);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(notify_suite());
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
