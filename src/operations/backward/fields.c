#include "operations/backward/fields.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "operations/attention/fields.h"

#define CORE (SQA_GRADIENT_Q | SQA_GRADIENT_K | SQA_GRADIENT_V)

/* By their bits. */
static const char *const names[] = {"q", "k", "v", "bias", "sinks", "slopes"};
enum { NAMES = sizeof names / sizeof *names };

static int find_name(const char *text, size_t length)
{
    for (int i = 0; i < NAMES; i++)
        if (strlen(names[i]) == length && !strncmp(names[i], text, length))
            return i;
    return -1;
}

static sqa_status read_grads(const char *value, const sqa_shape_items *items, void *descriptor)
{
    sqa_backward_desc *desc = descriptor;
    uint32_t gradients = 0;
    (void)items;
    for (const char *at = value; at; at = strchr(at, '+') ? strchr(at, '+') + 1 : NULL) {
        const int name = find_name(at, strcspn(at, "+"));
        if (name < 0 || gradients & 1u << name)
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "grads is '%.60s'; expected some of q, k, v, bias, sinks and slopes, "
                            "such as k+v",
                            value);
        gradients |= 1u << name;
    }
    desc->options.gradients = gradients;
    return SQA_OK;
}

static void write_names(uint32_t gradients, char value[SQA_FIELD_VALUE])
{
    size_t used = 0;
    value[0] = '\0';
    for (int i = 0; i < NAMES; i++)
        if (gradients & 1u << i)
            used += (size_t)snprintf(value + used, SQA_FIELD_VALUE - used, "%s%s", used ? "+" : "",
                                     names[i]);
}

static bool write_grads(const void *descriptor, char value[SQA_FIELD_VALUE])
{
    const sqa_backward_desc *desc = descriptor;
    write_names(desc->options.gradients, value);
    return desc->options.gradients != CORE;
}

#define AT(member) offsetof(sqa_backward_desc, options.member)
#define ACCUMULATE                                                                                 \
    {                                                                                              \
        "accumulate", "accumulate", "gradients are added to what is there", SQA_FIELD_FLAG,        \
            .offset = AT(accumulate)                                                               \
    }
#define GRADS(meaning)                                                                             \
    {                                                                                              \
        "grads", "gradients", meaning, SQA_FIELD_OWN, .read = read_grads, .write = write_grads     \
    }

const sqa_shape_field sqa_gradient_fields[] = {
    GRADS("of what: q, k, v, bias, sinks, slopes, such as k+v (q+k+v)"), ACCUMULATE, {0}};
const sqa_shape_field sqa_core_gradient_fields[] = {
    GRADS("of what: q, k, v, such as k+v (q+k+v)"), ACCUMULATE, {0}};
const sqa_shape_field sqa_score_gradient_fields[] = {
    GRADS("of what: bias, sinks, slopes, such as bias+sinks"), ACCUMULATE, {0}};

/* Strides of one tensor. */
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

/* The key's name, since that of dV is another number's. */
#define STRIDES_OF(key, member)                                                                    \
    static sqa_status read_##key(const char *value, const sqa_shape_items *items,                  \
                                 void *descriptor)                                                 \
    {                                                                                              \
        (void)items;                                                                               \
        return read_strides(#key, value, &((sqa_backward_desc *)descriptor)->options.member);      \
    }                                                                                              \
    static bool write_##key(const void *descriptor, char value[SQA_FIELD_VALUE])                   \
    {                                                                                              \
        return write_strides(&((const sqa_backward_desc *)descriptor)->options.member, value);     \
    }
STRIDES_OF(grad_o, dout)
STRIDES_OF(grad_q, dq)
STRIDES_OF(grad_k, dk)
STRIDES_OF(grad_v, dv)
STRIDES_OF(grad_bias, dbias)

#define STRIDES_FIELD(key, member, of, like)                                                       \
    {                                                                                              \
#key, #member "_strides", "strides of " of ", where they are not " like, SQA_FIELD_OWN,    \
            .read = read_##key, .write = write_##key                                               \
    }

const sqa_shape_field sqa_dout_fields[] = {STRIDES_FIELD(grad_o, dout, "dO", "those of O"), {0}};
const sqa_shape_field sqa_core_stride_fields[] = {
    STRIDES_FIELD(grad_q, dq, "dQ", "those of Q"),
    STRIDES_FIELD(grad_k, dk, "dK", "those of K"),
    STRIDES_FIELD(grad_v, dv, "dV", "those of V"),
    {0},
};
const sqa_shape_field sqa_score_stride_fields[] = {
    STRIDES_FIELD(grad_bias, dbias, "dBias", "packed"),
    {0},
};

sqa_status sqa_problem_from_gradients(sqa_problem *out, sqa_operation operation, uint32_t gradients,
                                      const sqa_attention_desc *desc,
                                      const sqa_backward_options *backward)
{
    sqa_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.operation = operation;
    if (backward && backward->gradients & ~gradients) {
        char possible[SQA_FIELD_VALUE];
        write_names(gradients, possible);
        return sqa_fail(SQA_INVALID_ARGUMENT, "backward.gradients: %u; expected some of %s (%u)",
                        backward->gradients, possible, gradients);
    }
    sqa_status status = sqa_backward_from_desc(&problem.of.backward, desc, backward);
    if (status == SQA_OK)
        memcpy(out, &problem, sizeof problem);
    return status;
}

sqa_status sqa_problem_from_backward(sqa_problem *out, const sqa_attention_desc *desc,
                                     const sqa_backward_options *backward)
{
    return sqa_problem_from_gradients(out, SQA_OPERATION_BACKWARD, UINT32_MAX, desc, backward);
}

void sqa_backward_describe(const sqa_problem *problem, void *descriptor)
{
    sqa_backward_desc *desc = descriptor;
    sqa_backward_to_desc(&problem->of.backward, &desc->attention, &desc->options);
}

void sqa_backward_start(void *descriptor)
{
    *(sqa_backward_desc *)descriptor =
        (sqa_backward_desc){SQA_ATTENTION_DESC_INIT, SQA_BACKWARD_OPTIONS_INIT};
}

void sqa_backward_scores_start(void *descriptor)
{
    sqa_backward_start(descriptor);
    ((sqa_backward_desc *)descriptor)->options.gradients = 0;
}
