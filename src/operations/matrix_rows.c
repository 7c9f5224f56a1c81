#include "operations/matrix_rows.h"

#include <stdio.h>

static uint32_t stretches_of(uint32_t columns)
{
    return (columns + SQA_MAX_ROW - 1) / SQA_MAX_ROW;
}

uint64_t sqa_stretch_count(uint32_t batch, uint32_t rows, uint32_t columns)
{
    return (uint64_t)batch * rows * stretches_of(columns);
}

sqa_stretch sqa_stretch_at(uint32_t rows, uint32_t columns, uint64_t index)
{
    const uint32_t stretches = stretches_of(columns);
    const uint64_t row = index / stretches;
    const uint32_t first = (uint32_t)(index % stretches) * SQA_MAX_ROW;
    const uint32_t count = columns - first < SQA_MAX_ROW ? columns - first : SQA_MAX_ROW;
    return (sqa_stretch){(uint32_t)(row / rows), (uint32_t)(row % rows), first, count};
}

int64_t sqa_stretch_begin(const sqa_stretch *at, const sqa_matrix_strides *strides)
{
    return at->batch * strides->batch + at->row * strides->row + at->first;
}

void sqa_stretch_place(const sqa_stretch *at, char out[SQA_PLACE_TEXT])
{
    snprintf(out, SQA_PLACE_TEXT, "batch %u, row %u, columns from %u", at->batch, at->row,
             at->first);
}
