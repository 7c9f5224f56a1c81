/* Shapes as text: what is read, what is refused and why, and that what is written reads
 * back as the very same problem, and as the same descriptor where patterns are alone. */
#include <check.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "operations/attention/pair_strides.h"
#include "operations/attention/pattern_text.h"
#include "operations/operations.h"
#include "operations/select_blocks.h"
#include "operations/shape.h"
#include "run_suite.h"
#include "sqa_cl/status.h"

#define HEAD "b=1,hq=2,hkv=2,nq=3,nk=3,d=64"
#define LONG "b=1,hq=2,hkv=2,nq=300,nk=300,d=64"
#define SELECT "op=select_blocks,"
#define SELECTED "op=selected_forward,"

static const struct {
    const char *spec, *text; /* NULL: refused, and `error` says why */
    const char *error;
} shapes[] = {
    {"b=1,hq=8,hkv=2,nq=4096,nk=4096,d=64", "b=1,hq=8,hkv=2,nq=4096,nk=4096,d=64", NULL},
    {"hq=8,n=16,kv=f16", "b=1,hq=8,hkv=8,nq=16,nk=16,d=64,kv=f16", NULL},
    {"hq=8,n=16,dtype=f16,kv=f16", "b=1,hq=8,hkv=8,nq=16,nk=16,d=64,dtype=f16", NULL},
    {"hq=8,n=16,kv=f32,dtype=bf16", "b=1,hq=8,hkv=8,nq=16,nk=16,d=64,dtype=bf16,kv=f32", NULL},
    {"op=forward,hq=8,n=16", "b=1,hq=8,hkv=8,nq=16,nk=16,d=64", NULL},
    {"hq=8,n=16", "b=1,hq=8,hkv=8,nq=16,nk=16,d=64", NULL},
    {"variant=xsqa,h=8,n=32,d=128", "b=1,hq=2,hkv=2,nq=32,nk=32,d=128", NULL},
    {"variant=RSQA,h=8,n=32", "b=1,hq=2,hkv=4,nq=32,nk=32,d=64", NULL},
    {"hq=2,nq=3,nk=0,d=8,dv=4,causal", "b=1,hq=2,hkv=2,nq=3,nk=0,d=8,dv=4,causal", NULL},
    {"hq=2,n=3,d=8,dv=8,lse", "b=1,hq=2,hkv=2,nq=3,nk=3,d=8,lse", NULL},
    {"align=top-left,causal,hq=2,n=3", HEAD ",causal,align=top-left", NULL},
    {"causal,align=bottom-right,hq=2,n=3", HEAD ",causal", NULL},
    {"hq=2,n=3,scale=0.25,layout=bshd", HEAD ",scale=0.25,layout=bshd", NULL},
    {"hq=2,n=3,scale=0.125", HEAD, NULL}, /* the default's value */
    {"hq=2,n=3,layout=bhsd", HEAD, NULL},
    {"hq=2,n=3,dtype=bf16", HEAD ",dtype=bf16", NULL},
    {"hq=2,n=3,dtype=f32", HEAD, NULL},
    {"hq=2,n=3,align=bottom-right", HEAD, NULL},
    {"hq=2,n=300,window=128:0,causal", LONG ",causal,window=128:0", NULL},
    {"hq=2,n=300,window=-1:64,globals=16", LONG ",window=-1:64,globals=16", NULL},
    {"hq=2,n=300,window=9:9,align=top-left", LONG ",align=top-left,window=9:9", NULL},
    {"hq=2,n=300,globals=list7,window=0:1073741822", LONG ",window=0:1073741822,globals=list7",
     NULL},
    {"hq=2,n=3,softcap=30,alibi=geometric,sinks", HEAD ",softcap=30,alibi=geometric,sinks", NULL},
    {"hq=2,n=3,alibi=slopes,keymask", HEAD ",alibi=slopes,keymask", NULL},
    {"b=2,hq=2,n=3,bias=f16/qbh,lse", "b=2,hq=2,hkv=2,nq=3,nk=3,d=64,bias=f16/bhq,lse", NULL},
    {"hq=2,n=3,bias=bf16/,mask=", HEAD ",bias=bf16/,mask=", NULL},
    {"hq=2,n=3,mask=hq,layout=bshd", HEAD ",mask=hq,layout=bshd", NULL},
    {"hq=2,n=3,blocks=2x1@0.5/h", HEAD ",blocks=2x1@0.5/h", NULL},
    {"hq=8,hkv=2,n=512,blocks=64x64@.25000/k",
     "b=1,hq=8,hkv=2,nq=512,nk=512,d=64,blocks=64x64@0.25/k", NULL},
    {"b=3,hq=2,nq=9,nk=8,ragged=20:24,layout=bshd",
     "b=3,hq=2,hkv=2,nq=9,nk=8,d=64,ragged=20:24,layout=bshd", NULL},
    {"b=3,hq=2,nq=9,nk=80,page=16,causal", "b=3,hq=2,hkv=2,nq=9,nk=80,d=64,causal,page=16", NULL},
    {"b=3,hq=2,nq=9,nk=80,page=16,pages=15", "b=3,hq=2,hkv=2,nq=9,nk=80,d=64,page=16", NULL},
    {"b=3,hq=2,nq=9,nk=80,page=16,pages=7,ragged=20:5,layout=bshd",
     "b=3,hq=2,hkv=2,nq=9,nk=80,d=64,ragged=20:0,page=16,pages=7,layout=bshd", NULL},
    /* What hides nothing, or no rule asks for, is left out. */
    {"hq=2,n=3,window=128:0,causal", HEAD ",causal", NULL},
    {"hq=2,n=3,window=-1:64,globals=16", HEAD, NULL},
    {"hq=2,n=300,globals=16", LONG, NULL},
    {"hq=2,n=3,window=-1:-1", HEAD, NULL},
    {"hq=2,n=300,window=0:1073741823", LONG ",window=0:-1", NULL},
    {"hq=2,n=3,align=top-left", HEAD, NULL},
    {"hq=2,n=3,blocks=64x64@1", HEAD ",blocks=3x3@1", NULL}, /* no block is longer */
    /* Strides that no layout has, of all four tensors or of one. */
    {"hq=2,n=3,d=8,q=60:30:10",
     "b=1,hq=2,hkv=2,nq=3,nk=3,d=8,q=60:30:10,k=48:24:8,v=48:24:8,"
     "o=48:24:8",
     NULL},
    {"hq=2,n=3,d=8,layout=bshd,k=0:8:16,v=0:0:8",
     "b=1,hq=2,hkv=2,nq=3,nk=3,d=8,q=48:8:16,k=0:8:16,v=0:0:8,o=48:8:16", NULL},
    {"hq=2,n=3,d=8,q=48:24:8,o=48:24:8", "b=1,hq=2,hkv=2,nq=3,nk=3,d=8", NULL},
    {"hq=2,n=3,bias=f32/0:5:11,mask=7:0:3", HEAD ",bias=f32/0:5:11,mask=7:0:3", NULL},
    {"hq=2,n=3,bias=f16/0:9:3,mask=0:0:3", HEAD ",bias=f16/hq,mask=q", NULL},
    {"hq=1,n=1,d=8,q=1152921504606846976:1152921504606846976:1152921504606846976,"
     "bias=bf16/1152921504606846976:1152921504606846976:1152921504606846976",
     "b=1,hq=1,hkv=1,nq=1,nk=1,d=8,"
     "bias=bf16/1152921504606846976:1152921504606846976:1152921504606846976,"
     "q=1152921504606846976:1152921504606846976:1152921504606846976,k=8:8:8,v=8:8:8,o=8:8:8",
     NULL},
    /* Block selection. */
    {SELECT "hq=2,n=300,blocks=64x32/h,topk=3",
     SELECT "b=1,hq=2,hkv=2,nq=300,nk=300,d=64,blocks=64x32/h,topk=3", NULL},
    {SELECT "topk=4,blocks=8x8/k,localblocks=2,sinkblocks=1,causal,n=90,hkv=2,hq=6,b=2,dtype=f16",
     SELECT "b=2,hq=6,hkv=2,nq=90,nk=90,d=64,dtype=f16,causal,blocks=8x8/k,topk=4,sinkblocks=1,"
            "localblocks=2",
     NULL},
    {SELECT "hq=2,n=90,blocks=8x8,topk=4,align=top-left",
     SELECT "b=1,hq=2,hkv=2,nq=90,nk=90,d=64,blocks=8x8,topk=4", NULL},
    {SELECT "hq=2,n=90,blocks=8x8,topk=4,align=top-left,localblocks=1",
     SELECT "b=1,hq=2,hkv=2,nq=90,nk=90,d=64,align=top-left,blocks=8x8,topk=4,localblocks=1", NULL},
    {SELECT "hq=2,n=90,blocks=8x30,topk=99,sinkblocks=50,localblocks=49", /* all three */
     SELECT "b=1,hq=2,hkv=2,nq=90,nk=90,d=64,blocks=8x30,topk=3", NULL},
    {SELECT "hq=2,n=90,d=8,blocks=8x8,topk=4,layout=bshd",
     SELECT "b=1,hq=2,hkv=2,nq=90,nk=90,d=8,blocks=8x8,topk=4,layout=bshd", NULL},
    {SELECT "hq=2,n=90", NULL, "the blocks are missing; expected blocks=QxK"},
    {SELECT "hq=2,n=90,blocks=8x8", NULL, "topk is missing; expected a number of blocks from 1"},
    {SELECT "hq=2,n=90,blocks=8x8,topk=0", NULL, "topk is '0'; expected a number from 1 to"},
    {SELECT "hq=2,n=90,blocks=8x8@0.5,topk=2", NULL, "blocks is '8x8@0.5'; expected QxK"},
    {SELECT "hq=2,n=90,blocks=8x8/b,topk=2", NULL, "blocks is '8x8/b'; expected QxK"},
    {SELECT "hq=2,n=90,blocks=8x8/,topk=2", NULL, "blocks is '8x8/'; expected QxK"},
    {SELECT "hq=2,n=90,blocks=8x8,topk=2,sinkblocks=2,localblocks=1", NULL,
     "select.sink_blocks, select.local_blocks: 2 + 1 are more than top_k (2)"},
    {SELECT "hq=2,n=90,blocks=8x8,topk=2,dv=4", NULL, "'dv' is not a key; expected b, hq,"},
    {SELECT "hq=2,n=90,blocks=8x8,topk=2,window=3:3", NULL, "'window' is not a key"},
    {SELECT "hq=2,n=90,blocks=8x8,topk=2,lse", NULL, "'lse' is not a key"},
    {SELECT "n=90,blocks=8x8,topk=2", NULL, "the heads are missing"},
    {SELECT "hq=2,n=131072,blocks=1x1,topk=131072", NULL, "the lists will have 17179869184"},
    /* Both as one. */
    {SELECTED "hq=4,hkv=2,n=90,blocks=8x8/k,topk=3,causal,window=40:0,lse,dv=8",
     SELECTED "b=1,hq=4,hkv=2,nq=90,nk=90,d=64,dv=8,causal,window=40:0,blocks=8x8/k,topk=3,lse",
     NULL},
    {SELECTED "hq=2,n=90,blocks=8x8,topk=3,ragged=9:9", NULL, "'ragged' is not a key"},
    {"op=backwards,hq=2,n=3", NULL, "op is 'backwards'; expected one of forward, select_blocks"},
    {"op=,hq=2,n=3", NULL, "op is ''"},
    {"hq=2,op=forward,n=3", NULL, "'op' is not a key"}, /* comes first */
    {"hq=2,n=3,q=1:2", NULL, "q is '1:2'; expected the strides BATCH:HEAD:SEQUENCE in elements"},
    {"hq=2,n=3,q=1:2:3:4", NULL, "q is '1:2:3:4'"},
    {"hq=2,n=3,k=-1:2:3", NULL, "k is '-1:2:3'"},
    {"hq=2,n=3,v=1:2:", NULL, "v is '1:2:'"},
    {"hq=1,n=1,q=1:2:99999999999999999999", NULL, "q is '1:2:99999999999999999999'"},
    {"hq=2,n=3,o=0:0:8", NULL, "desc.o"}, /* outputs would overlap */
    {"hq=2,n=3,mask=1:2:-3", NULL, "or strides BATCH:HEAD:QUERY"},
    {"hq=2,n=3,dtype=f8", NULL, "dtype is 'f8'; expected f32, f16 or bf16"},
    {"", NULL, "'' is not a key; expected b, hq,"},
    {"hq=2,n=3,colour=1", NULL,
     "keymask, sinks, dropout, blocks, ragged, page, pages, lse, layout, q, k, v or o"},
    {"hq=2,n=3,window=5", NULL, "window is '5'; expected LEFT:RIGHT, each from 0 to 1073741823"},
    {"hq=2,n=3,page=0", NULL, "page is '0'; expected a number from 1 to 1073741824"},
    {"hq=2,n=3,page=16,pages=x", NULL, "pages is 'x'; expected a number from 0 to 1073741824"},
    {"hq=2,n=3,page=16,pages=0", NULL, "desc.paged.pages"},
    {"hq=2,n=3,pages=7", NULL, "pages"},
    {"hq=2,n=3,window=-2:0", NULL, "window is '-2:0'"},
    {"hq=2,n=3,window=0:1073741824", NULL, "window is"},
    {"hq=2,n=3,window=1:2:3", NULL, "window is '1:2:3'"},
    {"hq=2,n=3,window", NULL, "window takes a value"},
    {"hq=2,n=3,globals=list", NULL, "globals is 'list'"},
    {"hq=2,n=3,globals=1048577", NULL, "N from 0 to 1048576"},
    {"hq=2,n=3,dropout=0.125,softcap=2", HEAD ",softcap=2,dropout=0.125", NULL},
    {"hq=2,n=3,dropout=1", NULL, "dropout is '1'; expected a number from 0 to less than 1"},
    {"hq=2,n=3,dropout=-0.1", NULL, "dropout is '-0.1'"},
    {"hq=2,n=3,softcap=-1", NULL, "softcap is '-1'; expected a finite number above 0"},
    {"hq=2,n=3,alibi=linear", NULL, "expected geometric or slopes"},
    {"hq=2,n=3,bias=f32", NULL, "bias is 'f32'; expected TYPE/DIMS"},
    {"hq=2,n=3,bias=f32/bb", NULL, "each once"},
    {"hq=2,n=3,mask=k", NULL, "mask is 'k'; expected of the letters b, h and q"},
    {"b=65535,hq=65535,n=1073741824,mask=bhq", NULL, "more than 2^60 elements"},
    {"hq=2,n=3,keymask=1", NULL, "keymask takes no value"},
    {"hq=2,n=3,blocks=0x4@0.5", NULL, "blocks is '0x4@0.5'; expected QxK@PART"},
    {"hq=2,n=3,blocks=4x4", NULL, "expected QxK@PART"},
    {"hq=2,n=3,blocks=4x4@1.5", NULL, "expected QxK@PART"},
    {"hq=2,n=3,blocks=4x4@nan", NULL, "expected QxK@PART"},
    {"hq=2,n=3,blocks=4x4@0.5/", NULL, "expected QxK@PART"},
    {"hq=2,n=3,blocks=4x4@0.5bh", NULL, "expected QxK@PART"},
    {"hq=2,n=3,blocks=4x4@0.5/hb", NULL, "expected QxK@PART"},
    {"hq=2,n=1000000,blocks=1x1@1", NULL, "that lists 1000000000000 blocks, at most 2147483647"},
    {"hq=2,n=3,ragged=4", NULL, "ragged is '4'; expected QTOTAL:KVTOTAL"},
    {"hq=2", NULL, "the length is missing"},
    {"n=2", NULL, "the heads are missing"},
    {"hq=2,n=3,", NULL, "'' is not a key"},
    {"hq=2,n=3,hq=4", NULL, "hq is given twice"},
    {"hq=2,n=3,colour=red", NULL, "'colour' is not a key"},
    {"hq=2,n=3,causal=yes", NULL, "causal takes no value"},
    {"hq,n=3", NULL, "hq takes a value"},
    {"hq=0,n=3", NULL, "hq is '0'; expected a number from 1 to 65535"},
    {"hq=-1,n=3", NULL, "hq is '-1'"},
    {"hq=2,n=1e3", NULL, "n is '1e3'"},
    {"hq=2,n=99999999999999999999", NULL, "expected a number from 0 to 1073741824"},
    {"hq=3,hkv=2,n=3", NULL, "one must divide the other"},
    {"variant=xsqa,n=3", NULL, "go together"},
    {"variant=xsqa,h=8,hq=2,n=3", NULL, "leave those out"},
    {"variant=zsqa,h=8,n=3", NULL, "mha"},
    {"hq=2,n=3,nq=3", NULL, "n already gives"},
    {"hq=2,n=3,causal,align=left", NULL, "expected bottom-right or top-left"},
    {"hq=2,n=3,scale=inf", NULL, "scale is 'inf'"},
    {"hq=2,n=3,layout=sbhd", NULL, "expected bhsd or bshd"},
};
enum { SHAPE_COUNT = sizeof shapes / sizeof shapes[0] };

