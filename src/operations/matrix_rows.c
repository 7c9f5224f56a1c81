#include "operations/matrix_rows.h"

#include <stdio.h>

uint64_t sqa_stretch_count(uint64_t rows, uint32_t columns)
{
    return rows * ((columns + SQA_MAX_ROW - 1) / SQA_MAX_ROW);
}

sqa_stretch sqa_stretch_at(uint32_t columns, uint64_t index)
{
    const uint64_t stretches = sqa_stretch_count(1, columns);
    const uint32_t first = (uint32_t)(index % stretches) * SQA_MAX_ROW;
    const uint32_t count = columns - first < SQA_MAX_ROW ? columns - first : SQA_MAX_ROW;
    return (sqa_stretch){index / stretches, first, count};
}

int64_t sqa_stretch_begin(const sqa_stretch *at, uint32_t rows, const sqa_matrix_strides *strides)
{
    return (int64_t)(at->row / rows) * strides->batch + (int64_t)(at->row % rows) * strides->row +
           at->first;
}

void sqa_stretch_place(const sqa_stretch *at, uint32_t rows, char out[SQA_PLACE_TEXT])
{
    const unsigned long long row = rows ? at->row % rows : at->row;
    if (rows)
        snprintf(out, SQA_PLACE_TEXT, "batch %llu, row %llu, columns from %u",
                 (unsigned long long)(at->row / rows), row, at->first);
    else
        snprintf(out, SQA_PLACE_TEXT, "row %llu, columns from %u", row, at->first);
}
