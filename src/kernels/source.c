#include "kernels/source.h"

#include "base/embedded.h"

void sqa_source_parameters(sqa_text *out, const sqa_kernel_family *family, const sqa_config *config)
{
    for (size_t i = 0; i < family->parameter_count; i++)
        sqa_text_format(out, "#define %s %d\n", family->parameters[i].name, (int)config->value[i]);
}

void sqa_source_forward(sqa_text *out, const sqa_problem *problem)
{
    sqa_text_format(out, "#define SQA_HEAD_DIM %u\n#define SQA_VALUE_DIM %u\n", problem->head_dim,
                    problem->value_dim);
    sqa_text_format(out, "#define SQA_DTYPE %d\n", (int)problem->dtype);
    sqa_text_format(out, "#define SQA_CAUSAL %d\n#define SQA_WRITE_LSE %u\n\n",
                    problem->mask & SQA_MASK_CAUSAL ? 1 : 0, problem->write_lse);
    sqa_source_fragment(out, "common/types.cl");
    sqa_source_fragment(out, "forward/arguments.cl");
}

void sqa_source_fragment(sqa_text *out, const char *name)
{
    const char *text = sqa_embedded_text(sqa_embedded_kernels, name);
    if (text)
        sqa_text_append(out, text);
    else
        sqa_text_format(out, "#error \"no kernel fragment %s\"\n", name);
    sqa_text_append(out, "\n");
}
