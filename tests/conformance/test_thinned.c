/* Compilers see the same tokens in a text and in what thinning leaves of it: in the
 * sources of every family for a spread of problems, devices and configurations, and in
 * texts made at random. The judge is the compiler's own preprocessor; exit status 77
 * means that there is none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/program.h"
#include "kernels/registry.h"
#include "kernels/source.h"
#include "kernels/thin/thin.h"
#include "kernels/thin/tokens.h"
#include "operations/shape.h"
#include "run_suite.h"
#include "thinning_texts.h"

static const char *const compilers[] = {"clang", "gcc"};
enum { COMPILER_COUNT = sizeof compilers / sizeof *compilers };

static bool is_there(const char *compiler)
{
    char command[1024];
    snprintf(command, sizeof command, "%s --version >/dev/null 2>&1", compiler);
    return system(command) == 0;
}

/* Texts wait for a compiler to be started but once for many. */
enum { BATCH = 50 };
static sqa_text whole_texts, thin_texts;
static int waiting, compared;

/* What the compiler makes of them; the caller frees it. */
static char *preprocess(const char *compiler, const char *options, const sqa_text *texts)
{
    char path[128], command[1024], block[65536];
    sqa_text out = SQA_TEXT_INIT;
    size_t got;
    ck_assert_int_eq(sqa_text_status(texts), SQA_OK);
    snprintf(path, sizeof path, "%s/texts.c", work_folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(texts->data, 1, texts->length, file), texts->length);
    ck_assert_int_eq(fclose(file), 0);
    snprintf(command, sizeof command, "%s -E -P -w %s %s", compiler, options, path);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    while ((got = fread(block, 1, sizeof block, pipe)) > 0)
        sqa_text_append_bytes(&out, block, got);
    ck_assert_msg(pclose(pipe) == 0, "%s", command);
    ck_assert_int_eq(sqa_text_status(&out), SQA_OK);
    ck_assert_uint_gt(out.length, 0);
    return out.data;
}

static void compare_tokens(const char *compiler, const char *options)
{
    char *whole = preprocess(compiler, options, &whole_texts);
    char *thin = preprocess(compiler, options, &thin_texts);
    const char *whole_at = whole, *thin_at = thin;
    const char *whole_end = whole + strlen(whole), *thin_end = thin + strlen(thin);
    sqa_token a, b;
    do {
        a = sqa_token_next(&whole_at, whole_end);
        b = sqa_token_next(&thin_at, thin_end);
        if (a.kind != b.kind || a.length != b.length || memcmp(a.text, b.text, a.length) != 0)
            ck_abort_msg("%s %s: '%.60s' has become '%.60s'", compiler, options, a.text, b.text);
    } while (a.kind != SQA_TOKEN_END);
    free(whole);
    free(thin);
}

/* `options`: for every way in which names can be defined elsewhere, NULL at the end. */
static void compare_batch(const char *const *options)
{
    for (int i = 0; i < COMPILER_COUNT && waiting; i++)
        if (is_there(compilers[i]))
            for (const char *const *option = options; *option; option++)
                compare_tokens(compilers[i], *option);
    compared += waiting;
    waiting = 0;
    sqa_text_free(&whole_texts);
    sqa_text_free(&thin_texts);
}

/* "#undef NAME" for all that the text defines, so that it leaves nothing behind. */
static void append_undefinitions(sqa_text *out, const char *text)
{
    const char *end = text + strlen(text);
    for (const char *at = text; (at = strstr(at, "#define "));) {
        at += strlen("#define ");
        const sqa_token name = sqa_token_next(&at, end);
        sqa_text_format(out, "#undef %.*s\n", (int)name.length, name.text);
    }
}

/* `defines`: the text with all definitions. */
static void wait_for_batch(sqa_text *texts, const char *text, const char *defines)
{
    sqa_text_append(texts, text);
    sqa_text_format(texts, "\ntext_%d_ends\n", compared + waiting);
    append_undefinitions(texts, defines);
}

static void compare_later(const char *whole, const char *thin, const char *const *options)
{
    wait_for_batch(&whole_texts, whole, whole);
    wait_for_batch(&thin_texts, thin, whole);
    if (++waiting == BATCH)
        compare_batch(options);
}

static void compare_rest(const char *const *options, int expected)
{
    compare_batch(options);
    ck_assert_int_eq(compared, expected);
}

static void set_up(void)
{
    work_folder_set_up();
    waiting = compared = 0;
    sqa_text_free(&whole_texts);
    sqa_text_free(&thin_texts);
}

START_TEST(random_texts)
{
    static const char *const options[] = {"", "-DU0=0 -DU1=1", "-DU0=1 -DU2=0 -DU3=2 -DU1", NULL};
    enum { COUNT = 600 };
    sqa_random random = {7};
    for (int i = 0; i < COUNT; i++) {
        sqa_text text = SQA_TEXT_INIT, thin = SQA_TEXT_INIT;
        append_random_text(&text, &random);
        sqa_thin(&thin, "", sqa_text_get(&text));
        compare_later(sqa_text_get(&text), sqa_text_get(&thin), options);
        sqa_text_free(&text);
        sqa_text_free(&thin);
    }
    compare_rest(options, COUNT);
}
END_TEST

