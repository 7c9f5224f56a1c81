/* Lines between the tuner and its worker: what is read is written, and read again as
 * the same. Texts are compared, since a rate may be NaN. */
#include "fuzz.h"
#include "trial/protocol.h"

static void check_request(const char *line)
{
    sqa_request request;
    char written[SQA_PROTOCOL_LINE], rewritten[SQA_PROTOCOL_LINE];
    if (!sqa_request_parse(line, &request))
        return;
    FUZZ_CHECK(request.count <= SQA_MAX_FINALISTS);
    if (!sqa_request_format(&request, written))
        return; /* of candidates that are too long together */
    FUZZ_CHECK(sqa_request_parse(written, &request));
    FUZZ_CHECK(sqa_request_format(&request, rewritten) && !strcmp(written, rewritten));
}

static void check_result(const char *line)
{
    sqa_trial_result result;
    char written[SQA_PROTOCOL_LINE], rewritten[SQA_PROTOCOL_LINE];
    if (!sqa_result_parse(line, &result))
        return;
    sqa_result_format(&result, written);
    FUZZ_CHECK(sqa_result_parse(written, &result));
    sqa_result_format(&result, rewritten);
    FUZZ_CHECK(!strcmp(written, rewritten) && strchr(written, '\n') == strrchr(written, '\n'));
}

static void check_ceiling(const char *line)
{
    sqa_ceiling ceiling;
    char written[SQA_PROTOCOL_LINE], rewritten[SQA_PROTOCOL_LINE];
    if (!sqa_ceiling_parse(line, &ceiling))
        return;
    sqa_ceiling_format(&ceiling, written);
    FUZZ_CHECK(sqa_ceiling_parse(written, &ceiling));
    sqa_ceiling_format(&ceiling, rewritten);
    FUZZ_CHECK(!strcmp(written, rewritten));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = fuzz_text(data, size);
    check_request(line);
    check_result(line);
    check_ceiling(line);
    free(line);
    return 0;
}
