/* The templates that are there without any being stored, in English and German. */
#include "mail/template.h"

/* Mail programs know little CSS, and only as attributes. */
#define PAGE(LANGUAGE, BODY)                                                                       \
    "<!DOCTYPE html>\n<html lang=\"" LANGUAGE "\">\n<head><meta charset=\"utf-8\"></head>\n"       \
    "<body style=\"font-family: sans-serif; font-size: 11pt; color: #222\">\n" BODY                \
    "</body>\n</html>\n"

#define CELL "<td style=\"padding: 4px 16px 4px 0; vertical-align: top\">"
#define KEY  "<td style=\"padding: 4px 0; font-family: monospace\">"

/* One row for each item of the order. */
#define KEY_TABLE                                                                                  \
    "<table>\n%ItemTemplate%<tr>" CELL "%ProductName% %MajorVersion%.%MinorVersion%</td>" KEY      \
    "%ActivationKey%</td></tr>\n%ItemTemplate%</table>\n"

#define KEY_LINES                                                                                  \
    "%ItemTemplate%%ProductName% %MajorVersion%.%MinorVersion%\n%ActivationKey%\n\n"               \
    "%ItemTemplate%"

static const char order_html_en[] =
    PAGE("en", "<p>Thank you for your order.</p>\n"
               "<p>Your license keys:</p>\n" KEY_TABLE
               "<p>Order: %OrderID%<br>\nLicensed to: %FullName%</p>\n"
               "<p>Enter the key when the program asks for it. Please keep this message: you need "
               "the key again when you change to another computer.</p>\n");

static const char order_text_en[] =
    "Thank you for your order.\n\n"
    "Your license keys:\n\n" KEY_LINES "Order: %OrderID%\n"
    "Licensed to: %FullName%\n\n"
    "Enter the key when the program asks for it. Please keep this message: you need\n"
    "the key again when you change to another computer.\n";

static const char order_html_de[] = PAGE(
    "de", "<p>Vielen Dank für Ihre Bestellung.</p>\n"
          "<p>Ihre Lizenzschlüssel:</p>\n" KEY_TABLE
          "<p>Bestellung: %OrderID%<br>\nLizenziert für: %FullName%</p>\n"
          "<p>Geben Sie den Schlüssel ein, wenn das Programm danach fragt. Bitte heben Sie diese "
          "Nachricht auf: Sie brauchen den Schlüssel wieder, wenn Sie den Rechner wechseln.</p>\n");

static const char order_text_de[] =
    "Vielen Dank für Ihre Bestellung.\n\n"
    "Ihre Lizenzschlüssel:\n\n" KEY_LINES "Bestellung: %OrderID%\n"
    "Lizenziert für: %FullName%\n\n"
    "Geben Sie den Schlüssel ein, wenn das Programm danach fragt. Bitte heben Sie\n"
    "diese Nachricht auf: Sie brauchen den Schlüssel wieder, wenn Sie den Rechner\n"
    "wechseln.\n";

static const char shop_html_en[] =
    PAGE("en", "<p>Thank you for order %OrderID%. The shop sends the invoice separately; here are "
               "the keys that belong to it.</p>\n" KEY_TABLE "<p>Licensed to: %FullName%</p>\n"
               "<p>Enter the key when the program asks for it. Please keep this message.</p>\n");

static const char shop_text_en[] =
    "Thank you for order %OrderID%. The shop sends the invoice separately; here are\n"
    "the keys that belong to it.\n\n" KEY_LINES "Licensed to: %FullName%\n\n"
    "Enter the key when the program asks for it. Please keep this message.\n";

static const char shop_html_de[] =
    PAGE("de", "<p>Vielen Dank für die Bestellung %OrderID%. Die Rechnung kommt getrennt vom Shop; "
               "hier sind die Schlüssel dazu.</p>\n" KEY_TABLE "<p>Lizenziert für: %FullName%</p>\n"
               "<p>Geben Sie den Schlüssel ein, wenn das Programm danach fragt. Bitte heben Sie "
               "diese Nachricht auf.</p>\n");

static const char shop_text_de[] =
    "Vielen Dank für die Bestellung %OrderID%. Die Rechnung kommt getrennt vom Shop;\n"
    "hier sind die Schlüssel dazu.\n\n" KEY_LINES "Lizenziert für: %FullName%\n\n"
    "Geben Sie den Schlüssel ein, wenn das Programm danach fragt. Bitte heben Sie\n"
    "diese Nachricht auf.\n";

