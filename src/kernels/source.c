#include "kernels/source.h"

#include "base/embedded.h"
#include "kernels/thin/thin.h"

void sqa_family_source(const sqa_kernel_family *family, const sqa_config *config,
                       const sqa_problem *problem, const sqa_device *device, sqa_text *out)
{
    sqa_text parameters = SQA_TEXT_INIT, rest = SQA_TEXT_INIT;
    for (size_t i = 0; i < family->parameter_count; i++)
        sqa_text_format(&parameters, "#define %s %d\n", family->parameters[i].name,
                        (int)config->value[i]);
    family->source(config, problem, device, &rest);
    sqa_thin(out, sqa_text_get(&parameters), sqa_text_get(&rest));
    out->failed = out->failed || parameters.failed || rest.failed;
    sqa_text_free(&parameters);
    sqa_text_free(&rest);
}

/* One "#define NAME 0|1" per kind of mask and score: what a kernel leaves out is not
 * even compiled. */
static void define_pattern(sqa_text *out, const sqa_problem *problem)
{
    const struct {
        const char *macro;
        bool on;
    } kinds[] = {
        {"SQA_CAUSAL", problem->mask & SQA_MASK_CAUSAL},
        {"SQA_WINDOW", problem->mask & SQA_MASK_WINDOW},
        {"SQA_GLOBALS", problem->mask & SQA_MASK_GLOBALS},
        {"SQA_GLOBAL_LIST", problem->mask & SQA_MASK_GLOBALS && problem->globals.listed},
        {"SQA_BLOCKS", problem->mask & SQA_MASK_BLOCKS},
        {"SQA_KEY_MASK", problem->mask & SQA_MASK_KEY},
        {"SQA_PAIR_MASK", problem->mask & SQA_MASK_PAIR},
        {"SQA_RAGGED", problem->mask & SQA_MASK_RAGGED},
        {"SQA_SOFTCAP", problem->score & SQA_SCORE_SOFTCAP},
        {"SQA_ALIBI", problem->score & SQA_SCORE_ALIBI},
        {"SQA_SLOPES", problem->score & SQA_SCORE_SLOPES},
        {"SQA_BIAS", problem->score & SQA_SCORE_BIAS},
        {"SQA_SINKS", problem->score & SQA_SCORE_SINKS},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        sqa_text_format(out, "#define %s %d\n", kinds[i].macro, kinds[i].on ? 1 : 0);
    sqa_text_format(out, "#define SQA_BIAS_DTYPE %d\n", (int)problem->bias_dtype);
}

void sqa_source_forward(sqa_text *out, const sqa_problem *problem)
{
    sqa_text_format(out, "#define SQA_HEAD_DIM %u\n#define SQA_VALUE_DIM %u\n", problem->head_dim,
                    problem->value_dim);
    sqa_text_format(out, "#define SQA_DTYPE %d\n", (int)problem->dtype);
    sqa_text_format(out, "#define SQA_WRITE_LSE %u\n", problem->write_lse);
    define_pattern(out, problem);
    sqa_text_append(out, "\n");
}

static void append_fragment(sqa_text *out, const char *name)
{
    const char *text = sqa_embedded_text(sqa_embedded_kernels, name);
    if (text)
        sqa_text_append(out, text);
    else
        sqa_text_format(out, "#error \"no kernel fragment %s\"\n", name);
    sqa_text_append(out, "\n");
}

void sqa_source_fragments(sqa_text *out, const sqa_kernel_family *family)
{
    for (const char *const *name = family->fragments; *name; name++)
        append_fragment(out, *name);
}
