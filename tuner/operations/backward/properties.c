#include "operations/backward/properties.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "conformance/common_properties.h"
#include "operations/backward/gradient_rows.h"
#include "operations/case_shapes.h"
#include "reference/error.h"

static const uint32_t gradients[] = {SQA_SLOT_DQ, SQA_SLOT_DK, SQA_SLOT_DV};
static const uint32_t inputs[] = {SQA_SLOT_Q, SQA_SLOT_K, SQA_SLOT_V, SQA_SLOT_DOUT};
enum { GRADIENTS = 3, INPUTS = 4 };

/* Two cases of the same inputs, to be changed and compared. */
typedef struct case_pair {
    sqa_host_tensors before, after;
} case_pair;

static sqa_status create_pair(case_pair *out, const sqa_property_run *run,
                              const sqa_problem *before, const sqa_problem *after)
{
    sqa_status status = sqa_host_tensors_create(&out->before, before, run->seed, true);
    if (status != SQA_OK)
        return status;
    status = sqa_host_tensors_create(&out->after, after, run->seed, true);
    if (status != SQA_OK) {
        sqa_host_tensors_free(&out->before);
        return status;
    }
    sqa_settle_lse(&out->before);
    sqa_settle_lse(&out->after);
    return SQA_OK;
}

static void free_pair(case_pair *pair)
{
    sqa_host_tensors_free(&pair->before);
    sqa_host_tensors_free(&pair->after);
}

static sqa_status execute_pair(case_pair *pair, const sqa_property_run *run,
                               char finding[SQA_FINDING_TEXT])
{
    sqa_status status = sqa_property_execute(run, &pair->before, finding);
    return status == SQA_OK && !finding[0] ? sqa_property_execute(run, &pair->after, finding)
                                           : status;
}

static bool same_bits(const case_pair *pair, const sqa_vector_place *at, uint32_t component,
                      uint32_t count)
{
    return !memcmp(sqa_vector_at(&pair->before, at) + component,
                   sqa_vector_at(&pair->after, at) + component, count * sizeof(float));
}

static bool all_nan(const case_pair *pair, const sqa_vector_place *at, uint32_t component,
                    uint32_t count)
{
    const float *after = sqa_vector_at(&pair->after, at) + component;
    for (uint32_t d = 0; d < count; d++)
        if (!isnan(after[d]))
            return false;
    return true;
}

/* Whether a gradient's vector is as it should be where NaN in the component of another may
 * have come so far. */
static bool is_right(const case_pair *pair, const sqa_vector_place *at, sqa_influence influence,
                     uint32_t component)
{
    const uint32_t length = sqa_vector_length(&pair->before, at->slot);
    switch (influence) {
    case SQA_INFLUENCE_NONE: return same_bits(pair, at, 0, length);
    case SQA_INFLUENCE_ALL: return all_nan(pair, at, 0, length);
    case SQA_INFLUENCE_ONE:
        return all_nan(pair, at, component, 1) && same_bits(pair, at, 0, component) &&
               same_bits(pair, at, component + 1, length - component - 1);
    }
    return false;
}

static void describe(const case_pair *pair, const sqa_vector_place *at, const char *what,
                     char finding[SQA_FINDING_TEXT])
{
    snprintf(finding, SQA_FINDING_TEXT, "%s %s at batch %u, head %u, row %u", what,
             sqa_tensor_name(&pair->before.problem, at->slot), at->batch, at->head, at->row);
}

/* `of`: where NaN was planted; NULL: nowhere that counts. */
static void compare(const case_pair *pair, const sqa_vector_place *of, uint32_t component,
                    const char *what, char finding[SQA_FINDING_TEXT])
{
    sqa_vector_place at;
    for (int g = 0; g < GRADIENTS; g++)
        for (bool more = sqa_vector_first(&pair->before, gradients[g], &at); more;
             more = sqa_vector_next(&pair->before, &at)) {
            const sqa_influence influence =
                of ? sqa_influence_of(&pair->before, of, &at) : SQA_INFLUENCE_NONE;
            if (is_right(pair, &at, influence, component))
                continue;
            describe(pair, &at, what, finding);
            return;
        }
}

