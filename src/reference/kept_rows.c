/* See kept_rows.h. */
#include "reference/kept_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t values_of(const uint32_t count[SQA_MAX_JUDGED])
{
    size_t sum = 0;
    for (int i = 0; i < SQA_MAX_JUDGED; i++)
        sum += count[i];
    return sum;
}

/* A power of two is full. */
static bool make_room(sqa_kept_rows *kept)
{
    if (kept->count & (kept->count - 1))
        return true;
    sqa_kept_row *rows = realloc(kept->rows, 2 * (kept->count + 1) * sizeof *rows);
    if (rows)
        kept->rows = rows;
    return rows != NULL;
}

sqa_status sqa_kept_rows_add(sqa_kept_rows *kept, bool exists, const sqa_expected_row *row)
{
    sqa_kept_row own = {.exists = exists};
    if (!make_room(kept))
        return sqa_fail_memory("the reference's rows");
    if (exists) {
        memcpy(own.at, row->at, sizeof own.at);
        memcpy(own.count, row->count, sizeof own.count);
        memcpy(own.magnitude, row->magnitude, sizeof own.magnitude);
        own.values = malloc((values_of(own.count) + 1) * sizeof *own.values);
        if (!own.values)
            return sqa_fail_memory("the reference's rows");
        double *next = own.values;
        for (int i = 0; i < SQA_MAX_JUDGED; next += own.count[i], i++)
            memcpy(next, row->values[i], own.count[i] * sizeof *next);
    }
    kept->rows[kept->count++] = own;
    return SQA_OK;
}

bool sqa_kept_rows_get(const sqa_kept_rows *kept, size_t index, sqa_expected_row *out)
{
    assert(index < kept->count);
    const sqa_kept_row *own = &kept->rows[index];
    const double *next = own->values;
    memcpy(out->at, own->at, sizeof out->at);
    memcpy(out->count, own->count, sizeof out->count);
    memcpy(out->magnitude, own->magnitude, sizeof out->magnitude);
    for (int i = 0; own->exists && i < SQA_MAX_JUDGED; next += own->count[i], i++)
        memcpy(out->values[i], next, own->count[i] * sizeof *next);
    return own->exists;
}

void sqa_kept_rows_free(sqa_kept_rows *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        free(kept->rows[i].values);
    free(kept->rows);
    *kept = (sqa_kept_rows){NULL, 0};
}