#define SIZES                                                                                      \
    .max_work_group_size = 1024, .max_work_item_sizes = {1024, 1024, 64},                          \
    .local_memory_bytes = 64u << 10

static const sqa_device devices[] = {
    {.strings = {.compute_units = 2, .type = SQA_DEVICE_CPU},
     .limits = {SIZES, .local_memory_is_global = true, .vector_width_float = 8}},
    {.strings = {.compute_units = 2, .type = SQA_DEVICE_CPU},
     .identity = {.runtime = "oclgrind"},
     .limits = {SIZES, .vector_width_float = 1}},
    {.strings = {.compute_units = 64, .type = SQA_DEVICE_GPU},
     .limits = {SIZES, .vector_width_float = 1, .subgroup_sizes = {32}}},
    {.strings = {.compute_units = 64, .type = SQA_DEVICE_GPU},
     .limits = {SIZES, .vector_width_float = 1, .subgroup_sizes = {8, 16, 32},
                .subgroup_size_on_request = true}},
};
enum { DEVICE_COUNT = sizeof devices / sizeof *devices };

/* Between them, everything that a source depends on. */
static const char *const shapes[] = {
    "hq=4,n=1000",
    "hq=4,n=1000,causal,lse,dtype=f16",
    "hq=8,hkv=2,n=1000,d=7,dv=20,dtype=bf16,softcap=30",
    "hq=8,hkv=2,n=1000,d=128,causal,window=128:0,globals=4,sinks",
    "hq=8,hkv=2,n=1000,d=80,window=128:128,globals=list7,alibi=geometric,lse",
    "hq=8,n=1000,blocks=64x64@0.25/h,alibi=slopes,dtype=f16",
    "hq=8,n=1000,bias=f32/hq,mask=bq,lse",
    "hq=8,hkv=2,n=1000,d=256,bias=bf16/q,keymask,causal",
    "b=3,hq=8,hkv=2,n=400,ragged=900:900,keymask,sinks,softcap=20,lse",
    "b=3,hq=8,hkv=2,n=400,ragged=900:900,bias=f16/h,window=7:7,globals=2,dtype=bf16",
    "hq=2,hkv=1,n=40,blocks=16x16@0.5,mask=hq,causal",
    "hq=8,hkv=2,nq=1,nk=3000,d=128",
    "hq=4,nq=7,nk=1000,d=21,dv=13,causal,window=128:0,globals=4,softcap=20,lse,dtype=f16",
    "b=3,hq=8,hkv=2,nq=5,nk=400,ragged=13:900,bias=f16/h,keymask,alibi=slopes,dropout=0.1",
    "op=select_blocks,hq=4,n=1000,blocks=64x64/h,topk=4",
    "op=select_blocks,hq=4,n=1000,d=7,blocks=64x64,topk=4,dtype=bf16",
    "op=select_blocks,hq=8,hkv=2,n=1000,d=128,causal,blocks=32x16/k,topk=4,localblocks=1,dtype=f16",
    "op=backward_delta,heads=4,rows=1000",
    "op=backward_core,hq=4,n=1000,causal",
    "op=backward_core,hq=8,hkv=2,n=1000,d=7,dv=20,softcap=30,dropout=0.1,grads=q,dtype=bf16",
    "op=backward_core,b=3,hq=8,hkv=2,n=400,ragged=900:900,bias=f16/h,window=7:7,globals=2",
    "op=backward_core,hq=8,n=1000,blocks=64x64@0.25/h,alibi=slopes,keymask,grads=k+v,dtype=f16",
    "op=backward_scores,hq=4,n=1000,bias=f32/hq,grads=bias",
    "op=linear,hq=2,hkv=1,n=70,d=16,causal,delta,decay=channel,state=in_out",
    "op=linear_backward,hq=2,hkv=4,n=70,d=16,causal,decay=head,feature=elu1,normalise",
    "op=linear_backward,hq=2,hkv=1,n=70,d=64,causal",
    "op=matmul,m=16,n=1000,k=300",
    "op=matmul,m=7,n=100,k=30,tb,bias,gated,act=silu,residual,dtype=f16",
    "op=matmul,b=2,m=3,n=100,k=3000,ta,act=gelu_tanh,beta=1,dtype=bf16",
    "op=activation,n=9,d=100,act=gelu_erf,gated,residual,dropout=0.25,dtype=f16",
    "op=activation_backward,n=9,d=100,act=silu,gated,dropout=0.25,accumulate,dtype=bf16",
    "op=merge,heads=4,n=1000",
    "op=merge,heads=4,n=10,d=7,dtype=f16",
    "op=rope,heads=4,n=100,d=64",
    "op=kv_append,b=3,hkv=2,n=9,nk=70,d=64,page=16",
    "op=kv_append,b=3,hkv=2,n=9,nk=70,d=40,dv=13,page=5,total=20,rotary=20,pairs=half,dtype=f16",
    "op=rope,b=2,heads=4,n=100,d=80,rotary=60,pairs=half,positions=0,inverse,dtype=bf16",
    "op=norm,heads=4,n=100,d=64",
    "op=norm,n=100,d=80,kind=layer,weight,bias,dtype=f16",
    "op=norm_backward,heads=4,n=100,d=64,weight",
    "op=norm_backward,n=100,d=80,kind=layer,weight,bias,add=x+bias,dtype=bf16",
    "op=norm_backward,n=100,d=80,kind=layer,bias,wanted=bias",
};
enum { SHAPE_COUNT = sizeof shapes / sizeof *shapes };

