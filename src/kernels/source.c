#include "kernels/source.h"

#include <assert.h>
#include <math.h>

#include "base/embedded.h"
#include "kernels/thin/thin.h"
#include "kernels/work_division.h"

void sqa_family_source(const sqa_kernel_family *family, const sqa_config *config,
                       const sqa_problem *problem, const sqa_device *device, sqa_text *out)
{
    sqa_text parameters = SQA_TEXT_INIT, rest = SQA_TEXT_INIT;
    for (size_t i = 0; i < family->parameter_count; i++)
        sqa_text_format(&parameters, "#define %s %d\n", family->parameters[i].name,
                        (int)config->value[i]);
    family->source(config, problem, device, &rest);
    sqa_thin(out, sqa_text_get(&parameters), sqa_text_get(&rest));
    if (family->library)
        sqa_text_format(out, "/* %s compiles the rest itself; its source is not here. */\n",
                        family->library);
    out->failed = out->failed || parameters.failed || rest.failed;
    sqa_text_free(&parameters);
    sqa_text_free(&rest);
}

/* One "#define NAME 0|1" per kind of mask and score: what a kernel leaves out is not
 * even compiled. */
static void define_pattern(sqa_text *out, const sqa_attention *attention)
{
    const struct {
        const char *macro;
        bool on;
    } kinds[] = {
        {"SQA_CAUSAL", attention->mask & SQA_MASK_CAUSAL},
        {"SQA_WINDOW", attention->mask & SQA_MASK_WINDOW},
        {"SQA_GLOBALS", attention->mask & SQA_MASK_GLOBALS},
        {"SQA_GLOBAL_LIST", attention->mask & SQA_MASK_GLOBALS && attention->globals.listed},
        {"SQA_BLOCKS", attention->mask & SQA_MASK_BLOCKS},
        {"SQA_KEY_MASK", attention->mask & SQA_MASK_KEY},
        {"SQA_PAIR_MASK", attention->mask & SQA_MASK_PAIR},
        {"SQA_RAGGED", attention->mask & SQA_MASK_RAGGED},
        {"SQA_PAGED", attention->mask & SQA_MASK_PAGED},
        {"SQA_SOFTCAP", attention->score & SQA_SCORE_SOFTCAP},
        {"SQA_ALIBI", attention->score & SQA_SCORE_ALIBI},
        {"SQA_SLOPES", attention->score & SQA_SCORE_SLOPES},
        {"SQA_BIAS", attention->score & SQA_SCORE_BIAS},
        {"SQA_SINKS", attention->score & SQA_SCORE_SINKS},
        {"SQA_DROPOUT", attention->score & SQA_SCORE_DROPOUT},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        sqa_text_format(out, "#define %s %d\n", kinds[i].macro, kinds[i].on ? 1 : 0);
    sqa_text_format(out, "#define SQA_BIAS_DTYPE %d\n", (int)attention->bias_dtype);
}

static void define_storage(sqa_text *out, const sqa_attention *attention)
{
    sqa_text_format(out, "#define SQA_HEAD_DIM %u\n#define SQA_VALUE_DIM %u\n", attention->head_dim,
                    attention->value_dim);
    sqa_text_format(out, "#define SQA_DTYPE %d\n#define SQA_KV_DTYPE %d\n", (int)attention->dtype,
                    (int)attention->kv_dtype);
}

void sqa_source_forward(sqa_text *out, const sqa_problem *problem, bool split)
{
    const sqa_attention *attention = &problem->of.attention;
    define_storage(out, attention);
    sqa_text_format(out, "#define SQA_WRITE_LSE %u\n", attention->write_lse);
    define_pattern(out, attention);
    sqa_arguments_print(out, "SQA_FORWARD_ARGUMENTS", sqa_forward_tables(split), problem);
    sqa_text_append(out, "\n");
}

void sqa_source_backward(sqa_text *out, const sqa_problem *problem)
{
    const sqa_backward_pass *pass = &problem->of.backward;
    static const char *const gradients[] = {"Q", "K", "V", "BIAS", "SINKS", "SLOPES"};
    define_storage(out, &pass->attention);
    define_pattern(out, &pass->attention);
    for (size_t i = 0; i < sizeof gradients / sizeof *gradients; i++)
        sqa_text_format(out, "#define SQA_GRADIENT_%s %u\n", gradients[i],
                        pass->gradients >> i & 1u);
    sqa_text_format(out, "#define SQA_ACCUMULATE %u\n", pass->accumulate);
}

void sqa_source_turns(sqa_text *out, uint32_t rotary, float base)
{
    const double turn = 2.0 * acos(-1.0);
    sqa_text_append(out, "__constant ulong sqa_turns[(SQA_ROTARY / 2 + 15) / 16 * 16] = {");
    for (uint32_t i = 0; i < rotary / 2; i++) {
        const double turns = pow((double)base, -2.0 * i / rotary) / turn;
        sqa_text_format(out, "%s%lluUL", i ? ", " : "", (unsigned long long)ldexp(turns, 64));
    }
    sqa_text_append(out, "};\n");
}

static void append_fragment(sqa_text *out, const char *name)
{
    const char *text = sqa_embedded_text(sqa_embedded_kernels, name);
    assert(text);
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
