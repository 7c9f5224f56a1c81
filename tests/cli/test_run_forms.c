/* sqa run of operations whose tensors are files by a table: the right results; one line and no
 * output where files or options make no sense. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "cli/run_inputs.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "problem/storage.h"
#include "run_suite.h"

enum { MOST = 4096 };

#define AB "run --op matmul --a %1$s/a.npy --b %1$s/b.npy"
#define C " --out %1$s/c.npy"
#define BIAS " --bias %1$s/bias.npy"
#define PARTS                                                                                      \
    "run --op merge --a %1$s/a.npy --a-lse %1$s/a_lse.npy --b %1$s/b.npy --b-lse %1$s/b_lse.npy"
#define O " --out %1$s/o.npy --lse %1$s/lse.npy"
#define X(operation) "run --op " operation " --x %1$s/x.npy"
#define A(operation) "run --op " operation " --a %1$s/a.npy"
#define Y " --out %1$s/y.npy"
#define DY " --dy %1$s/dy.npy"
#define POSITIONS " --positions %1$s/positions.npy"
#define WEIGHT " --weight %1$s/weight.npy"
#define DW " --dweight %1$s/dweight.npy"
#define DB " --dbias %1$s/dbias.npy"

#define MLA(heads) "run --op mla_layer --weights %1$s --x %1$s/x.npy --heads " heads Y
#define LATENTS(lengths)                                                                           \
    " --cache %1$s/latents.npy --block-table %1$s/block_table.npy --kv-lengths %1$s/" lengths      \
    ".npy --cache-out %1$s/cache.npy"
#define CACHED                                                                                     \
    "op=mla_layer,b=2,heads=3,n=2,nk=12,dmodel=9,rank=32,nope=5,rope=32,dv=7,page=4,absorbed"

/* `axes`: those of tensors that are no vectors; outputs are called as in the operation. */
static const struct {
    const char *shape, *axes, *command;
} runs[] = {
    {"op=matmul,m=17,n=33,k=40", "nd", AB C},
    {"op=matmul,m=17,n=33,k=40,ta,tb", "nd", AB C " --ta --tb"},
    {"op=matmul,b=3,m=5,n=9,k=12,sb=0:9,bias,act=silu", "bnd", AB C BIAS " --activation silu"},
    {"op=matmul,b=2,m=5,n=9,k=12,tb,bias,act=gelu_erf,dtype=f16", "bnd",
     AB C BIAS " --tb --activation=gelu"},
    {"op=matmul,m=5,n=9,k=12,dtype=bf16,alpha=0.5", "nd",
     AB C " --alpha 0.5 --dtype bf16 --family naive"},
    {"op=matmul,m=9,n=7,k=12,gated,act=gelu_tanh,bias,residual", "nd",
     AB C BIAS " --bias2 %1$s/bias2.npy --b2 %1$s/b2.npy --residual %1$s/residual.npy "
               "--activation gelu_tanh"},
    {"op=matmul,m=4,n=3,k=0", "nd", AB C},
    {"op=matmul,m=0,n=3,k=2", "nd", AB C},
    {"op=merge,b=2,heads=3,n=5,d=7", "bhnd", PARTS O},
    {"op=merge,heads=2,n=9,d=16,dtype=f16", "bhnd", PARTS O},
    {"op=merge,b=0,heads=2,n=9,d=16", "bhnd", PARTS O},
    {"op=rope,heads=1,n=9,d=8", "nd", X("rope") Y},
    {"op=rope,b=2,heads=3,n=5,d=10,pairs=half,rotary=6,base=500,offset=1000,inverse", "bhnd",
     X("rope") Y " --pairs half --rotary 6 --base 500 --offset 1000 --inverse"},
    {"op=rope,b=2,heads=3,n=5,d=8,positions=5,dtype=f16", "bhnd", X("rope") Y POSITIONS},
    {"op=rope,b=2,heads=3,n=5,d=8,positions=0", "bhnd",
     X("rope") Y POSITIONS " --family naive --dtype f32"},
    {"op=norm,n=7,d=33,weight", "nd", X("norm") Y WEIGHT},
    {"op=norm,b=2,heads=3,n=4,d=9,kind=layer,eps=0.01,weight,bias", "bhnd",
     X("norm") Y WEIGHT BIAS " --kind layer --eps 0.01"},
    {"op=norm,heads=3,n=4,d=9,dtype=f16", "hnd", X("norm") Y},
    {"op=norm_backward,n=7,d=33,weight", "nd", X("norm_backward") DY WEIGHT " --dx %1$s/dx.npy" DW},
    {"op=norm_backward,b=2,heads=3,n=4,d=9,kind=layer,weight,bias,wanted=weight+bias", "bhnd",
     X("norm_backward") DY WEIGHT DW DB " --kind layer"},
    {"op=activation,n=9,d=11,act=relu", "nd", A("activation") Y " --activation relu"},
    {"op=activation,b=2,n=5,d=11,act=gelu_erf,gated,residual,dtype=f16", "bnd",
     A("activation") Y " --b %1$s/b.npy --residual %1$s/residual.npy --activation gelu"},
    {"op=activation_backward,n=9,d=11,act=silu,gated", "nd",
     A("activation_backward") DY " --b %1$s/b.npy --activation silu --da %1$s/da.npy --db "
                                 "%1$s/db.npy"},
    {"op=mla_layer,heads=3,n=7,dmodel=9,qrank=6,rank=8,nope=5,rope=4,dv=7,pairs=half,base=500",
     "nd", MLA("3") " --pairs half --rope-base 500"},
    {CACHED ",kv=int8,scale=0.3", "nd",
     MLA("3") LATENTS("kv_lengths") " --absorbed --kv-format int8 --scale 0.3"},
    {"op=activation_backward,b=2,n=5,d=11,act=sigmoid,gated,wanted=b", "bnd",
     A("activation_backward") DY " --b %1$s/b.npy --activation sigmoid --db %1$s/db.npy"},
};
enum { RUNS = sizeof runs / sizeof *runs };