/* Whether some pair that is seen takes the vector in. */
static bool is_used(const sqa_host_tensors *tensors, const sqa_vector_place *of)
{
    const bool keys = of->slot == SQA_SLOT_K || of->slot == SQA_SLOT_V;
    /* What it takes into account for itself says whether anything does. */
    const sqa_vector_place own = {
        keys ? SQA_SLOT_DK : SQA_SLOT_DQ, of->batch,
        of->slot == SQA_SLOT_DOUT ? of->head % tensors->problem.of.attention.q_heads : of->head,
        of->row};
    return sqa_influence_of(tensors, of, &own) != SQA_INFLUENCE_NONE;
}

static void plant_unused(sqa_host_tensors *tensors, float value)
{
    sqa_vector_place at;
    for (int i = 0; i < INPUTS; i++)
        for (bool more = sqa_vector_first(tensors, inputs[i], &at); more;
             more = sqa_vector_next(tensors, &at))
            if (!is_used(tensors, &at)) {
                float *vector = sqa_vector_at(tensors, &at);
                for (uint32_t d = 0; d < sqa_vector_length(tensors, at.slot); d++)
                    vector[d] = value;
            }
}

/* Runs the changed inputs; the others were run already. */
static sqa_status execute_after(case_pair *pair, const sqa_property_run *run,
                                const sqa_problem *problem, char finding[SQA_FINDING_TEXT],
                                void (*change)(case_pair *pair, void *how), void *how)
{
    sqa_status status = sqa_host_tensors_create(&pair->after, problem, run->seed, true);
    if (status != SQA_OK)
        return status;
    sqa_settle_lse(&pair->after);
    change(pair, how);
    return sqa_property_execute(run, &pair->after, finding);
}

static void change_unused(case_pair *pair, void *how)
{
    plant_unused(&pair->after, *(const float *)how);
}

static sqa_status check_unused(case_pair *pair, const sqa_property_run *run,
                               const sqa_problem *problem, float value,
                               char finding[SQA_FINDING_TEXT])
{
    char what[64];
    sqa_status status = execute_after(pair, run, problem, finding, change_unused, &value);
    snprintf(what, sizeof what, "%g in what nobody sees changed", (double)value);
    if (status == SQA_OK && !finding[0])
        compare(pair, NULL, 0, what, finding);
    sqa_host_tensors_free(&pair->after);
    return status;
}

/* A vector of the tensor, evenly; false: it has none. */
static bool pick(const sqa_host_tensors *tensors, uint32_t slot, sqa_random *random,
                 sqa_vector_place *out)
{
    sqa_vector_place at;
    uint32_t seen = 0;
    for (bool more = sqa_vector_first(tensors, slot, &at); more;
         more = sqa_vector_next(tensors, &at))
        if (sqa_random_below(random, ++seen) == 0)
            *out = at;
    return seen > 0;
}

/* A component of a vector that NaN is put in. */
typedef struct planting {
    sqa_vector_place of;
    uint32_t component;
} planting;

static void change_one(case_pair *pair, void *how)
{
    const planting *at = how;
    sqa_vector_at(&pair->after, &at->of)[at->component] = NAN;
}

static sqa_status check_planted(case_pair *pair, const sqa_property_run *run,
                                const sqa_problem *problem, uint32_t slot, sqa_random *random,
                                char finding[SQA_FINDING_TEXT])
{
    planting at;
    char what[96];
    if (!pick(&pair->before, slot, random, &at.of))
        return SQA_OK;
    at.component = (uint32_t)sqa_random_below(random, sqa_vector_length(&pair->before, slot));
    sqa_status status = execute_after(pair, run, problem, finding, change_one, &at);
    snprintf(what, sizeof what, "NaN in %s of batch %u, head %u, row %u is wrong in",
             sqa_tensor_name(problem, slot), at.of.batch, at.of.head, at.of.row);
    if (status == SQA_OK && !finding[0])
        compare(pair, &at.of, at.component, what, finding);
    sqa_host_tensors_free(&pair->after);
    return status;
}