/* One that can run, at random; false: the family has none here. */
static bool choose_config(const sqa_kernel_family *family, const sqa_problem *problem,
                          const sqa_device *device, sqa_random *random, sqa_config *config)
{
    const char *why = NULL;
    if (!family->supports(problem, device, &why))
        return false;
    for (int attempt = 0; attempt < 20000; attempt++) {
        memset(config, 0, sizeof *config);
        for (size_t i = 0; i < family->parameter_count; i++) {
            const sqa_parameter *parameter = &family->parameters[i];
            config->value[i] = parameter->values[sqa_random_below(random, parameter->value_count)];
        }
        if (sqa_family_accepts(family, config, problem, device, NULL))
            return true;
    }
    family->default_config(problem, device, config);
    return sqa_family_accepts(family, config, problem, device, NULL);
}

static void compare_source(const sqa_kernel_family *family, const sqa_config *config,
                           const sqa_problem *problem, const sqa_device *device)
{
    static const char *const options[] = {"", NULL};
    sqa_text whole = SQA_TEXT_INIT, thin = SQA_TEXT_INIT;
    for (size_t i = 0; i < family->parameter_count; i++)
        sqa_text_format(&whole, "#define %s %d\n", family->parameters[i].name, config->value[i]);
    family->source(config, problem, device, &whole);
    sqa_family_source(family, config, problem, device, &thin);
    ck_assert_int_eq(sqa_text_status(&whole), SQA_OK);
    ck_assert_int_eq(sqa_text_status(&thin), SQA_OK);
    ck_assert_uint_lt(thin.length, whole.length);
    ck_assert_ptr_null(strstr(thin.data, "/*"));
    compare_later(whole.data, thin.data, options);
    sqa_text_free(&whole);
    sqa_text_free(&thin);
}

START_TEST(sources_of_a_family)
{
    static const char *const options[] = {"", NULL};
    enum { CONFIGS = 3 };
    const sqa_kernel_family *family = sqa_family_at((size_t)_i);
    sqa_random random = {(uint64_t)_i};
    int count = 0, of_family = 0;
    if (family->library) /* what it has of a source is another family's */
        return;
    for (int s = 0; s < SHAPE_COUNT; s++) {
        sqa_problem problem;
        ck_assert_msg(sqa_problem_parse(shapes[s], &problem) == SQA_OK, "%s", sqa_last_error());
        if (problem.operation != family->operation)
            continue;
        of_family++;
        for (int d = 0; d < DEVICE_COUNT; d++)
            for (int c = 0; c < CONFIGS; c++) {
                sqa_config config;
                if (!choose_config(family, &problem, &devices[d], &random, &config))
                    continue;
                compare_source(family, &config, &problem, &devices[d]);
                count++;
            }
    }
    ck_assert_int_gt(of_family, 0);
    ck_assert_int_gt(count, of_family);
    compare_rest(options, count);
}
END_TEST

/* What `sqa source` writes into a comment. */
START_TEST(meanings_fit_a_comment)
{
    const sqa_kernel_family *family = sqa_family_at((size_t)_i);
    for (size_t i = 0; i < family->parameter_count; i++) {
        ck_assert_uint_gt(strlen(family->parameters[i].meaning), 0);
        ck_assert_ptr_null(strstr(family->parameters[i].meaning, "*/"));
    }
}
END_TEST

int main(void)
{
    int there = 0;
    setenv("SQA_CL_TEST_MATRIX_UNITS", "mma", 1); /* for `mma`, whose devices are none of these */
    for (int i = 0; i < COMPILER_COUNT; i++)
        there += is_there(compilers[i]);
    if (!there)
        return 77;
    Suite *suite = suite_create("thinned sources");
    TCase *tests = tcase_create("compilers");
    tcase_set_timeout(tests, 300);
    tcase_add_checked_fixture(tests, set_up, work_folder_tear_down);
    tcase_add_test(tests, random_texts);
    tcase_add_loop_test(tests, sources_of_a_family, 0, (int)sqa_family_count());
    tcase_add_loop_test(tests, meanings_fit_a_comment, 0, (int)sqa_family_count());
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
