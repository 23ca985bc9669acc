/* The courier: exchanges of one multi handle. */
#include "outbound/courier.h"

#include "outbound/exchange.h"

/* An exchange under way, or over. */
typedef struct parcel_t {
    struct parcel_t *next;
    qlm_exchange_t *exchange; /* NULL when it was refused before connecting */
    void *ticket;
    qlm_error_t *error;
} parcel_t;

typedef struct courier_t {
    qlm_http_caller_t caller;
    CURLM *multi; /* made when it is first needed */
    parcel_t *under_way, *refused;
} courier_t;

/* Take a parcel out of a list. */
static void unlink_parcel(parcel_t **list, const parcel_t *parcel)
{
    while (*list != parcel) {
        list = &(*list)->next;
    }
    *list = parcel->next;
}

static void start(void *baton, void *ticket, const qlm_fetch_request_t *request, apr_pool_t *pool)
{
    courier_t *courier = baton;
    parcel_t *parcel = apr_pcalloc(pool, sizeof(*parcel));
    parcel_t **list = &courier->under_way;

    parcel->ticket = ticket;
    courier->multi = courier->multi ? courier->multi : curl_multi_init();
    parcel->error =
        courier->multi
            ? qlm_exchange_open(&parcel->exchange, &courier->caller, request, pool)
            : qlm_error_make(pool, QLM_ERROR_OUTBOUND, QLM_CODE_UNKNOWN, "out of memory");
    if (parcel->error) {
        list = &courier->refused;
    }
    else {
        CURL *handle = qlm_exchange_handle(parcel->exchange);

        /* Neither can fail with a handle of its own. */
        curl_easy_setopt(handle, CURLOPT_PRIVATE, (char *)parcel);
        curl_multi_add_handle(courier->multi, handle);
    }
    parcel->next = *list;
    *list = parcel;
}

/* An exchange that has ended, NULL if none has. */
static parcel_t *next_ended(CURLcode *code, const courier_t *courier)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(courier->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            char *parcel = NULL;

            *code = message->data.result;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &parcel);
            return (parcel_t *)(void *)parcel;
        }
    }
    return NULL;
}

static qlm_error_t *hand_over(qlm_fetch_response_t **response, courier_t *courier, parcel_t *parcel,
                              CURLcode code)
{
    unlink_parcel(&courier->under_way, parcel);
    curl_multi_remove_handle(courier->multi, qlm_exchange_handle(parcel->exchange));
    return qlm_exchange_close(response, parcel->exchange, code);
}

static int wait_for(void **ticket, qlm_fetch_response_t **response, qlm_error_t **error,
                    void *baton, int milliseconds)
{
    courier_t *courier = baton;
    parcel_t *parcel = courier->refused;
    CURLcode code = CURLE_OK;
    int running;

    *response = NULL;
    if (parcel) {
        courier->refused = parcel->next;
        *error = parcel->error;
        *ticket = parcel->ticket;
        return 1;
    }
    if (!courier->under_way) {
        return 0;
    }
    curl_multi_perform(courier->multi, &running);
    parcel = next_ended(&code, courier);
    if (!parcel && running) {
        curl_multi_poll(courier->multi, NULL, 0, milliseconds, NULL);
        curl_multi_perform(courier->multi, &running);
        parcel = next_ended(&code, courier);
    }
    if (!parcel) {
        return 0;
    }
    *ticket = parcel->ticket;
    *error = hand_over(response, courier, parcel, code);
    return 1;
}

static apr_status_t drop_all(void *baton)
{
    courier_t *courier = baton;
    qlm_fetch_response_t *response;

    while (courier->under_way) {
        hand_over(&response, courier, courier->under_way, CURLE_ABORTED_BY_CALLBACK);
    }
    curl_multi_cleanup(courier->multi);
    return APR_SUCCESS;
}

const qlm_courier_t *qlm_http_courier(qlm_http_t *http, const apr_array_header_t *hosts,
                                      qlm_http_observer_t observer, void *observer_baton,
                                      apr_pool_t *pool)
{
    courier_t *made = apr_pcalloc(pool, sizeof(*made));
    qlm_courier_t *courier = apr_pcalloc(pool, sizeof(*courier));

    made->caller.http = http;
    made->caller.hosts = hosts;
    made->caller.observer = observer;
    made->caller.observer_baton = observer_baton;
    /* Before the pools below, which hold what is under way. */
    apr_pool_pre_cleanup_register(pool, made, drop_all);
    courier->start = start;
    courier->wait = wait_for;
    courier->baton = made;
    return courier;
}
