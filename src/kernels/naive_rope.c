/* naive, of rotary position embedding: one work-item per pair, or element that is copied; per row
 * where blocks go through a Hadamard matrix. */
#include "kernels/elements.h"
#include "kernels/families.h"
#include "kernels/rope_arguments.h"
#include "kernels/source.h"

static const char *const fragments[] = {"common/types.cl",  "rope/turn.cl",  "rope/hadamard.cl",
                                        "rope/position.cl", "rope/naive.cl", NULL};

static void source(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out)
{
    (void)config, (void)device;
    sqa_source_rope(out, problem);
    sqa_source_fragments(out, &sqa_naive_rope);
}

static void launch(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out)
{
    const sqa_rotation *r = &problem->of.rotation;
    (void)config;
    sqa_launch_step *step = sqa_elements_add_step(out, device, "sqa_naive_rope",
                                                  r->hadamard ? 1 : r->dim - r->rotary / 2,
                                                  r->length, (size_t)r->batch * r->heads);
    sqa_arguments_fill(out, step, sqa_rope_tables, problem, NULL);
}

const sqa_kernel_family sqa_naive_rope = {
    .name = "naive",
    .summary = "one work-item per pair, or row of Hadamard blocks",
    .operation = SQA_OPERATION_ROPE,
    .space_version = 1,
    .fragments = fragments,
    .supports = sqa_family_supports_all,
    .is_valid = sqa_family_runs_all,
    .default_config = sqa_family_no_parameters,
    .source = source,
    .launch = launch,
};