/* Views that repeat elements would take a number to several places. */
static bool has_repetition(const sqa_problem *problem)
{
    for (int i = 0; i < INPUTS; i++) {
        sqa_tensor_shape shape;
        if (sqa_tensor_shape_of(problem, inputs[i], &shape) &&
            ((shape.heads > 1 && shape.strides.head == 0) ||
             (shape.batch > 1 && shape.strides.batch == 0)))
            return true;
    }
    return false;
}

sqa_status sqa_backward_hides(const sqa_property_run *run, const sqa_problem *problem,
                              char finding[SQA_FINDING_TEXT])
{
    sqa_random random = {run->seed};
    case_pair pair;
    if (has_repetition(problem))
        return SQA_OK;
    sqa_status status = sqa_host_tensors_create(&pair.before, problem, run->seed, true);
    if (status != SQA_OK)
        return status;
    sqa_settle_lse(&pair.before);
    status = sqa_property_execute(run, &pair.before, finding);
    if (status == SQA_OK && !finding[0])
        status = check_unused(&pair, run, problem, NAN, finding);
    if (status == SQA_OK && !finding[0])
        status = check_unused(&pair, run, problem, INFINITY, finding);
    for (int i = 0; i < INPUTS && status == SQA_OK && !finding[0]; i++)
        status = check_planted(&pair, run, problem, inputs[i], &random, finding);
    sqa_host_tensors_free(&pair.before);
    return status;
}

/* Outputs that both have, bit for bit. */
static void compare_shared(const case_pair *pair, char finding[SQA_FINDING_TEXT])
{
    sqa_vector_place at;
    for (int g = 0; g < GRADIENTS; g++) {
        if (!pair->after.of[gradients[g]].data)
            continue;
        for (bool more = sqa_vector_first(&pair->before, gradients[g], &at); more;
             more = sqa_vector_next(&pair->before, &at))
            if (!same_bits(pair, &at, 0, sqa_vector_length(&pair->before, at.slot))) {
                describe(pair, &at, "without other gradients there are other bits of", finding);
                return;
            }
    }
}

sqa_status sqa_backward_left_out(const sqa_property_run *run, const sqa_problem *problem,
                                 char finding[SQA_FINDING_TEXT])
{
    sqa_status status = SQA_OK;
    for (uint32_t some = 1; some < problem->of.backward.gradients && status == SQA_OK; some++) {
        sqa_problem fewer = *problem;
        case_pair pair;
        fewer.of.backward.gradients = some;
        status = create_pair(&pair, run, problem, &fewer);
        if (status != SQA_OK)
            return status;
        status = execute_pair(&pair, run, finding);
        if (status == SQA_OK && !finding[0])
            compare_shared(&pair, finding);
        free_pair(&pair);
        if (finding[0])
            break;
    }
    return status;
}

/* Whether some output head that reads the key/value head has a weight that counts. */
static bool pair_counts(const sqa_host_tensors *tensors, uint32_t batch, uint32_t head,
                        uint32_t end_head, uint32_t query, uint32_t key)
{
    const sqa_reference_inputs views = sqa_host_tensors_views(tensors);
    for (; head < end_head; head++)
        if (sqa_pair_is_live(tensors, batch, head, query, key) &&
            sqa_reference_kept_weight(&tensors->problem.of.attention, &views, batch, head, query,
                                      key) > 0.0)
            return true;
    return false;
}