static bool is_vector(const char *name)
{
    static const char *const parts[] = {"bias", "weight", "norm", "lengths"};
    bool found = false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        found = found || strstr(name, parts[i]);
    return found;
}

/* One row that all of a batch read is saved as such. */
static void axes_of(const char *all, const char *name, const sqa_tensor_shape *t, char out[8])
{
    const bool vector = t->batch == 1 && t->heads == 1 && t->length == 1;
    const char *own = is_vector(name)                 ? "d"
                      : t->element == SQA_ELEMENT_INT ? "bd"
                      : !strcmp(name, "cache")        ? "bnd"
                                                      : all;
    size_t used = 0;
    ck_assert(*own != 'd' || vector);
    for (; *own; own++)
        if (!(*own == 'b' && t->strides.batch == 0) && !(*own == 'd' && strstr(name, "lse")))
            out[used++] = *own;
    out[used] = '\0';
}

static void save_input(const sqa_host_tensors *tensors, uint32_t slot, const char *axes)
{
    const sqa_problem *problem = &tensors->problem;
    const char *tensor = sqa_tensor_name(problem, slot);
    sqa_tensor_shape t;
    char name[32], own[8];
    const bool updated = sqa_tensor_is_updated(problem, slot);
    if (!sqa_tensor_shape_of(problem, slot, &t) ||
        (sqa_tensor_is_output(problem, slot) && !updated))
        return;
    uint64_t shape[4] = {0};
    uint32_t rank = 0;
    axes_of(axes, tensor, &t, own);
    for (const char *axis = own; *axis; axis++)
        shape[rank++] = *axis == 'b'   ? t.batch
                        : *axis == 'h' ? t.heads
                        : *axis == 'n' ? t.length
                                       : t.dim;
    if (!strcmp(tensor, "block_table")) {
        shape[0] = problem->of.mla.batch;
        shape[1] = sqa_mla_table_row(&problem->of.mla);
    }
    const size_t count = (size_t)sqa_tensor_extent(&t);
    const void *data = sqa_host_tensor_view(&tensors->of[slot]);
    uint16_t stored[MOST];
    ck_assert_uint_lt(count, MOST);
    snprintf(name, sizeof name, "%s.npy", updated ? "latents" : tensor);
    if (t.element == SQA_ELEMENT_F16)
        sqa_storage_encode(SQA_DTYPE_F16, data, stored, count);
    if (t.element == SQA_ELEMENT_F16)
        save_array(name, "<f2", rank, shape, stored, sizeof *stored);
    else
        save_array(name, t.element == SQA_ELEMENT_INT ? "<i4" : "<f4", rank, shape, data, 4);
}

