#include "operations/linear/fields.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"
#include "operations/attention/fields.h"

static const char *const feature_words[] = {"identity", "elu1", "relu", NULL};
static const char *const decay_words[] = {"none", "head", "token", "channel", NULL};
static const char *const state_words[] = {"none", "in", "out", "in_out", "in_place", NULL};

static sqa_status read_eps(const char *value, const sqa_shape_items *items, void *descriptor)
{
    float *epsilon = &((sqa_linear_desc *)descriptor)->options.epsilon;
    (void)items;
    if (sqa_read_finite(value, epsilon) && *epsilon > 0.0f)
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "eps is '%.60s'; expected a positive number", value);
}

static bool write_eps(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    static const sqa_linear_options usual = SQA_LINEAR_OPTIONS_INIT;
    const sqa_linear_options *options = &((const sqa_linear_desc *)descriptor)->options;
    snprintf(value, SQA_FIELD_VALUE, "%.9g", (double)options->epsilon);
    return memcmp(&options->epsilon, &usual.epsilon, sizeof usual.epsilon) != 0;
}

static sqa_status read_strides(const char *name, const char *value, sqa_strides *out)
{
    if (sqa_read_strides(value, out))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "%s is '%.60s'; expected the strides BATCH:HEAD:SEQUENCE in elements", name,
                    value);
}

static bool write_strides(const sqa_strides *strides, char value[SQA_FIELD_VALUE])
{
    sqa_write_strides(strides, value, SQA_FIELD_VALUE);
    return strides->batch || strides->head || strides->sequence;
}

#define STRIDES_OF(key, member)                                                                    \
    static sqa_status read_##key(const char *value, const sqa_shape_items *items,                  \
                                 void *descriptor)                                                 \
    {                                                                                              \
        (void)items;                                                                               \
        return read_strides(#key, value, &((sqa_linear_desc *)descriptor)->options.member);        \
    }                                                                                              \
    static bool write_##key(const void *descriptor, char value[SQA_FIELD_VALUE])                   \
    {                                                                                              \
        return write_strides(&((const sqa_linear_desc *)descriptor)->options.member, value);       \
    }
STRIDES_OF(sdecay, decay_strides)
STRIDES_OF(sbeta, beta_strides)

#define AT(member) offsetof(sqa_linear_desc, options.member)

/* Where queries stand is no question: there are as many keys. */
static const sqa_shape_field position_fields[] = {
    {"causal", "causal", "no key after the query's own position", SQA_FIELD_FLAG,
     .offset = offsetof(sqa_linear_desc, attention.causal)},
    {0},
};

const sqa_shape_field sqa_linear_rule_fields[] = {
    {"feature", "feature", "map of queries and keys: identity (default), elu1 or relu",
     SQA_FIELD_WORD, .offset = AT(feature), .words = feature_words},
    {"decay", "decay", "of the state: none (default), per head, token or channel", SQA_FIELD_WORD,
     .offset = AT(decay), .words = decay_words},
    {"delta", "delta", "the delta rule", SQA_FIELD_FLAG, .offset = AT(delta)},
    {"normalise", "normalise", "divided by the sum of the weights", SQA_FIELD_FLAG,
     .offset = AT(normalise)},
    {"eps", "epsilon", "added to that sum (1e-6)", SQA_FIELD_OWN, .number = true,
     .together_with = "normalise", .read = read_eps, .write = write_eps},
    {"state", "state", "states: none (default), in, out, in_out or in_place", SQA_FIELD_WORD,
     .offset = AT(state), .words = state_words},
    {0},
};

const sqa_shape_field sqa_linear_stride_fields[] = {
    {"sdecay", "decay_strides", "strides of decay, where it is not packed", SQA_FIELD_OWN,
     .read = read_sdecay, .write = write_sdecay},
    {"sbeta", "beta_strides", "strides of beta, where it is not packed", SQA_FIELD_OWN,
     .read = read_sbeta, .write = write_sbeta},
    {0},
};

const sqa_shape_field *const sqa_linear_fields[] = {
    sqa_size_fields,          sqa_value_fields,
    sqa_storage_fields,       position_fields,
    sqa_linear_rule_fields,   sqa_ragged_fields,
    sqa_layout_fields,        sqa_value_layout_fields,
    sqa_linear_stride_fields, NULL,
};

void sqa_linear_start(void *descriptor)
{
    *(sqa_linear_desc *)descriptor =
        (sqa_linear_desc){SQA_ATTENTION_DESC_INIT, SQA_LINEAR_OPTIONS_INIT};
}

void sqa_linear_describe(const sqa_problem *problem, void *descriptor)
{
    sqa_linear_desc *desc = descriptor;
    sqa_linear_to_desc(&problem->of.linear, &desc->attention, &desc->options);
}

sqa_status sqa_problem_from_linear(sqa_problem *out, sqa_operation operation,
                                   const sqa_attention_desc *desc,
                                   const sqa_linear_options *options)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = operation;
    if (operation == SQA_OPERATION_LINEAR_BACKWARD && options &&
        options->state == SQA_STATE_IN_PLACE)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "linear.state: SQA_STATE_IN_PLACE leaves no first state for gradients; "
                        "expected 0..3");
    sqa_status status = sqa_linear_from_desc(&problem.of.linear, desc, options);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}
