/* Layers of latent attention: sizes come from their weights and the cache. */
#include "cli/run/forms.h"

#include "base/number.h"
#include "base/status.h"
#include "operations/mla/slots.h"

enum { X, WDQ, Q_NORM, WUQ, WDKV, KV_NORM, WUK, WUV, WO, CACHE, BLOCK_TABLE, KV_LENGTHS };
enum { HEADS, ABSORBED };

/* Sequences of a matrix of rows are as many as there are lengths. */
static uint64_t batch_of(const sqa_form_run *run)
{
    const sqa_npy *x = &run->files[X];
    return x->rank == 3 ? x->shape[0] : run->paths[KV_LENGTHS] ? run->files[KV_LENGTHS].count : 1;
}

static void sizes(const sqa_form_run *run, sqa_text *shape)
{
    const sqa_npy *files = run->files, *x = &files[X], *cache = &files[CACHE];
    const uint64_t batch = batch_of(run), rank = files[KV_NORM].shape[0];
    const uint64_t latent = files[WDKV].shape[1];
    uint32_t heads = 0;
    if (!sqa_read_count(run->values[HEADS], 1, UINT32_MAX, &heads))
        heads = 1; /* which is refused as the option's value */
    const struct {
        const char *key;
        uint64_t value;
    } keys[] = {
        {"b", batch},
        {"n", x->rank == 3 ? x->shape[1]
              : batch      ? x->shape[0] / batch
                           : 0},
        {"dmodel", x->shape[x->rank - 1]},
        {"rank", rank},
        {"rope", latent > rank ? latent - rank : 0},
        {"nope", files[WUK].shape[1] / heads},
        {"dv", files[WUV].shape[1] / heads},
        {"qrank", run->paths[WDQ] ? files[WDQ].shape[1] : 0},
        {"nk", cache->shape[1] * files[BLOCK_TABLE].shape[1]},
        {"page", cache->shape[1]},
        {"pages", cache->shape[0]},
    };
    const size_t count = sizeof keys / sizeof *keys - (run->paths[CACHE] ? 0 : 3);
    for (size_t i = 0; i < count; i++)
        sqa_text_format(shape, ",%s=%llu", keys[i].key, (unsigned long long)keys[i].value);
}

static sqa_status check(const sqa_form_run *run)
{
    if (!run->values[HEADS])
        return sqa_fail(SQA_INVALID_ARGUMENT, "--heads H is missing");
    if (run->flags[ABSORBED] && !run->paths[CACHE])
        return sqa_fail(SQA_INVALID_ARGUMENT, "--absorbed needs --cache");
    if (!run->paths[WDQ] != !run->paths[Q_NORM])
        return sqa_fail(SQA_INVALID_ARGUMENT, "--weights: wdq.npy and q_norm.npy go together");
    if (run->how.family)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "--family: not with --op mla_layer, which is made of several operations "
                        "with families of their own");
    return SQA_OK;
}

/* Kernels leave out what does not fit; here it is an error. */
static sqa_status inspect(const sqa_form_run *run)
{
    const sqa_mla_pass *mla = &run->problem.of.mla;
    const int32_t *lengths = run->files[KV_LENGTHS].integers;
    const int32_t *table = run->files[BLOCK_TABLE].integers;
    const uint32_t row = run->paths[CACHE] ? sqa_mla_table_row(mla) : 0;
    for (uint32_t b = 0; row && b < mla->batch; b++) {
        if (lengths[b] < 0 || (uint32_t)lengths[b] < mla->length ||
            (uint32_t)lengths[b] > mla->capacity)
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "--kv-lengths: sequence %u has length %d; outside %u..%u, its new "
                            "tokens and what its pages hold",
                            b, lengths[b], mla->length, mla->capacity);
        for (uint32_t i = 0; (uint64_t)i * mla->paged.page_size < (uint32_t)lengths[b]; i++) {
            const int32_t page = table[(size_t)b * row + i];
            if (page < 0 || (uint32_t)page >= mla->paged.pages)
                return sqa_fail(SQA_INVALID_ARGUMENT,
                                "--block-table: page %u of sequence %u is %d; outside 0..%lld", i,
                                b, page, (long long)mla->paged.pages - 1);
        }
    }
    return SQA_OK;
}

