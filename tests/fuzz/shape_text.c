/* Shapes as text: what is read is written, and read again as the same problem. */
#include "fuzz.h"
#include "problem/problem.h"
#include "shape/shape.h"

/* What a shape's text stands for. */
typedef sqa_attention_desc shape;

static int read_shape(const char *text, shape *out)
{
    return sqa_shape_parse(text, out) == SQA_OK;
}

static void write_shape(const shape *from, char text[SQA_SHAPE_TEXT])
{
    sqa_shape_format(from, text, SQA_SHAPE_TEXT);
}

/* Zero-filled, so that equal problems are equal bytes. */
static void settle(const shape *from, sqa_problem *out)
{
    memset(out, 0, sizeof *out);
    (void)sqa_problem_from_desc(out, from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    shape first, second;
    sqa_problem problem, again;
    char written[SQA_SHAPE_TEXT], rewritten[SQA_SHAPE_TEXT];
    char *text = fuzz_text(data, size);
    if (read_shape(text, &first)) {
        write_shape(&first, written);
        FUZZ_CHECK(strlen(written) + 1 < sizeof written); /* nothing was cut off */
        FUZZ_CHECK(read_shape(written, &second));
        write_shape(&second, rewritten);
        FUZZ_CHECK(!strcmp(written, rewritten));
        settle(&first, &problem);
        settle(&second, &again);
        FUZZ_CHECK(!memcmp(&problem, &again, sizeof problem));
    }
    free(text);
    return 0;
}