START_TEST(shape_texts)
{
    sqa_problem problem, again;
    sqa_status status = sqa_problem_parse(shapes[_i].spec, &problem);
    if (!shapes[_i].text) {
        ck_assert_int_eq(status, SQA_INVALID_ARGUMENT);
        ck_assert_msg(!strncmp(sqa_last_error(), "shape: ", 7) &&
                          strstr(sqa_last_error(), shapes[_i].error),
                      "%s", sqa_last_error());
        return;
    }
    ck_assert_msg(status == SQA_OK, "%s: %s", shapes[_i].spec, sqa_last_error());
    char text[SQA_SHAPE_TEXT];
    sqa_problem_format(&problem, text, sizeof text);
    ck_assert_str_eq(text, shapes[_i].text);
    ck_assert_msg(sqa_problem_parse(text, &again) == SQA_OK, "'%s': %s", text, sqa_last_error());
    ck_assert_msg(!memcmp(&problem, &again, sizeof problem), "'%s' is another problem", text);
}
END_TEST

/* What a text says of the pattern, whether or not it hides something. */
static const struct {
    const char *spec, *pattern;
} patterns[] = {
    {"hq=2,n=3", ""},
    {"hq=2,n=3,align=top-left", "align=top-left"},
    {"hq=2,n=3,align=bottom-right", ""},
    {"causal,align=bottom-right,hq=2,n=3", "causal"},
    {"align=top-left,causal,hq=2,n=3", "causal,align=top-left"},
    {"hq=2,n=3,window=128:0,causal", "causal,window=128:0"},
    {"hq=2,n=3,window=-1:64,globals=16", "window=-1:64,globals=16"},
    {"hq=2,n=3,window=-1:-1", ""},
    {"hq=2,n=3,globals=list7,window=0:1073741823", "window=0:1073741823,globals=list7"},
    {"hq=2,n=3,softcap=30,alibi=geometric,sinks", "softcap=30,alibi=geometric,sinks"},
    {"hq=2,n=3,alibi=slopes,keymask", "alibi=slopes,keymask"},
    {"b=2,hq=2,n=3,bias=f16/qbh,lse", "bias=f16/bhq"},
    {"hq=2,n=3,bias=bf16/,mask=", "bias=bf16/,mask="},
    {"hq=2,n=3,mask=hq,layout=bshd", "mask=hq"},
    {"hq=2,n=3,mask=1:2:3", "mask=1:2:3"},
    {"hq=2,n=3,blocks=64x64@1/h", "blocks=64x64@1/h"},
    {"hq=8,hkv=2,n=512,blocks=64x64@.25000/k", "blocks=64x64@0.25/k"},
    {"b=3,hq=2,nq=9,nk=8,ragged=20:24,layout=bshd", "ragged=20:24"},
};
enum { PATTERN_COUNT = sizeof patterns / sizeof patterns[0] };

