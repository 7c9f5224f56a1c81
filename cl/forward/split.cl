/* Splitting the keys of a row among several work-items or work-groups, for when
 * rows alone do not fill the device. Each writes its weighted sum of values, unless it saw no
 * key, its maximum and its sum of weights to the workspace; a second kernel brings them together
 * (Flash-Decoding). Part = (split, batch, head, query), in that order.
 *
 * A split has split_keys keys. SPLIT is how many splits there are; 0: as many as a sequence takes,
 * so that they, and the result of a row, depend on its own length alone. */
#ifndef SPLIT
#define SPLIT 1
#endif

#if SPLIT == 1
/* All keys; a split has those from BEGIN to END. */
#define SQA_SPLIT_BEGIN(split) 0
#define SQA_SPLIT_END(split) kv_length
#else
/* First key of a split; a multiple of the key tile, so that only the last is ragged. */
#define SQA_SPLIT_BEGIN(split) min((split)*split_keys, kv_length)
#define SQA_SPLIT_END(split) SQA_SPLIT_BEGIN((split) + 1)
#define SQA_SPLIT_PART(split, batch, head, query)                                                  \
    ((((split) * (long)split_batches + (batch)) * out_heads + (head)) * SQA_LONGEST + (query))
#define SQA_SPLIT_OUTPUT(part) (workspace + (part)*SQA_VALUE_DIM)
/* The maximum and, behind it, the sum of weights. */
#define SQA_SPLIT_TOTALS(part)                                                                     \
    (workspace + splits * (long)split_batches * out_heads * SQA_LONGEST * SQA_VALUE_DIM +          \
     2 * (part))

/* COMBINE_COLUMNS of a row to a work-item: where work-items are neighbours in memory, fewer. */
#ifndef COMBINE_COLUMNS
#define COMBINE_COLUMNS SQA_VALUE_DIM
#endif
#define COMBINE_ITEMS ((SQA_VALUE_DIM + COMBINE_COLUMNS - 1) / COMBINE_COLUMNS)

__kernel void sqa_split_combine(SQA_FORWARD_ARGUMENTS)
{
    const long query = get_global_id(0) / COMBINE_ITEMS;
    const int first = get_global_id(0) % COMBINE_ITEMS * COMBINE_COLUMNS;
    const int columns = min(COMBINE_COLUMNS, SQA_VALUE_DIM - first);
    const long head = get_global_id(1);
    const long batch = get_global_id(2);
    SQA_SEQUENCE(batch)
    if (query >= q_length)
        return;
    /* A split that shows the row no key has a sum of zero; one that met NaN, a sum of NaN. */
    const sqa_weighing weighing = SQA_WEIGHING;
    const int parts = max((kv_length + split_keys - 1) / split_keys, 1);
    float maximum = SQA_LOWEST_SCORE;
    for (int s = 0; s < parts; s++)
        maximum = fmax(maximum, SQA_SPLIT_TOTALS(SQA_SPLIT_PART(s, batch, head, query))[0]);
    float sum = 0.0f, values[COMBINE_COLUMNS];
    for (int d = 0; d < columns; d++)
        values[d] = 0.0f;
    for (int s = 0; s < parts; s++) {
        const long part = SQA_SPLIT_PART(s, batch, head, query);
        __global const float *totals = SQA_SPLIT_TOTALS(part);
        __global const float *from = SQA_SPLIT_OUTPUT(part) + first;
        const float rescale = sqa_rescale(weighing, totals[0] - maximum);
        sum = fma(rescale, totals[1], sum);
        for (int d = 0; totals[1] != 0.0f && d < columns; d++)
            values[d] = fma(rescale, from[d], values[d]);
    }
    const sqa_row_end end = sqa_end_row(weighing, maximum, sum, SQA_SINK(head));
    __global sqa_stored *o = SQA_O_MATRIX(batch, head) + query * o_row + first;
    for (int d = 0; d < columns; d++)
        SQA_STORE(sqa_output(values[d], end.inverse), d, o);
#if SQA_WRITE_LSE
    if (first == 0)
        SQA_LSE_ROW(batch, head)[query] = end.lse;
#endif
}
#endif