static void make_inputs(run_inputs *in, const char *shape, const char *axes)
{
    sqa_problem problem;
    ck_assert_msg(sqa_problem_parse(shape, &problem) == SQA_OK, "%s", sqa_last_error());
    ck_assert_int_eq(sqa_host_tensors_create(&in->tensors, &problem, 7, false), SQA_OK);
    for (uint32_t slot = 0; slot < sqa_operation_of(&problem)->slot_count; slot++)
        save_input(&in->tensors, slot, axes);
}

START_TEST(right_results)
{
    run_inputs in;
    make_inputs(&in, runs[_i].shape, runs[_i].axes);
    const program_result *result = run_with_folder(runs[_i].command);
    ck_assert_msg(result->code == 0, "%s: %.600s", runs[_i].shape, result->err);
    ck_assert_str_eq(result->out, "");
    check_judged(&in);
    free_run_inputs(&in);
}
END_TEST

#define PRODUCT "op=matmul,m=9,n=7,k=5,bias", "nd"
#define MERGE "op=merge,b=2,heads=3,n=5,d=7", "bhnd"
#define ROPE "op=rope,heads=2,n=5,d=6,positions=0", "hnd"
#define NORM "op=norm_backward,n=5,d=6,weight", "nd"
#define LATENT CACHED, "nd"
#define GATE "op=activation_backward,n=5,d=6,gated", "nd"