/* Forward's descriptor of a shape. */
static sqa_attention_desc parse_desc(const char *spec)
{
    const sqa_operation_entry *entry = NULL;
    union {
        max_align_t any;
        char bytes[SQA_DESCRIPTOR_BYTES];
        sqa_attention_desc desc;
    } read;
    ck_assert_msg(sqa_descriptor_parse(spec, &entry, &read) == SQA_OK, "%s: %s", spec,
                  sqa_last_error());
    ck_assert_str_eq(entry->name, "forward");
    return read.desc;
}

START_TEST(pattern_texts)
{
    const sqa_attention_desc desc = parse_desc(patterns[_i].spec);
    sqa_attention_desc again = desc;
    char text[SQA_PATTERN_TEXT], twice[SQA_PATTERN_TEXT];
    sqa_pattern_write(&desc, text, sizeof text);
    ck_assert_str_eq(text, patterns[_i].pattern);
    ck_assert_int_eq(sqa_pattern_read(text, &again), SQA_OK);
    sqa_pattern_write(&again, twice, sizeof twice);
    ck_assert_str_eq(twice, text);
}
END_TEST

static uint32_t below(sqa_random *random, uint32_t bound)
{
    return (uint32_t)sqa_random_below(random, bound);
}

static bool coin(sqa_random *random)
{
    return below(random, 2) == 0;
}