static const char code_html_en[] =
    PAGE("en", "<p>Your code to activate %ProductName%:</p>\n"
               "<p style=\"font-size: 20pt; font-family: monospace\">%AuthorizationCode%</p>\n"
               "<p>It is valid for a few minutes. If you did not ask for it, ignore this message "
               "and give the code to nobody.</p>\n");

static const char code_text_en[] =
    "Your code to activate %ProductName%:\n\n    %AuthorizationCode%\n\n"
    "It is valid for a few minutes. If you did not ask for it, ignore this message\n"
    "and give the code to nobody.\n";

static const char code_html_de[] =
    PAGE("de", "<p>Ihr Code zum Aktivieren von %ProductName%:</p>\n"
               "<p style=\"font-size: 20pt; font-family: monospace\">%AuthorizationCode%</p>\n"
               "<p>Er gilt wenige Minuten. Haben Sie ihn nicht angefordert, so beachten Sie diese "
               "Nachricht nicht und geben Sie den Code niemandem.</p>\n");

static const char code_text_de[] =
    "Ihr Code zum Aktivieren von %ProductName%:\n\n    %AuthorizationCode%\n\n"
    "Er gilt wenige Minuten. Haben Sie ihn nicht angefordert, so beachten Sie diese\n"
    "Nachricht nicht und geben Sie den Code niemandem.\n";

static const char trial_html_en[] =
    PAGE("en", "<p>Thank you for your interest in %ProductName%.</p>\n"
               "<p>Your trial key:</p>\n" KEY_TABLE "<p>Valid until: %SubscriptionExpiryDate%</p>\n"
               "<p>Enter the key when the program asks for it. If you did not ask for it, ignore "
               "this message.</p>\n");

static const char trial_text_en[] =
    "Thank you for your interest in %ProductName%.\n\n"
    "Your trial key:\n\n" KEY_LINES "Valid until: %SubscriptionExpiryDate%\n\n"
    "Enter the key when the program asks for it. If you did not ask for it, ignore\n"
    "this message.\n";

static const char trial_html_de[] = PAGE(
    "de", "<p>Vielen Dank für Ihr Interesse an %ProductName%.</p>\n"
          "<p>Ihr Schlüssel zum Ausprobieren:</p>\n" KEY_TABLE
          "<p>Gültig bis: %SubscriptionExpiryDate%</p>\n"
          "<p>Geben Sie den Schlüssel ein, wenn das Programm danach fragt. Haben Sie ihn nicht "
          "angefordert, so beachten Sie diese Nachricht nicht.</p>\n");

static const char trial_text_de[] =
    "Vielen Dank für Ihr Interesse an %ProductName%.\n\n"
    "Ihr Schlüssel zum Ausprobieren:\n\n" KEY_LINES "Gültig bis: %SubscriptionExpiryDate%\n\n"
    "Geben Sie den Schlüssel ein, wenn das Programm danach fragt. Haben Sie ihn nicht\n"
    "angefordert, so beachten Sie diese Nachricht nicht.\n";

static const qlm_template_t templates[] = {
    {"1. New Order", "en", "Your license keys for order %OrderID%", order_html_en, order_text_en},
    {"1. New Order", "de", "Ihre Lizenzschlüssel zur Bestellung %OrderID%", order_html_de,
     order_text_de},
    {"Ecommerce.New Order", "en", "Your keys for order %OrderID%", shop_html_en, shop_text_en},
    {"Ecommerce.New Order", "de", "Ihre Schlüssel zur Bestellung %OrderID%", shop_html_de,
     shop_text_de},
    {"AuthorizationCode", "en", "Your activation code", code_html_en, code_text_en},
    {"AuthorizationCode", "de", "Ihr Aktivierungscode", code_html_de, code_text_de},
    {"Customer.TrialRequest", "en", "Your trial of %ProductName%", trial_html_en, trial_text_en},
    {"Customer.TrialRequest", "de", "%ProductName% ausprobieren", trial_html_de, trial_text_de},
};

const apr_array_header_t *qlm_template_builtin(apr_pool_t *pool)
{
    int count = (int)(sizeof(templates) / sizeof(*templates));
    apr_array_header_t *list = apr_array_make(pool, count, sizeof(qlm_template_t));

    for (int i = 0; i < count; i++) {
        APR_ARRAY_PUSH(list, qlm_template_t) = templates[i];
    }
    return list;
}
