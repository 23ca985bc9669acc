/* GetLatestVersionHttp: what an application asks at its start, to offer an update. */
#include "base/buffer.h"
#include "service/operations.h"
#include "service/reply.h"

#include <apr_strings.h>

static qlm_error_t *find_product(const qlm_product_t **product, qlm_reply_t *reply,
                                 const qlm_call_t *call)
{
    int id = (int)qlm_arguments_number(call->arguments, QLM_ARGUMENT_PRODUCT, 0);
    int major = (int)qlm_arguments_number(call->arguments, QLM_ARGUMENT_MAJOR, 0);
    int minor = (int)qlm_arguments_number(call->arguments, QLM_ARGUMENT_MINOR, 0);

    reply->subject = apr_psprintf(call->pool, "product %d version %d.%d", id, major, minor);
    *product = qlm_snapshot_product(call->site, id, major, minor);
    return *product ? NULL
                    : qlm_error_make(call->pool, QLM_ERROR_REFUSED, QLM_CODE_PRODUCT_NOT_FOUND,
                                     "unknown product %d version %d.%d: check is_productid, "
                                     "is_majorversion and is_minorversion",
                                     id, major, minor);
}

qlm_error_t *qlm_operation_latest(qlm_reply_t *reply, qlm_call_t *call)
{
    qlm_buffer_t *buffer = qlm_buffer_create(512, call->pool);
    const qlm_product_t *product;

    QLM_TRY(find_product(&product, reply, call));
    if (!*product->latest_version) {
        return qlm_error_make(call->pool, QLM_ERROR_REFUSED, QLM_CODE_EMPTY_DATA,
                              "the publisher has not said which version of this product is the "
                              "latest");
    }
    qlm_buffer_add(buffer, QLM_XML_DECLARATION "<QuickLicenseManager><result>The latest version "
                                               "is ");
    qlm_buffer_add_xml(buffer, product->latest_version);
    qlm_buffer_add(buffer, "</result>");
    qlm_buffer_add_element(buffer, "latestVersion", product->latest_version);
    qlm_buffer_add_element(buffer, "latestVersionUrl", product->latest_version_url);
    qlm_buffer_add_element(buffer, "latestVersionNotes", product->latest_version_notes);
    qlm_buffer_add(buffer, "</QuickLicenseManager>");
    qlm_reply_set(reply, QLM_TYPE_XML, buffer->text);
    reply->outcome = "answered";
    return NULL;
}