static void random_heads(sqa_random *random, sqa_attention_desc *desc)
{
    const uint32_t few = 1 + below(random, 4), times = 1 + below(random, 4);
    const bool reversed = below(random, 4) == 0;
    desc->batch = below(random, 4);
    desc->q_heads = reversed ? few : few * times;
    desc->kv_heads = reversed ? few * times : few;
    desc->q_length = below(random, 300);
    desc->kv_length = below(random, 300);
    desc->head_dim = 1 + below(random, 1024);
    desc->value_dim = coin(random) ? 0 : 1 + below(random, 1024);
}

static void random_rules(sqa_random *random, sqa_attention_desc *desc)
{
    desc->causal = (sqa_causal)below(random, 3);
    if (desc->causal == SQA_CAUSAL_NONE)
        desc->align = (sqa_align)below(random, 2);
    desc->window.left = coin(random) ? -1 : (int32_t)below(random, 1u << 30);
    desc->window.right = coin(random) ? -1 : (int32_t)below(random, 300);
    desc->key_mask = below(random, 2);
    desc->mask.present = below(random, 2);
    if (desc->mask.present)
        ck_assert(sqa_pair_strides(desc, below(random, SQA_PAIR_DIMS), &desc->mask.strides));
    if (coin(random)) {
        desc->globals = (sqa_globals){below(random, 300), below(random, 2)};
        return;
    }
    const uint32_t out_heads = desc->q_heads > desc->kv_heads ? desc->q_heads : desc->kv_heads;
    const uint32_t heads[] = {1, desc->kv_heads, out_heads};
    sqa_blocks *blocks = &desc->blocks;
    *blocks = (sqa_blocks){1 + below(random, 400), 1 + below(random, 400),
                           coin(random) ? 1 : desc->batch, heads[below(random, 3)], 0};
    const uint32_t rows = (desc->q_length + blocks->query_size - 1) / blocks->query_size;
    const uint32_t columns = (desc->kv_length + blocks->key_size - 1) / blocks->key_size;
    blocks->entries = below(random, blocks->batch * blocks->heads * rows * columns + 1);
}

