/* See fault.h. */
#include "trial/fault.h"

#include <string.h>

static const char *const names[] = {[SQA_FAULT_HANG] = "hang",
                                    [SQA_FAULT_CRASH] = "crash",
                                    [SQA_FAULT_WRONG] = "wrong",
                                    [SQA_FAULT_NOISY] = "noisy",
                                    [SQA_FAULT_SLOW] = "slow"};

static bool word_is(const char *word, size_t length, const char *name)
{
    return strlen(name) == length && !strncmp(word, name, length);
}

sqa_fault sqa_fault_for(const char *text, const sqa_candidate_text *candidate)
{
    if (!text)
        return SQA_FAULT_NONE;
    size_t length = strcspn(text, ":");
    const char *family = text[length] ? text + length + 1 : NULL;
    const char *config = family ? strchr(family, ':') : NULL;
    size_t family_length = family ? strcspn(family, ":") : 0;
    if (family_length && !word_is(family, family_length, candidate->family))
        return SQA_FAULT_NONE;
    if (config && !strstr(candidate->config, config + 1))
        return SQA_FAULT_NONE;
    for (int fault = SQA_FAULT_HANG; fault <= SQA_FAULT_SLOW; fault++)
        if (word_is(text, length, names[fault]))
            return (sqa_fault)fault;
    return SQA_FAULT_NONE;
}
