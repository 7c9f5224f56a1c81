#include "text/draft.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static sqa_status fail(const sqa_draft *draft, const char *option)
{
    return sqa_fail(SQA_DATABASE_ERROR, "%s: %s: %s", option, draft->path, strerror(errno));
}

sqa_status sqa_draft_open(sqa_draft *draft, const char *option, const char *path)
{
    draft->path = path;
    int length = snprintf(draft->part, sizeof draft->part, "%s.partial", path);
    if (length < 0 || (size_t)length >= sizeof draft->part)
        return sqa_fail(SQA_DATABASE_ERROR, "%s: the path is longer than %zu characters", option,
                        sizeof draft->part - 9);
    draft->file = fopen(draft->part, "w");
    return draft->file ? SQA_OK : fail(draft, option);
}

sqa_status sqa_draft_close(sqa_draft *draft, const char *option, sqa_status status)
{
    bool broken = ferror(draft->file) != 0;
    if ((fclose(draft->file) || broken) && status == SQA_OK)
        status = fail(draft, option);
    if (status == SQA_OK && rename(draft->part, draft->path))
        status = fail(draft, option);
    if (status != SQA_OK)
        remove(draft->part);
    return status;
}