static void random_scores(sqa_random *random, sqa_attention_desc *desc)
{
    desc->scale = coin(random) ? 0.0f : sqa_random_float(random, -1.0f, 1.0f);
    desc->dropout = coin(random) ? 0.0f : sqa_random_float(random, 0.01f, 0.99f);
    desc->softcap = coin(random) ? 0.0f : sqa_random_float(random, 0.1f, 99.0f);
    desc->alibi = (sqa_alibi)below(random, 3);
    desc->sinks = below(random, 2);
    desc->bias.present = below(random, 2);
    if (!desc->bias.present)
        return;
    desc->bias.dtype = (int32_t)below(random, 3);
    ck_assert(sqa_pair_strides(desc, below(random, SQA_PAIR_DIMS), &desc->bias.strides));
}

static sqa_attention_desc random_desc(sqa_random *random)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    random_heads(random, &desc);
    random_rules(random, &desc);
    random_scores(random, &desc);
    desc.dtype = (sqa_dtype)below(random, 3);
    desc.kv_dtype = (int32_t)below(random, 4) - 1;
    desc.write_lse = below(random, 2);
    if (coin(random))
        desc.ragged = (sqa_ragged){1, below(random, 900), below(random, 900)};
    if (coin(random)) {
        desc.paged = (sqa_paged){1 + below(random, 100), 1 + below(random, 1000)};
        desc.ragged.kv_total = desc.ragged.present ? 0 : desc.ragged.kv_total;
    }
    return desc;
}

