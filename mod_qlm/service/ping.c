/* PingHttp: the server is there. It asks the database too, so that a monitor notices when that is
 * gone. */
#include "base/buffer.h"
#include "base/date.h"
#include "service/operations.h"
#include "service/reply.h"
#include "service/version.h"

qlm_error_t *qlm_operation_ping(qlm_reply_t *reply, qlm_call_t *call)
{
    const char *version = call->input->server_version ? call->input->server_version : QLM_VERSION_4;
    const char *date = qlm_date_format(call->now, "yyyy-MM-ddTHH:mm:ssZ", call->pool);
    qlm_buffer_t *buffer = qlm_buffer_create(512, call->pool);

    qlm_buffer_add(buffer, QLM_XML_DECLARATION "<QuickLicenseManager><result>");
    qlm_buffer_addf(buffer, "Successfully connected to License Server at %s UTC. QLM Version: ",
                    qlm_date_format(call->now, "yyyy-MM-dd HH:mm:ss", call->pool));
    qlm_buffer_add_xml(buffer, version);
    qlm_buffer_add(buffer, "</result>");
    qlm_buffer_add_element(buffer, "serverDate", date);
    qlm_buffer_add_element(buffer, "serverVersion", version);
    qlm_buffer_addf(buffer, "<serverDate date=\"%s\"></serverDate></QuickLicenseManager>", date);
    qlm_reply_set(reply, QLM_TYPE_XML, buffer->text);
    qlm_reply_note(reply, "answered", "");
    return NULL;
}
