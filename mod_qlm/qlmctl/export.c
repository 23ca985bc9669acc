/* export: what import reads, as CSV. */
#include "base/date.h"
#include "license/record.h"
#include "qlmctl/commands.h"
#include "qlmctl/output.h"

#include <apr_strings.h>
#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BATCH 1000 /* licenses read at a time */

/* A line in the making. */
typedef struct writer_t {
    FILE *file;
    int is_begun; /* the line has a value */
    int failed;
} writer_t;

static void write_value(writer_t *writer, const char *value)
{
    if (writer->is_begun && fputc(',', writer->file) == EOF) {
        writer->failed = 1;
    }
    if (csv_fwrite(writer->file, value, strlen(value)) != 0) {
        writer->failed = 1;
    }
    writer->is_begun = 1;
}

static void end_line(writer_t *writer)
{
    if (fputs("\r\n", writer->file) == EOF) {
        writer->failed = 1;
    }
    writer->is_begun = 0;
}

static const char *time_text(apr_int64_t seconds, apr_pool_t *pool)
{
    return seconds ? qlm_date_format(seconds, "yyyy-MM-dd HH:mm:ss", pool) : "";
}

/* ---- licenses and their computers -------------------------------------------------------------
 */

static void write_license_heading(writer_t *writer)
{
    for (int i = 0; i < QLM_LICENSE_FIELD_COUNT; i++) {
        write_value(writer, qlm_license_field_name((qlm_license_field_t)i));
    }
    write_value(writer, "Email");
    end_line(writer);
}

static qlm_error_t *write_license(writer_t *writer, const qlm_license_t *license,
                                  qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_customer_t *customer = NULL;

    if (license->customer_id) {
        QLM_TRY(qlm_store_find_customer(&customer, store, license->customer_id, pool));
    }
    for (int i = 0; i < QLM_LICENSE_FIELD_COUNT; i++) {
        write_value(writer, qlm_license_field_text(license, (qlm_license_field_t)i, pool));
    }
    write_value(writer, customer ? customer->email : "");
    end_line(writer);
    return NULL;
}

static void write_activation_heading(writer_t *writer)
{
    static const char *const names[] = {
        "ActivationKey",    "ComputerID",      "ComputerName", "ComputerKey", "ActivationDate",
        "LastAccessedDate", "ActivationCount", "UserData1",    "IP_Address",  "OfflineExpiryDate",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        write_value(writer, names[i]);
    }
    end_line(writer);
}

static qlm_error_t *write_activations(writer_t *writer, const qlm_license_t *license,
                                      qlm_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *activations;

    QLM_TRY(qlm_store_list_activations(&activations, store, license->id, pool));
    for (int i = 0; i < activations->nelts; i++) {
        const qlm_activation_t *activation = &APR_ARRAY_IDX(activations, i, qlm_activation_t);

        write_value(writer, license->activation_key);
        write_value(writer, activation->computer_id);
        write_value(writer, activation->computer_name);
        write_value(writer, activation->computer_key);
        write_value(writer, time_text(activation->activated_at, pool));
        write_value(writer, time_text(activation->last_accessed_at, pool));
        write_value(writer, apr_itoa(pool, activation->activation_count));
        write_value(writer, activation->user_data);
        write_value(writer, activation->ip_address);
        write_value(writer, time_text(activation->offline_until, pool));
        end_line(writer);
    }
    return NULL;
}

typedef qlm_error_t *(*license_writer_t)(writer_t *writer, const qlm_license_t *license,
                                         qlm_store_t *store, apr_pool_t *pool);

/* Oldest first, so that what is made meanwhile comes last. */
static qlm_error_t *write_each(writer_t *writer, license_writer_t write_one, qlm_tool_t *tool)
{
    apr_array_header_t *licenses;
    apr_int64_t after = 0;
    apr_pool_t *pool;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    apr_pool_create(&pool, tool->pool);
    do {
        apr_pool_clear(pool);
        QLM_TRY(qlm_store_page_licenses(&licenses, store, after, BATCH, pool));
        for (int i = 0; i < licenses->nelts; i++) {
            const qlm_license_t *license = &APR_ARRAY_IDX(licenses, i, qlm_license_t);

            QLM_TRY(write_one(writer, license, store, pool));
            after = license->id;
        }
    } while (licenses->nelts == BATCH);
    return NULL;
}

static qlm_error_t *export_licenses(writer_t *writer, qlm_tool_t *tool)
{
    write_license_heading(writer);
    return write_each(writer, write_license, tool);
}

static qlm_error_t *export_activations(writer_t *writer, qlm_tool_t *tool)
{
    write_activation_heading(writer);
    return write_each(writer, write_activations, tool);
}

/* ---- customers --------------------------------------------------------------------------------
 */

static const char *said_text(int said)
{
    return said < 0 ? "" : said ? "true" : "false";
}

static void write_customer(writer_t *writer, const qlm_customer_t *customer, apr_pool_t *pool)
{
    const char *const values[] = {
        customer->email,
        customer->full_name,
        customer->company,
        customer->phone,
        customer->fax,
        customer->mobile,
        customer->address1,
        customer->address2,
        customer->city,
        customer->state,
        customer->zip,
        customer->country,
        customer->notes,
        customer->affiliate_id,
        said_text(customer->include_in_mail_list),
        customer->external_id,
        customer->user_data,
        customer->ip_address,
        said_text(customer->privacy_consent),
        customer->privacy_consent_at
            ? qlm_date_format(customer->privacy_consent_at, "yyyy-MM-dd HH:mm:ss", pool)
            : "",
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        write_value(writer, values[i]);
    }
    end_line(writer);
}

static qlm_error_t *export_customers(writer_t *writer, qlm_tool_t *tool)
{
    static const char *const names[] = {
        "Email",      "FullName", "Company",   "Phone",          "Fax",
        "Mobile",     "Address1", "Address2",  "City",           "State",
        "Zip",        "Country",  "Notes",     "AffiliateID",    "IncludeInMailList",
        "ExternalID", "UserData", "IpAddress", "PrivacyConsent", "PrivacyConsentLastUpdate",
    };
    apr_array_header_t *customers;
    apr_int64_t after = 0;
    apr_pool_t *pool;
    qlm_store_t *store;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        write_value(writer, names[i]);
    }
    end_line(writer);
    QLM_TRY(qlm_tool_store(&store, tool));
    apr_pool_create(&pool, tool->pool);
    do {
        apr_pool_clear(pool);
        QLM_TRY(qlm_store_page_customers(&customers, store, after, BATCH, pool));
        for (int i = 0; i < customers->nelts; i++) {
            write_customer(writer, &APR_ARRAY_IDX(customers, i, qlm_customer_t), pool);
            after = APR_ARRAY_IDX(customers, i, qlm_customer_t).id;
        }
    } while (customers->nelts == BATCH);
    return NULL;
}

/* ---- the command ------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    qlm_error_t *(*run)(writer_t *writer, qlm_tool_t *tool);
} kinds[] = {
    {"licenses", export_licenses},
    {"activations", export_activations},
    {"customers", export_customers},
};

qlm_error_t *qlm_command_export(qlm_tool_t *tool)
{
    const char *name = qlm_tool_word(tool, 0);
    writer_t writer = {.file = stdout};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            QLM_TRY(kinds[i].run(&writer, tool));
            if (fflush(stdout) != 0 || writer.failed) {
                return qlm_tool_failure(tool, "cannot write the rows: %s", strerror(errno));
            }
            return NULL;
        }
    }
    return qlm_tool_usage(tool, "export takes licenses, activations or customers");
}
