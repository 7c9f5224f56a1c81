/* See pair_strides.h. */
#include "operations/attention/pair_strides.h"

#include <string.h>

static const char *const names[SQA_PAIR_DIMS] = {"", "b", "h", "bh", "q", "bq", "hq", "bhq"};

#define MOST_ELEMENTS 0x1p60

bool sqa_pair_strides(const sqa_attention_desc *desc, unsigned varies, sqa_strides *out)
{
    const uint32_t heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    const struct {
        unsigned dim;
        uint32_t count;
        int64_t *stride;
    } from_inside[] = {
        {SQA_PAIR_QUERY, desc->q_length, &out->sequence},
        {SQA_PAIR_HEAD, heads, &out->head},
        {SQA_PAIR_BATCH, desc->batch, &out->batch},
    };
    int64_t elements = desc->kv_length;
    *out = (sqa_strides){0, 0, 0};
    for (int i = 0; i < 3; i++) {
        if (!(varies & from_inside[i].dim))
            continue;
        *from_inside[i].stride = elements;
        if ((double)elements * from_inside[i].count > MOST_ELEMENTS)
            return false;
        elements *= from_inside[i].count;
    }
    return true;
}

bool sqa_pair_dims_read(const char *letters, unsigned *varies)
{
    unsigned found = 0;
    for (; *letters; letters++) {
        unsigned dim = *letters == 'b'   ? SQA_PAIR_BATCH
                       : *letters == 'h' ? SQA_PAIR_HEAD
                       : *letters == 'q' ? SQA_PAIR_QUERY
                                         : 0;
        if (!dim || found & dim)
            return false;
        found |= dim;
    }
    *varies = found;
    return true;
}

const char *sqa_pair_dims_name(const sqa_attention_desc *desc, const sqa_strides *strides)
{
    for (unsigned varies = 0; varies < SQA_PAIR_DIMS; varies++) {
        sqa_strides packed;
        if (sqa_pair_strides(desc, varies, &packed) && packed.batch == strides->batch &&
            packed.head == strides->head && packed.sequence == strides->sequence)
            return names[varies];
    }
    return NULL;
}
