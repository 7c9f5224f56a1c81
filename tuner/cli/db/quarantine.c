/* `sqa db list --quarantine`: what imports and merges refused, and why. */
#include <inttypes.h>
#include <stdio.h>

#include "base/utf8.h"
#include "cli/db/subcommand.h"
#include "store/quarantine.h"
#include "text/table.h"

typedef struct listing {
    sqa_json *json; /* NULL: the table */
    sqa_table table;
    uint64_t count;
} listing;

static sqa_status add(void *user, const sqa_quarantined *row)
{
    listing *out = user;
    out->count++;
    if (!out->json) {
        sqa_table_cell(&out->table, "%" PRId64, row->id);
        sqa_table_cell(&out->table, "%.10s", row->recorded_at);
        sqa_table_cell(&out->table, "%s, %s", row->source, row->place);
        sqa_table_cell(&out->table, "%s", row->reason);
        return SQA_OK;
    }
    sqa_json_object(out->json, NULL);
    sqa_json_integer(out->json, "id", row->id);
    sqa_json_string(out->json, "source", row->source);
    sqa_json_string(out->json, "place", row->place);
    sqa_json_string(out->json, "reason", row->reason);
    sqa_json_integer(out->json, "bytes", (int64_t)row->bytes);
    sqa_json_string(out->json, "line", row->line);
    sqa_json_string(out->json, "recorded_at", row->recorded_at);
    sqa_json_close(out->json);
    return SQA_OK;
}

sqa_status sqa_db_print_quarantine(sqa_store *store, bool as_json, bool wide)
{
    sqa_json json;
    listing out = {as_json ? &json : NULL, SQA_TABLE_INIT, 0};
    out.table.wide = wide;
    if (as_json) {
        sqa_json_begin(&json, stdout);
        sqa_json_string(&json, "database", sqa_store_path(store));
        sqa_json_array(&json, "quarantine");
        sqa_status status = sqa_quarantine_each(store, add, &out);
        sqa_json_finish(&json);
        return status;
    }
    sqa_table_column(&out.table, "id", SQA_ALIGN_RIGHT);
    sqa_table_spare(&out.table, "date", SQA_ALIGN_LEFT, 2);
    sqa_table_spare(&out.table, "from", SQA_ALIGN_LEFT, 1);
    sqa_table_column(&out.table, "reason", SQA_ALIGN_LEFT);
    sqa_status status = sqa_quarantine_each(store, add, &out);
    if (out.count)
        sqa_table_print(&out.table, stdout);
    printf("%s%s: %" PRIu64 " line%s in quarantine\n", out.count ? "\n" : "", sqa_store_path(store),
           out.count, out.count == 1 ? "" : "s");
    return status;
}
