/* Shapes as text: what is read is written, and read again as the same problem of the same
 * class. */
#include "fuzz.h"
#include "operations/problem_class.h"
#include "operations/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sqa_problem first, second;
    char written[SQA_SHAPE_TEXT], rewritten[SQA_SHAPE_TEXT];
    char *text = fuzz_text(data, size);
    if (sqa_problem_parse(text, &first) == SQA_OK) {
        sqa_problem_format(&first, written, sizeof written);
        FUZZ_CHECK(strlen(written) + 1 < sizeof written); /* nothing was cut off */
        FUZZ_CHECK(sqa_problem_parse(written, &second) == SQA_OK);
        sqa_problem_format(&second, rewritten, sizeof rewritten);
        FUZZ_CHECK(!strcmp(written, rewritten));
        const sqa_problem_class class = sqa_problem_class_of(&first),
                                again = sqa_problem_class_of(&second);
        FUZZ_CHECK(sqa_problem_class_equal(&class, &again));
    }
    free(text);
    return 0;
}