/* Holds zeros against what is dropped. Every output head has query heads of its own. */
static void compare_dropped(const sqa_host_tensors *tensors, uint32_t batch, uint32_t query,
                            uint32_t key, char finding[SQA_FINDING_TEXT])
{
    const sqa_attention *a = &tensors->problem.of.attention;
    const uint32_t group = a->out_heads / a->kv_heads;
    for (uint32_t h = 0; h < a->out_heads && !finding[0]; h++) {
        const sqa_vector_place dq = {SQA_SLOT_DQ, batch, h, query};
        const sqa_vector_place dv = {SQA_SLOT_DV, batch, h / group, key};
        const bool counts = pair_counts(tensors, batch, h, h + 1, query, key);
        const bool some =
            pair_counts(tensors, batch, h / group * group, (h / group + 1) * group, query, key);
        if ((sqa_vector_at(tensors, &dq)[key] != 0.0f) != counts ||
            (sqa_vector_at(tensors, &dv)[query] != 0.0f) != some)
            snprintf(finding, SQA_FINDING_TEXT,
                     "batch %u, head %u: the weight of query %u and key %u is %s", batch, h, query,
                     key, counts ? "dropped" : "not dropped");
    }
}

sqa_status sqa_backward_drops(const sqa_property_run *run, const sqa_problem *problem,
                              char finding[SQA_FINDING_TEXT])
{
    const sqa_attention *a = &problem->of.attention;
    sqa_host_tensors tensors;
    sqa_status status = sqa_host_tensors_create(&tensors, problem, run->seed, true);
    if (status != SQA_OK)
        return status;
    sqa_settle_lse(&tensors);
    sqa_tell_rows_apart(&tensors.of[SQA_SLOT_K]);
    sqa_tell_rows_apart(&tensors.of[SQA_SLOT_DOUT]);
    sqa_host_tensor_fill(&tensors.of[SQA_SLOT_V], 1.0f);
    sqa_host_tensor_fill(&tensors.of[SQA_SLOT_DELTA], 0.0f);
    status = sqa_property_execute(run, &tensors, finding);
    for (uint32_t b = 0; b < a->batch && status == SQA_OK; b++)
        for (uint32_t i = 0; i < a->q_length; i++)
            for (uint32_t j = 0; j < a->kv_length; j++)
                compare_dropped(&tensors, b, i, j, finding);
    sqa_host_tensors_free(&tensors);
    return status;
}

/* How far a gradient may be from `expected`: P is 1 to a few bits. */
static void expect_vector(const sqa_host_tensors *tensors, uint32_t slot, const float *expected,
                          char finding[SQA_FINDING_TEXT])
{
    const sqa_vector_place at = {slot, 0, 0, 0};
    const float *value = sqa_vector_at(tensors, &at);
    const double allowed = tensors->of[slot].element == SQA_ELEMENT_F32 ? 1e-5 : 1e-2;
    for (uint32_t d = 0; d < sqa_vector_length(tensors, slot) && !finding[0]; d++) {
        const double wanted = expected ? (double)expected[d] : 0.0;
        if (sqa_difference((double)value[d], wanted) > allowed)
            snprintf(finding, SQA_FINDING_TEXT, "%s is %g instead of %g",
                     sqa_tensor_name(&tensors->problem, slot), (double)value[d], wanted);
    }
}

sqa_status sqa_backward_one_pair(const sqa_property_run *run, const sqa_problem *problem,
                                 char finding[SQA_FINDING_TEXT])
{
    const sqa_vector_place dout = {SQA_SLOT_DOUT, 0, 0, 0};
    sqa_host_tensors tensors;
    sqa_status status = sqa_host_tensors_create(&tensors, problem, run->seed, true);
    if (status != SQA_OK)
        return status;
    sqa_set_outputs(&tensors);
    status = sqa_property_execute(run, &tensors, finding);
    if (status == SQA_OK && !finding[0]) {
        expect_vector(&tensors, SQA_SLOT_DQ, NULL, finding);
        expect_vector(&tensors, SQA_SLOT_DK, NULL, finding);
        expect_vector(&tensors, SQA_SLOT_DV, sqa_vector_at(&tensors, &dout), finding);
    }
    sqa_host_tensors_free(&tensors);
    return status;
}
