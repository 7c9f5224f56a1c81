#include "kernels/config_space.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Steps `digit` like an odometer, last parameter fastest; false after the last. */
static bool next_digits(const sqa_kernel_family *family, size_t *digit)
{
    for (size_t i = family->parameter_count; i-- > 0;) {
        if (++digit[i] < family->parameters[i].value_count)
            return true;
        digit[i] = 0;
    }
    return false;
}

/* By parameter values, first to last: the order of the enumeration. */
static int compare(const sqa_config *a, const sqa_config *b)
{
    for (size_t i = 0; i < SQA_MAX_PARAMETERS; i++)
        if (a->value[i] != b->value[i])
            return a->value[i] < b->value[i] ? -1 : 1;
    return 0;
}

static sqa_status append(sqa_config_space *space, size_t *capacity, const sqa_config *config)
{
    if (space->count == *capacity) {
        size_t larger = *capacity ? *capacity * 2 : 64;
        sqa_config *configs = realloc(space->configs, larger * sizeof *configs);
        if (!configs)
            return sqa_fail_memory("the configuration space");
        space->configs = configs;
        *capacity = larger;
    }
    assert(space->count == 0 || compare(&space->configs[space->count - 1], config) < 0);
    space->configs[space->count++] = *config;
    return SQA_OK;
}

sqa_status sqa_config_space_create(sqa_config_space *out, const sqa_kernel_family *family,
                                   const sqa_problem *problem, const sqa_device *device)
{
    *out = (sqa_config_space){family, problem, device, NULL, 0};
    const char *why = NULL;
    if (!family->supports(problem, device, &why))
        return SQA_OK;
    size_t digit[SQA_MAX_PARAMETERS] = {0};
    size_t capacity = 0;
    do {
        sqa_config config;
        memset(&config, 0, sizeof config);
        for (size_t i = 0; i < family->parameter_count; i++)
            config.value[i] = family->parameters[i].values[digit[i]];
        if (!family->is_valid(&config, problem, device, &why))
            continue;
        sqa_status status = append(out, &capacity, &config);
        if (status != SQA_OK) {
            sqa_config_space_free(out);
            return status;
        }
    } while (next_digits(family, digit));
    return SQA_OK;
}

void sqa_config_space_free(sqa_config_space *space)
{
    free(space->configs);
    space->configs = NULL;
    space->count = 0;
}

size_t sqa_config_space_find(const sqa_config_space *space, const sqa_config *config)
{
    size_t low = 0, high = space->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(config, &space->configs[middle]);
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}

void sqa_candidates_digest(const sqa_kernel_family *family, char out[SQA_HASH_TEXT])
{
    sqa_text text = SQA_TEXT_INIT;
    sqa_text_format(&text, "%" PRIu32, family->space_version);
    for (size_t i = 0; i < family->parameter_count; i++) {
        const sqa_parameter *parameter = &family->parameters[i];
        sqa_text_format(&text, ";%s=", parameter->name);
        for (size_t j = 0; j < parameter->value_count; j++)
            sqa_text_format(&text, "%s%" PRId32, j ? "," : "", parameter->values[j]);
    }
    out[0] = '\0';
    if (sqa_text_status(&text) == SQA_OK)
        sqa_hash_of_text(sqa_text_get(&text), out);
    sqa_text_free(&text);
}

bool sqa_candidates_are_current(const sqa_kernel_family *family, const char *digest)
{
    char today[SQA_HASH_TEXT];
    sqa_candidates_digest(family, today);
    return digest[0] && !strcmp(today, digest);
}
