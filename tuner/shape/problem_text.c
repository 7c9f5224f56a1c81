/* Problems as text: "op=NAME," and the shape of the attention, which is what shape.c
 * reads and writes, with the keys that block selection has instead of lists. Without
 * op= it is forward attention. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "problem/names.h"
#include "problem/selection.h"
#include "shape/shape.h"
#include "text/number.h"

#define STRIDED ",layout=strided"
#define MOST_BLOCKS (1u << 30)

/* What block selection asks for, and the rest of its text as a shape. */
typedef struct selection_text {
    char shape[SQA_SHAPE_TEXT];
    sqa_select_options options;
} selection_text;

static sqa_status add_to_shape(selection_text *out, const char *item, int length, const char *more)
{
    const size_t used = strlen(out->shape);
    const int written = snprintf(out->shape + used, sizeof out->shape - used, "%s%.*s%s",
                                 used ? "," : "", length, item, more);
    return written >= 0 && (size_t)written < sizeof out->shape - used
               ? SQA_OK
               : sqa_fail(SQA_INVALID_ARGUMENT, "longer than %zu characters",
                          sizeof out->shape - 1);
}

/* "QxK/LISTS" lists nothing yet, of which a shape speaks as part 0 of all blocks. */
static sqa_status add_blocks(selection_text *out, const char *item, size_t length)
{
    const size_t sizes = strcspn(item, "/");
    char lists[16];
    if (sizes >= length)
        return add_to_shape(out, item, (int)length, "@0");
    snprintf(lists, sizeof lists, "@0%.*s", (int)(length - sizes), item + sizes);
    return add_to_shape(out, item, (int)sizes, lists);
}

static sqa_status add_item(selection_text *out, const char *item, size_t length)
{
    const struct {
        const char *lead;
        uint32_t *out;
    } numbers[] = {{"topk=", &out->options.top_k},
                   {"sinkblocks=", &out->options.sink_blocks},
                   {"localblocks=", &out->options.local_blocks}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const size_t lead = strlen(numbers[i].lead);
        char value[16];
        if (strncmp(item, numbers[i].lead, lead) != 0)
            continue;
        snprintf(value, sizeof value, "%.*s", (int)(length - lead), item + lead);
        if (sqa_read_count(value, 0, MOST_BLOCKS, numbers[i].out))
            return SQA_OK;
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s'%s'; expected a number from 0 to %u",
                        numbers[i].lead, value, MOST_BLOCKS);
    }
    return strncmp(item, "blocks=", 7) != 0 ? add_to_shape(out, item, (int)length, "")
                                            : add_blocks(out, item, length);
}

static sqa_status parse_selection(const char *text, sqa_problem *out)
{
    selection_text parts = {.shape = "", .options = SQA_SELECT_OPTIONS_INIT};
    sqa_attention_desc desc;
    sqa_status status = SQA_OK;
    while (*text && status == SQA_OK) {
        const size_t length = strcspn(text, ",");
        status = add_item(&parts, text, length);
        text += length + (text[length] == ',');
    }
    if (status == SQA_OK)
        status = sqa_shape_parse(parts.shape, &desc);
    if (status != SQA_OK)
        return status;
    desc.blocks.batch = desc.batch;
    return sqa_selection_from_desc(out, &desc, &parts.options, false);
}

sqa_status sqa_problem_parse(const char *text, sqa_problem *out)
{
    sqa_operation operation = SQA_OPERATION_FORWARD;
    sqa_attention_desc desc;
    char shape[SQA_SHAPE_TEXT], name[32];
    const size_t length = strlen(text);
    if (length >= sizeof shape)
        return sqa_fail(SQA_INVALID_ARGUMENT, "shape: longer than %zu characters",
                        sizeof shape - 1);
    /* Where strides have no name only a packed problem is as good. */
    const size_t tail = strlen(STRIDED);
    const bool strided = length > tail && !strcmp(text + length - tail, STRIDED);
    snprintf(shape, sizeof shape, "%.*s", (int)(strided ? length - tail : length), text);
    const char *rest = shape;
    if (!strncmp(shape, "op=", 3)) {
        const size_t word = strcspn(shape + 3, ",");
        snprintf(name, sizeof name, "%.*s", (int)word, shape + 3);
        if (word >= sizeof name || !sqa_operation_from_name(name, &operation))
            return sqa_fail(SQA_INVALID_ARGUMENT, "shape: op is '%s'; there is no such operation",
                            name);
        rest = shape + 3 + word + (shape[3 + word] == ',');
    }
    if (operation == SQA_OPERATION_SELECT_BLOCKS)
        return parse_selection(rest, out);
    sqa_status status = sqa_shape_parse(rest, &desc);
    return status == SQA_OK ? sqa_problem_from_desc(out, &desc) : status;
}

/* A descriptor that leaves out what the problem has by default. */
static void describe(const sqa_problem *problem, sqa_attention_desc *out)
{
    sqa_problem_to_desc(problem, out);
    const float usual = 1.0f / sqrtf((float)problem->head_dim);
    if (problem->scale >= usual && problem->scale <= usual)
        out->scale = 0.0f;
    out->operation = SQA_OPERATION_FORWARD;
}

static void append(char *text, size_t size, const char *more)
{
    const size_t used = strlen(text);
    if (used < size)
        snprintf(text + used, size - used, "%s", more);
}

static void format_selection(const sqa_problem *problem, char *text, size_t size)
{
    sqa_attention_desc desc, packed;
    char shape[SQA_SHAPE_TEXT], keys[128];
    const sqa_blocks *blocks = &problem->blocks;
    describe(problem, &desc);
    desc.blocks = (sqa_blocks){0, 0, 0, 0, 0};
    desc.v = desc.o = (sqa_strides){0, 0, 0};
    if (desc.causal == SQA_CAUSAL_NONE && problem->select.local_blocks && !problem->bottom_right)
        desc.align = SQA_ALIGN_TOP_LEFT;
    packed = desc;
    packed.q = packed.k = desc.v;
    sqa_shape_format(&packed, shape, sizeof shape);
    snprintf(keys, sizeof keys,
             ",blocks=%" PRIu32 "x%" PRIu32 "%s,topk=%" PRIu32 ",sinkblocks=%" PRIu32
             ",localblocks=%" PRIu32,
             blocks->query_size, blocks->key_size,
             blocks->heads == 1                    ? ""
             : blocks->heads == problem->out_heads ? "/h"
                                                   : "/k",
             problem->select.top_k, problem->select.sink_blocks, problem->select.local_blocks);
    const size_t head = strlen(shape);
    snprintf(text, size, "op=%s,%s%s", sqa_operation_name(problem->operation), shape, keys);
    sqa_shape_format(&desc, shape, sizeof shape);
    append(text, size, shape + head); /* the layout comes last */
}

void sqa_problem_format(const sqa_problem *problem, char *text, size_t size)
{
    sqa_attention_desc desc;
    if (problem->operation == SQA_OPERATION_SELECT_BLOCKS) {
        format_selection(problem, text, size);
        return;
    }
    describe(problem, &desc);
    sqa_shape_format(&desc, text, size);
}
