#include "kernels/registry.h"

#include <string.h>

#include "kernels/families.h"

static const sqa_kernel_family *const families[] = {
    &sqa_decode_forward,
    &sqa_stream_forward,
    &sqa_mma_forward,
    &sqa_rows_forward,
    &sqa_tiled_forward,
    &sqa_naive_forward,

    &sqa_select_family,

    &sqa_naive_backward_delta,

    &sqa_rows_backward_core,
    &sqa_tiled_backward_core,
    &sqa_naive_backward_core,

    &sqa_naive_backward_scores,

    &sqa_stream_matmul,
    &sqa_rows_matmul,
#ifdef SQA_CLBLAST_VERSION
    &sqa_clblast_matmul,
#endif
    &sqa_tiled_matmul,
    &sqa_naive_matmul,

    &sqa_elements_activation,

    &sqa_elements_activation_backward,

    &sqa_columns_linear,
    &sqa_tiled_linear,
    &sqa_naive_linear,

    &sqa_columns_linear_backward,
    &sqa_tiled_linear_backward,
    &sqa_naive_linear_backward,

    &sqa_merge_family,

    &sqa_elements_rope,
    &sqa_naive_rope,
    &sqa_naive_kv_append,

    &sqa_elements_norm,
    &sqa_naive_norm,

    &sqa_elements_norm_backward,
    &sqa_naive_norm_backward,
};

enum { FAMILY_COUNT = sizeof families / sizeof *families };

size_t sqa_family_count(void)
{
    return FAMILY_COUNT;
}

const sqa_kernel_family *sqa_family_at(size_t index)
{
    return index < FAMILY_COUNT ? families[index] : NULL;
}

const sqa_kernel_family *sqa_family_find(sqa_operation operation, const char *name)
{
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        if (families[i]->operation == operation && !strcmp(families[i]->name, name))
            return families[i];
    return NULL;
}

const char *sqa_family_recall(const char *name, uint32_t space_version, const char *text,
                              const sqa_problem *problem, const sqa_device *device,
                              const sqa_kernel_family **family, sqa_config *config)
{
    const char *why = "";
    *family = sqa_family_find(problem->operation, name);
    if (!*family)
        return "unknown kernel family";
    if ((*family)->space_version != space_version)
        return "measured with another version of the family's parameters";
    memset(config, 0, sizeof *config);
    (*family)->default_config(problem, device, config);
    if (sqa_config_parse(*family, text, config) != SQA_OK)
        return "unreadable parameters";
    return sqa_family_accepts(*family, config, problem, device, &why) ? NULL : why;
}

void sqa_family_names(sqa_operation operation, sqa_text *out)
{
    const char *separator = "";
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        if (families[i]->operation == operation) {
            sqa_text_format(out, "%s%s", separator, families[i]->name);
            separator = ", ";
        }
}
