#include "conformance/shared_programs.h"

#include <string.h>

#include "base/hash.h"
#include "base/status.h"

static uint64_t hash_of_source(const sqa_kernel_family *family, const sqa_config *config,
                               const sqa_device *device, const sqa_problem *problem)
{
    sqa_text source = SQA_TEXT_INIT;
    family->source(config, problem, device, &source);
    const uint64_t hash = sqa_hash_short(sqa_text_get(&source), source.length);
    sqa_text_free(&source);
    return hash;
}

const char *sqa_shared_config(sqa_shared_programs *shared, const sqa_kernel_family *family,
                              const sqa_device *device, const sqa_problem *problem)
{
    sqa_config config;
    for (size_t i = 0; i < shared->count; i++) {
        memset(&config, 0, sizeof config);
        if (sqa_config_parse(family, shared->of[i].config, &config) == SQA_OK &&
            sqa_family_accepts(family, &config, problem, device, NULL) &&
            hash_of_source(family, &config, device, problem) == shared->of[i].source)
            return shared->of[i].config;
    }
    if (shared->count == SQA_SHARED_PROGRAMS)
        return NULL;
    memset(&config, 0, sizeof config);
    family->default_config(problem, device, &config);
    shared->of[shared->count].source = hash_of_source(family, &config, device, problem);
    sqa_config_format(family, &config, shared->of[shared->count].config);
    return shared->of[shared->count++].config;
}