/* Member by member: padding says nothing. */
static void check_same_pattern(const sqa_attention_desc *a, const sqa_attention_desc *b,
                               const char *text)
{
    ck_assert_msg(!memcmp(&a->window, &b->window, sizeof a->window) &&
                      !memcmp(&a->globals, &b->globals, sizeof a->globals) &&
                      !memcmp(&a->mask.strides, &b->mask.strides, sizeof a->mask.strides) &&
                      !memcmp(&a->bias.strides, &b->bias.strides, sizeof a->bias.strides) &&
                      !memcmp(&a->blocks, &b->blocks, sizeof a->blocks) &&
                      !memcmp(&a->ragged, &b->ragged, sizeof a->ragged) &&
                      !memcmp(&a->paged, &b->paged, sizeof a->paged),
                  "'%s' reads back as another pattern", text);
    ck_assert_uint_eq(a->align, b->align);
    ck_assert_uint_eq(a->causal, b->causal);
    ck_assert_uint_eq(a->mask.present, b->mask.present);
    ck_assert_uint_eq(a->bias.present, b->bias.present);
}

/* The same heads and lengths, without a pattern. */
static sqa_attention_desc bare(const sqa_attention_desc *desc)
{
    sqa_attention_desc out = SQA_ATTENTION_DESC_INIT;
    out.batch = desc->batch;
    out.q_heads = desc->q_heads;
    out.kv_heads = desc->kv_heads;
    out.q_length = desc->q_length;
    out.kv_length = desc->kv_length;
    return out;
}

