/* Outbox rows, the lease, and what is kept beside them: templates and memos. */
#include "store/outbox.h"

#include "base/text.h"
#include "store/statement.h"

#include <string.h>

#define ERROR_MAX 390 /* bytes of last_error that are kept */

static qlm_outbox_row_t *read_row(qlm_outbox_row_t *made, qlm_row_t row)
{
    made->id = qlm_row_int64(&row);
    made->kind = qlm_row_text(&row);
    made->state = qlm_row_text(&row);
    made->target = qlm_row_text(&row);
    made->subject = qlm_row_text(&row);
    made->order_key = qlm_row_text(&row);
    made->payload = qlm_row_text(&row);
    made->last_error = qlm_row_text(&row);
    made->attempts = qlm_row_int(&row);
    made->created_at = qlm_row_int64(&row);
    made->next_at = qlm_row_int64(&row);
    made->finished_at = qlm_row_int64(&row);
    return made;
}

static qlm_error_t *select_rows(apr_array_header_t **made, qlm_store_t *store,
                                qlm_statement_t statement, const char **values, apr_pool_t *pool)
{
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, statement, values, pool));
    *made = apr_array_make(pool, rows->nelts, sizeof(qlm_outbox_row_t));
    for (int i = 0; i < rows->nelts; i++) {
        read_row(apr_array_push(*made), APR_ARRAY_IDX(rows, i, qlm_row_t));
    }
    return NULL;
}

qlm_error_t *qlm_store_add_outbox(qlm_store_t *store, qlm_outbox_row_t *row, apr_pool_t *pool)
{
    const char *values[12];

    if (!row->id) {
        row->id = qlm_store_new_id(store);
    }
    values[0] = qlm_statement_number(row->id, pool);
    values[1] = row->kind;
    values[2] = row->state;
    values[3] = qlm_text_clean(row->target, 1000, pool);
    values[4] = qlm_text_clean(row->subject, ERROR_MAX, pool);
    values[5] = qlm_statement_text(row->order_key);
    values[6] = row->payload;
    values[7] = qlm_text_clean(qlm_statement_text(row->last_error), ERROR_MAX, pool);
    values[8] = qlm_statement_number(row->attempts, pool);
    values[9] = qlm_statement_number(row->created_at, pool);
    values[10] = qlm_statement_number(row->next_at, pool);
    values[11] = qlm_statement_number(row->finished_at, pool);
    return qlm_statement_execute(NULL, store, QLM_STATEMENT_OUTBOX_INSERT, values, pool);
}

qlm_error_t *qlm_store_list_due(apr_array_header_t **rows, qlm_store_t *store,
                                const qlm_outbox_filter_t *filter, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(filter->now, pool), filter->kind, filter->target,
                            filter->target, qlm_statement_number(filter->limit, pool)};

    return select_rows(rows, store, QLM_STATEMENT_OUTBOX_DUE, values, pool);
}

qlm_error_t *qlm_store_list_targets(apr_array_header_t **targets, qlm_store_t *store,
                                    const qlm_outbox_filter_t *filter, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(filter->now, pool), filter->kind,
                            qlm_statement_number(filter->limit, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_OUTBOX_TARGETS, values, pool));
    *targets = apr_array_make(pool, rows->nelts, sizeof(const char *));
    for (int i = 0; i < rows->nelts; i++) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);

        APR_ARRAY_PUSH(*targets, const char *) = qlm_row_text(&row);
    }
    return NULL;
}

qlm_error_t *qlm_store_defer_outbox(int *changed, qlm_store_t *store,
                                    const qlm_outbox_filter_t *filter, apr_int64_t next_at,
                                    const char *reason, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(next_at, pool),
                            qlm_text_clean(reason, ERROR_MAX, pool),
                            qlm_statement_number(filter->now, pool),
                            filter->kind,
                            filter->target,
                            filter->target,
                            qlm_statement_number(filter->limit, pool)};

    return qlm_statement_execute(changed, store, QLM_STATEMENT_OUTBOX_DEFER, values, pool);
}

qlm_error_t *qlm_store_update_outbox(int *changed, qlm_store_t *store, const qlm_outbox_row_t *row,
                                     int force, apr_pool_t *pool)
{
    const char *values[] = {row->state,
                            qlm_statement_number(row->attempts, pool),
                            qlm_statement_number(row->next_at, pool),
                            qlm_statement_number(row->finished_at, pool),
                            qlm_text_clean(row->last_error, ERROR_MAX, pool),
                            qlm_statement_number(row->id, pool),
                            force ? "force" : ""};

    return qlm_statement_execute(changed, store, QLM_STATEMENT_OUTBOX_UPDATE, values, pool);
}

qlm_error_t *qlm_store_find_outbox(const qlm_outbox_row_t **row, qlm_store_t *store, apr_int64_t id,
                                   apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(id, pool)};
    qlm_row_t found;

    QLM_TRY(qlm_statement_select_one(&found, store, QLM_STATEMENT_OUTBOX_FIND, values, pool));
    *row = found ? read_row(apr_palloc(pool, sizeof(**row)), found) : NULL;
    return NULL;
}

qlm_error_t *qlm_store_list_outbox(apr_array_header_t **rows, qlm_store_t *store, const char *state,
                                   int limit, apr_pool_t *pool)
{
    const char *all[] = {qlm_statement_number(limit, pool)};
    const char *some[] = {state, qlm_statement_number(limit, pool)};

    return *state ? select_rows(rows, store, QLM_STATEMENT_OUTBOX_LIST_STATE, some, pool)
                  : select_rows(rows, store, QLM_STATEMENT_OUTBOX_LIST, all, pool);
}