static const struct {
    const char *shape, *axes, *command, *named, *message;
} refused[] = {
    {PRODUCT, "run --op matmul --a %1$s/a.npy" C, "--b", "is missing"},
    {PRODUCT, AB, "--out", "is missing"},
    {PRODUCT, AB C " --ta", "b.npy", "expected (9, 7)"},
    {PRODUCT, AB C " --bias %1$s/a.npy", "a.npy", "expected 1 dimension (N)"},
    {PRODUCT, AB C " --bias2 %1$s/a.npy", "--bias2", "needs --b2"},
    {PRODUCT, AB C " --b2 %1$s/b.npy" BIAS, "--bias2", "go together"},
    {PRODUCT, AB C " --residual %1$s/a.npy", "a.npy", "expected (9, 7)"},
    {PRODUCT, AB C " --activation tanh", "--activation", "expected none, silu, "},
    {PRODUCT, AB C " --alpha zero", "--alpha", "zero"},
    {PRODUCT, AB C " --dtype f64", "--dtype", "expected f32, f16 or bf16"},
    {PRODUCT, AB C " --set MR=4", "--set", "needs --family"},
    {PRODUCT, AB C " --family columns", "columns", "is not one of"},
    {PRODUCT, AB C " --q %1$s/a.npy", "--q", "is not an option"},
    {PRODUCT, AB " --out %1$s/a.npy", "--out", "--a"},
    {PRODUCT, "run --op=matmul --a %1$s/none.npy --b %1$s/b.npy" C, "none.npy", ""},
    {MERGE, "run --op merge --a %1$s/a.npy --out %1$s/o.npy", "--a-lse", "is missing"},
    {MERGE, PARTS, "--out", "is missing"},
    {MERGE, PARTS O " --b-lse %1$s/b.npy", "--b-lse", ""},
    {MERGE,
     "run --op merge --a %1$s/a.npy --a-lse %1$s/a_lse.npy --b %1$s/b.npy --b-lse %1$s/b.npy" O,
     "b.npy", "expected 3 dimensions (B, H, N)"},
    {MERGE,
     "run --op merge --a %1$s/a.npy --a-lse %1$s/a_lse.npy --b %1$s/other.npy --b-lse "
     "%1$s/b_lse.npy" O,
     "other.npy: shape (2, 3, 5, 8)", "expected (2, 3, 5, 7)"},
    {MERGE, PARTS " --out %1$s/a.npy", "--out", "a.npy"},
    {ROPE, "run --op rope" Y, "--x", "is missing"},
    {ROPE, X("rope") Y " --rotary 7", "rotary", "even"},
    {ROPE, X("rope") Y " --rotary 2000", "--rotary", "from 0 to 1024"},
    {ROPE, X("rope") Y " --pairs both", "--pairs", "expected interleaved or half"},
    {ROPE, X("rope") Y " --positions %1$s/x.npy", "x.npy", "expected"},
    {ROPE, X("rope") Y " --positions %1$s/few.npy", "few.npy: shape (4,)", "expected (5,)"},
    {ROPE, X("rope") Y POSITIONS " --offset 5 --base 0", "base", ""},
    {NORM, X("norm") Y " --weight %1$s/x.npy", "x.npy", "expected 1 dimension (D)"},
    {NORM, X("norm") Y BIAS, "bias", ""},
    {NORM, X("norm") Y " --eps 0", "eps", ""},
    {NORM, X("norm_backward") DY WEIGHT, "--dx", "is missing"},
    {NORM, X("norm_backward") DY DW, "--dweight", "needs --weight"},
    {NORM, X("norm_backward") DY " --dx %1$s/dy.npy", "--dx", "--dy"},
    {LATENT, "run --op mla_layer --x %1$s/x.npy --heads 3" Y, "--weights DIR", "is missing"},
    {LATENT, "run --op mla_layer --x %1$s/x.npy --weights %1$s" Y, "--heads H", "is missing"},
    {LATENT, MLA("3") " --absorbed", "--absorbed", "needs --cache"},
    {LATENT, MLA("3") " --cache %1$s/latents.npy", "--cache", "needs --block-table"},
    {LATENT, MLA("2") LATENTS("kv_lengths"), "wuq.npy: shape (9, 111)", "expected (9, 78)"},
    {LATENT, MLA("3") LATENTS("kv_lengths") " --family naive", "--family", "several operations"},
    {LATENT, MLA("3") LATENTS("zeros"), "--kv-lengths", "sequence 0 has length 0; outside 2..12"},
    {GATE, A("activation") Y " --b %1$s/other.npy", "other.npy", "expected"},
    {GATE, A("activation_backward") DY " --db %1$s/db.npy", "--db", "needs --b"},
};
enum { REFUSED = sizeof refused / sizeof *refused };

START_TEST(nonsense_is_refused)
{
    static const char *const outputs[] = {"c.npy",  "o.npy",  "lse.npy",     "y.npy",
                                          "dx.npy", "db.npy", "dweight.npy", "cache.npy"};
    const uint64_t other[4] = {2, 3, 5, 8}, few = 4, two = 2;
    run_inputs in;
    make_inputs(&in, refused[_i].shape, refused[_i].axes);
    save_array("other.npy", "<f4", 4, other, NULL, sizeof(float));
    save_array("few.npy", "<i4", 1, &few, NULL, sizeof(int32_t));
    save_array("zeros.npy", "<i4", 1, &two, NULL, sizeof(int32_t));
    const program_result *result = run_with_folder(refused[_i].command);
    ck_assert_msg(result->code == 2, "exit %d: %s", result->code, result->err);
    ck_assert_msg(strstr(result->err, refused[_i].named) &&
                      strstr(result->err, refused[_i].message),
                  "%s", result->err);
    ck_assert_str_eq(result->out, "");
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        ck_assert(!work_file_exists(outputs[i]));
    free_run_inputs(&in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run forms");
    TCase *tests = tcase_create("run forms");
    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_loop_test(tests, right_results, 0, RUNS);
    tcase_add_loop_test(tests, nonsense_is_refused, 0, REFUSED);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