static void check_same_problem(const sqa_problem *problem)
{
    sqa_problem again;
    char text[SQA_SHAPE_TEXT], twice[SQA_SHAPE_TEXT];
    sqa_problem_format(problem, text, sizeof text);
    ck_assert_msg(sqa_problem_parse(text, &again) == SQA_OK, "'%s': %s", text, sqa_last_error());
    ck_assert_msg(!memcmp(problem, &again, sizeof again), "'%s' is another problem", text);
    sqa_problem_format(&again, twice, sizeof twice);
    ck_assert_str_eq(twice, text);
}

START_TEST(random_descriptors)
{
    sqa_random random = {3};
    for (int round = 0; round < 20000; round++) {
        sqa_attention_desc desc = random_desc(&random), again = bare(&desc);
        sqa_problem problem;
        char text[SQA_PATTERN_TEXT];
        sqa_pattern_write(&desc, text, sizeof text);
        ck_assert_msg(sqa_pattern_read(text, &again) == SQA_OK, "'%s': %s", text, sqa_last_error());
        check_same_pattern(&desc, &again, text);
        ck_assert_msg(sqa_problem_from_desc(&problem, &desc) == SQA_OK, "'%s': %s", text,
                      sqa_last_error());
        check_same_problem(&problem);
    }
}
END_TEST

#define FAR "1152921504606846976:1152921504606846976:1152921504606846976"
#define WIDE                                                                                       \
    "b=1,hq=65535,hkv=65535,nq=1073741824,nk=1073741824,d=511,dv=512,dtype=bf16,"                  \
    "scale=-1.17549435e-38,causal,align=top-left,"

