/* Ugly sizes, of which every two meet as m and n, m and k, n and k; what is done beside the
 * product takes turns with them, and so do batches and strides. */
#include "operations/matmul/cases.h"

#include <stdio.h>
#include <string.h>

#include "operations/case_shapes.h"
#include "operations/shape.h"
#include "problem/names.h"

static const uint32_t sizes[] = {1,  2,  3,  7,   8,   15,  16,  17,  31,
                                 33, 63, 65, 127, 129, 255, 257, 1000};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* A program each: any two of their words are together in one, as far as they go together. */
static const char *const kinds[] = {
    "",
    "tb,bias,act=silu",
    "ta,beta=1",
    "gated,act=silu,bias",
    "ta,tb,residual,alpha=0.25",
    "bias,act=gelu_erf,beta=-0.5,residual,alpha=0.1",
    "ta,tb,bias,act=gelu_tanh,alpha=0.1",
    "tb,gated,act=gelu_tanh,residual,alpha=0.1",
    "ta,bias,gated,residual",
    "tb,beta=0.5,act=gelu_tanh",
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static bool has(const char *kind, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = kind; *at; at += strcspn(at, ","), at += *at == ',')
        if (!strncmp(at, word, length) && (at[length] == ',' || !at[length]))
            return true;
    return false;
}

/* With a gap behind each row and each matrix; batches share it where `shared`. */
static void append_strides(char *text, size_t size, const char *key, uint32_t rows,
                           uint32_t columns, uint32_t gap, bool shared)
{
    const size_t used = strlen(text);
    const unsigned long long row = columns + gap;
    snprintf(text + used, size - used, ",%s=%llu:%llu", key, shared ? 0 : rows * row + gap, row);
}

enum { PACKED, PADDED, BATCH, SHARED, LAYOUTS };

static void lay_out(int layout, const char *kind, uint32_t m, uint32_t n, uint32_t k, char *text,
                    size_t size)
{
    const bool ta = has(kind, "ta"), tb = has(kind, "tb");
    if (layout == BATCH || layout == SHARED)
        snprintf(text + strlen(text), size - strlen(text), ",b=%d", layout == BATCH ? 2 : 3);
    if (layout == PACKED)
        return;
    append_strides(text, size, "sa", ta ? k : m, ta ? m : k, layout == BATCH ? 8 : 3, false);
    append_strides(text, size, "sb", tb ? n : k, tb ? k : n, 1, layout == SHARED);
    append_strides(text, size, "sc", m, n, layout == SHARED ? 16 : 5, false);
    if (has(kind, "residual"))
        append_strides(text, size, "sr", m, n, 2, layout == SHARED);
}

static sqa_status add_case(int layout, const char *kind, uint32_t m, uint32_t n, uint32_t k,
                           sqa_dtype dtype, sqa_case_list *out)
{
    char text[SQA_SHAPE_TEXT];
    sqa_problem problem;
    snprintf(text, sizeof text, "op=matmul,m=%u,n=%u,k=%u,dtype=%s%s%s", m, n, k,
             sqa_dtype_name(dtype), *kind ? "," : "", kind);
    lay_out(layout, kind, m, n, k, text, sizeof text);
    sqa_status status = sqa_problem_parse(text, &problem);
    return status == SQA_OK ? sqa_case_list_add(out, &problem) : status;
}

/* In squares of m and n where every k is once in a row and once in a column. The kinds of the
 * diagonals are all different ones, so that each meets sizes of every kind. */
static sqa_status add_squares(uint32_t kind, uint32_t step, sqa_dtype dtype, sqa_case_list *out)
{
    sqa_status status = SQA_OK;
    for (uint32_t i = 0; i < SIZES; i += 1)
        for (uint32_t j = 0; j < SIZES && status == SQA_OK; j++) {
            const uint32_t number = i * SIZES + j;
            const bool batch = sizes[i] * sizes[j] < 100000;
            if ((i + 3 * j) % KINDS != kind || number % step != 0)
                continue;
            status = add_case(batch ? (int)(number / step % LAYOUTS) : PADDED, kinds[kind],
                              sizes[i], sizes[j], sizes[(i + j) % SIZES], dtype, out);
        }
    return status;
}

static sqa_status list_small(sqa_dtype dtype, sqa_case_list *out)
{
    sqa_status status = add_case(PACKED, kinds[0], 17, 33, 15, dtype, out);
    if (status == SQA_OK)
        status = add_case(BATCH, kinds[3], 7, 17, 31, dtype, out);
    return status == SQA_OK ? add_case(SHARED, kinds[4], 33, 15, 16, dtype, out) : status;
}

static sqa_status list_grid(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    const uint32_t step = size == SQA_GRID_SAMPLE ? 7 : 1;
    sqa_status status = SQA_OK;
    if (size == SQA_GRID_TINY)
        return list_small(dtype, out);
    for (uint32_t kind = 0; kind < KINDS && status == SQA_OK; kind++)
        status = add_squares(kind, step, dtype, out);
    return status;
}

static const sqa_case_shape edges[] = {
    {SQA_GRID_TINY, "m=5,n=9,k=0,bias,act=silu,beta=0.5"},
    {SQA_GRID_TINY, "m=1,n=1,k=1"},
    {SQA_GRID_SAMPLE, "m=0,n=9,k=4"},
    {SQA_GRID_SAMPLE, "m=9,n=0,k=4"},
    {SQA_GRID_SAMPLE, "b=0,m=9,n=3,k=4"},
    {SQA_GRID_SAMPLE, "m=9,n=30,k=0"},
    {SQA_GRID_SAMPLE, "m=9,n=30,k=4,alpha=0,residual"},
    /* Rows at multiples of 4096 bytes, of which a cache keeps only a few. */
    {SQA_GRID_SAMPLE, "m=40,n=40,k=1024"},
    {SQA_GRID_SAMPLE, "m=40,n=1024,k=300,tb,sb=0:2048"},
    {SQA_GRID_SAMPLE, "m=1024,n=40,k=300,ta,sa=0:2048"},
    /* Few rows of many, long sums, few columns of many. */
    {SQA_GRID_QUICK, "m=1,n=4096,k=1000"},
    {SQA_GRID_QUICK, "m=1,n=1000,k=4096,tb"},
    {SQA_GRID_QUICK, "m=16,n=2100,k=511,tb,bias,act=silu"},
    {SQA_GRID_QUICK, "m=70,n=50,k=20011,ta"},
    {SQA_GRID_QUICK, "m=64,n=64,k=16384,ta,beta=1"},
    {SQA_GRID_QUICK, "m=3000,n=7,k=65"},
    {SQA_GRID_FULL, "m=1023,n=1025,k=1027"},
    {SQA_GRID_FULL, "m=1023,n=1025,k=1027,tb,bias,act=gelu_erf,alpha=0.01"},
    {SQA_GRID_FULL, "m=1023,n=1025,k=1027,ta,beta=1"},
    {SQA_GRID_FULL, "m=200,n=200,k=200001,ta"},
    {0},
};

static sqa_status list_edges(sqa_grid_size size, sqa_dtype dtype, sqa_case_list *out)
{
    return sqa_case_shapes_list(edges, "op=matmul", size, dtype, out);
}

const sqa_case_grid sqa_matmul_grids[] = {
    {"grid", list_grid, NULL}, {"edges", list_edges, NULL}, {0}};