#define ROWS .axes = "bnd", .least_rank = 2, .dimensions = "(N, d_model) or (batch, N, d_model)"
#define MATRIX .axes = "nd", .least_rank = 2, .dimensions = "(rows, columns)", .in_folder = true
#define VECTOR .axes = "d", .least_rank = 1, .dimensions = "(rank)", .in_folder = true
#define LATENTS .axes = "bnd", .least_rank = 3, .dimensions = "(pages, page, rank + rope)"

const sqa_form sqa_form_mla_layer = {
    .name = "mla_layer",
    .summary =
        "A layer of multi-head latent attention (DeepSeek-V2) on NumPy files. X and Y are\n"
        "(N, d_model) or (batch, N, d_model). The folder of --weights has wdkv.npy (d_model,\n"
        "rank + rope), kv_norm.npy (rank), wuk.npy (rank, heads*nope), wuv.npy (rank, heads*dv),\n"
        "wo.npy (heads*dv, d_model) and wuq.npy (d_model, heads*(nope + rope)); or with wdq.npy\n"
        "(d_model, qrank) and q_norm.npy (qrank) wuq.npy (qrank, ...).\n"
        "With --cache rows are new tokens, whose latents are appended to it: (pages, page, rank +\n"
        "rope), of which --block-table and --kv-lengths, with the new tokens, say whose they are.\n"
        "With --absorbed they see all of their sequence in it, without it each other.\n"
        "The rules are those of include/sqa_cl/mla.h.",
    .folder = "the folder of wuq.npy, wdkv.npy, ...",
    .files =
        {
            [X] = {"x", "what comes in, .npy", SQA_MLA_X, ROWS, .folds = true},
            [WDQ] = {"wdq", NULL, SQA_MLA_WDQ, MATRIX, .is_optional = true},
            [Q_NORM] = {"q_norm", NULL, SQA_MLA_Q_NORM, VECTOR, .is_optional = true},
            [WUQ] = {"wuq", NULL, SQA_MLA_WUQ, MATRIX},
            [WDKV] = {"wdkv", NULL, SQA_MLA_WDKV, MATRIX},
            [KV_NORM] = {"kv_norm", NULL, SQA_MLA_KV_NORM, VECTOR},
            [WUK] = {"wuk", NULL, SQA_MLA_WUK, MATRIX},
            [WUV] = {"wuv", NULL, SQA_MLA_WUV, MATRIX},
            [WO] = {"wo", NULL, SQA_MLA_WO, MATRIX},
            [CACHE] = {"cache", "latents of the tokens before, .npy", SQA_MLA_CACHE, LATENTS,
                       .is_optional = true, .needs = "block-table"},
            [BLOCK_TABLE] = {"block-table", "(batch, ...): the pages each sequence has, .npy",
                             SQA_MLA_BLOCK_TABLE, .axes = "nd", .least_rank = 2,
                             .dimensions = "(batch, pages)", .kind = SQA_NPY_INTEGERS,
                             .is_optional = true, .folds = true, .needs = "cache,kv-lengths"},
            [KV_LENGTHS] = {"kv-lengths", "(batch): tokens of each with the new ones, .npy",
                            SQA_MLA_KV_LENGTHS, .axes = "d", .least_rank = 1,
                            .dimensions = "(batch)", .kind = SQA_NPY_INTEGERS, .is_optional = true,
                            .needs = "cache"},
            {"out", "where Y goes, .npy", SQA_MLA_Y, ROWS, .is_written = true, .folds = true},
            {"cache-out", "where the cache goes, with the new tokens", SQA_MLA_CACHE, LATENTS,
             .is_written = true, .is_optional = true, .needs = "cache"},
        },
    .keys =
        {
            [HEADS] = SQA_FORM_KEY("heads"),
            [ABSORBED] = SQA_FORM_KEY("absorbed"),
            SQA_FORM_KEY("pairs"),
            {.option = "rope-base", .key = "base"},
            SQA_FORM_KEY("eps"),
            SQA_FORM_KEY("scale"),
            {.option = "kv-format", .key = "kv", .beside = "page=1"},
        },
    .sizes = sizes,
    .check = check,
    .inspect = inspect,
};