qlm_error_t *qlm_store_count_outbox(apr_int64_t *count, qlm_store_t *store, const char *state,
                                    apr_pool_t *pool)
{
    const char *values[] = {state};

    return qlm_statement_count(count, store, QLM_STATEMENT_OUTBOX_COUNT, values, pool);
}

qlm_error_t *qlm_store_purge_outbox(int *removed, qlm_store_t *store, apr_int64_t before, int limit,
                                    apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(before, pool), qlm_statement_number(limit, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_OUTBOX_OLD, values, pool));
    for (int i = 0; i < rows->nelts; i++) {
        const char *id[] = {APR_ARRAY_IDX(rows, i, qlm_row_t)[0]};

        QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_OUTBOX_DELETE, id, pool));
    }
    *removed = rows->nelts;
    return NULL;
}

qlm_error_t *qlm_store_has_old_outbox(int *has_old, qlm_store_t *store, apr_int64_t before,
                                      apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(before, pool), "1"};
    qlm_row_t row;

    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_OUTBOX_OLD, values, pool));
    *has_old = row != NULL;
    return NULL;
}

/* ---- lease ---- */

qlm_error_t *qlm_store_take_lease(int *taken, qlm_store_t *store, const char *name,
                                  const char *owner, apr_int64_t now, apr_int64_t until,
                                  apr_pool_t *pool)
{
    const char *fresh[] = {name, owner, qlm_statement_number(until, pool)};
    const char *known[] = {owner, qlm_statement_number(until, pool), name, owner,
                           qlm_statement_number(now, pool)};

    QLM_TRY(qlm_statement_execute(taken, store, QLM_STATEMENT_LEASE_TAKE, known, pool));
    return *taken ? NULL
                  : qlm_statement_execute(taken, store, QLM_STATEMENT_LEASE_INSERT, fresh, pool);
}

qlm_error_t *qlm_store_is_lease_free(int *is_free, qlm_store_t *store, const char *name,
                                     const char *owner, apr_int64_t now, apr_pool_t *pool)
{
    const char *values[] = {name};
    qlm_row_t row;

    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_LEASE_FIND, values, pool));
    *is_free = !row || strcmp(qlm_row_text(&row), owner) == 0 || qlm_row_int64(&row) < now;
    return NULL;
}

qlm_error_t *qlm_store_release_leases(qlm_store_t *store, const char *owner, apr_pool_t *pool)
{
    const char *values[] = {owner};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_LEASE_RELEASE, values, pool);
}

/* ---- templates ---- */

qlm_error_t *qlm_store_list_templates(apr_array_header_t **templates, qlm_store_t *store,
                                      apr_pool_t *pool)
{
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_TEMPLATES, NULL, pool));
    *templates = apr_array_make(pool, rows->nelts, sizeof(qlm_template_t));
    for (int i = 0; i < rows->nelts; i++) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);
        qlm_template_t *form = apr_array_push(*templates);

        form->name = qlm_row_text(&row);
        form->language = qlm_row_text(&row);
        form->subject = qlm_row_text(&row);
        form->html = qlm_row_text(&row);
        form->text = qlm_row_text(&row);
    }
    return NULL;
}

qlm_error_t *qlm_store_remove_template(int *removed, qlm_store_t *store, const char *name,
                                       const char *language, apr_pool_t *pool)
{
    const char *values[] = {qlm_text_fold(name, pool), qlm_text_fold(language, pool)};

    return qlm_statement_execute(removed, store, QLM_STATEMENT_TEMPLATE_DELETE, values, pool);
}

qlm_error_t *qlm_store_set_template(qlm_store_t *store, const qlm_template_t *form,
                                    apr_pool_t *pool)
{
    const char *values[] = {qlm_text_fold(form->name, pool),
                            qlm_text_fold(form->language, pool),
                            qlm_text_trim(form->name, pool),
                            form->subject,
                            form->html,
                            form->text};
    int removed;

    QLM_TRY(qlm_store_remove_template(&removed, store, form->name, form->language, pool));
    return qlm_statement_execute(NULL, store, QLM_STATEMENT_TEMPLATE_INSERT, values, pool);
}

/* ---- memos ---- */

qlm_error_t *qlm_store_recall(const char **value, qlm_store_t *store, const char *name,
                              apr_int64_t now, apr_pool_t *pool)
{
    const char *values[] = {name, qlm_statement_number(now, pool)};
    qlm_row_t row;

    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_MEMO_FIND, values, pool));
    *value = row ? qlm_row_text(&row) : NULL;
    return NULL;
}

qlm_error_t *qlm_store_forget_expired(qlm_store_t *store, apr_int64_t now, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(now, pool)};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_MEMO_PURGE, values, pool);
}

qlm_error_t *qlm_store_remember(qlm_store_t *store, const char *name, const char *value,
                                apr_int64_t expires_at, apr_pool_t *pool)
{
    const char *values[] = {name, qlm_statement_text(value),
                            qlm_statement_number(expires_at, pool)};

    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_MEMO_DELETE, values, pool));
    return value ? qlm_statement_execute(NULL, store, QLM_STATEMENT_MEMO_INSERT, values, pool)
                 : NULL;
}