/* Every key, each as long as it can be. */
START_TEST(longest_text)
{
    static const char *const longest[] = {
        WIDE "window=1073741822:1073741822,globals=list1048576,softcap=1.17549435e-38,"
             "alibi=geometric,bias=bf16/"
             "q,mask=q,keymask,sinks,dropout=0.999999940,ragged=1073741824:0,page=1073741823,"
             "pages=32,lse,kv=f16,"
             "layout=bshd",
        WIDE "window=1073741822:1073741822,softcap=1.17549435e-38,alibi=geometric,bias=bf16/q,"
             "mask=q,keymask,sinks,blocks=1073741824x1073741823@0.00093843776608682176/h,lse,"
             "layout=bshd",
        "b=1,hq=1,hkv=1,nq=1,nk=1,d=1023,dv=1024,dtype=bf16,scale=-1.17549435e-38,causal,"
        "align=top-left,softcap=1.17549435e-38,alibi=geometric,bias=bf16/" FAR ",mask=" FAR
        ",keymask,sinks,dropout=0.999999940,blocks=1x1@1,ragged=1:0,page=1,pages="
        "1,"
        "lse,kv=f16,q=" FAR ",k=" FAR ",v=" FAR ",o=" FAR,
        SELECTED "b=1,hq=1,hkv=1,nq=1,nk=1,d=1023,dv=1024,dtype=bf16,scale=-1.17549435e-38,causal,"
                 "align=top-left,softcap=1.17549435e-38,alibi=geometric,bias=bf16/" FAR ",mask=" FAR
                 ",keymask,sinks,blocks=1x1,topk=1,lse,q=" FAR ",k=" FAR ",v=" FAR ",o=" FAR,
        "op=backward,b=1,hq=1,hkv=1,nq=1,nk=1,d=1023,dv=1024,dtype=bf16,scale=-1.17549435e-38,"
        "causal,"
        "align=top-left,softcap=1.17549435e-38,alibi=slopes,bias=bf16/" FAR ",mask=" FAR
        ",keymask,sinks,dropout=0.999999940,blocks=1x1@1,ragged=1:1,"
        "grads=q+k+v+bias+sinks+slopes,accumulate,q=" FAR ",k=" FAR ",v=" FAR ",o=" FAR
        ",grad_o=" FAR ",grad_q=" FAR ",grad_k=" FAR ",grad_v=" FAR ",grad_bias=" FAR,
    };
    sqa_problem problem;
    char text[SQA_SHAPE_TEXT + 256];
    ck_assert_msg(sqa_problem_parse(longest[_i], &problem) == SQA_OK, "%s", sqa_last_error());
    sqa_problem_format(&problem, text, sizeof text);
    ck_assert_uint_lt(strlen(text), SQA_SHAPE_TEXT);
    check_same_problem(&problem);
}
END_TEST

/* Strides that no letters say are told as numbers. */
START_TEST(odd_strides)
{
    sqa_attention_desc desc = parse_desc("hq=2,n=9,mask=hq,bias=f32/q"), again;
    char text[SQA_PATTERN_TEXT];
    desc.mask.strides.head++;
    sqa_pattern_write(&desc, text, sizeof text);
    ck_assert_str_eq(text, "bias=f32/q,mask=0:82:9");
    again = bare(&desc);
    ck_assert_int_eq(sqa_pattern_read(text, &again), SQA_OK);
    check_same_pattern(&desc, &again, text);
}
END_TEST

START_TEST(pattern_alone)
{
    sqa_attention_desc desc = parse_desc("hq=2,n=9");
    char text[SQA_PATTERN_TEXT];
    ck_assert_int_eq(sqa_pattern_read("", &desc), SQA_OK);
    sqa_pattern_write(&desc, text, sizeof text);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(sqa_pattern_read("globals=2,window=3:0,causal", &desc), SQA_OK);
    sqa_pattern_write(&desc, text, sizeof text);
    ck_assert_str_eq(text, "causal,window=3:0,globals=2");
    ck_assert_int_eq(sqa_pattern_read("softcap=2,hq=4", &desc), SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "'hq' is not a key; expected causal, align,"));
    ck_assert_float_eq(desc.softcap, 0.0f);
    sqa_pattern_write(&desc, text, 12); /* cut off, not overrun */
    ck_assert_str_eq(text, "causal,wind");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shape");
    TCase *tests = tcase_create("texts");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, shape_texts, 0, SHAPE_COUNT);
    tcase_add_loop_test(tests, pattern_texts, 0, PATTERN_COUNT);
    tcase_add_test(tests, random_descriptors);
    tcase_add_loop_test(tests, longest_text, 0, 5);
    tcase_add_test(tests, odd_strides);
    tcase_add_test(tests, pattern_alone);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
