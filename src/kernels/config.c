#include "kernels/config.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "kernels/kernel_family.h"

void sqa_config_format(const sqa_kernel_family *family, const sqa_config *config,
                       char text[SQA_CONFIG_TEXT])
{
    size_t length = 0;
    text[0] = 0;
    assert(family->parameter_count <= SQA_MAX_PARAMETERS);
    for (size_t i = 0; i < family->parameter_count; i++) {
        int written = snprintf(text + length, SQA_CONFIG_TEXT - length, "%s%s=%d", i ? "," : "",
                               family->parameters[i].name, (int)config->value[i]);
        length += written > 0 ? (size_t)written : 0;
        assert(length < SQA_CONFIG_TEXT);
        if (length >= SQA_CONFIG_TEXT)
            return;
    }
}

/* Index of the parameter whose name is the `length` bytes at `name`; parameter_count if none. */
static size_t find_parameter(const sqa_kernel_family *family, const char *name, size_t length)
{
    size_t i = 0;
    while (i < family->parameter_count && !(strlen(family->parameters[i].name) == length &&
                                            !memcmp(family->parameters[i].name, name, length)))
        i++;
    return i;
}

static bool is_allowed(const sqa_parameter *parameter, long value)
{
    for (size_t i = 0; i < parameter->value_count; i++)
        if (parameter->values[i] == value)
            return true;
    return false;
}

static sqa_status fail_name(const sqa_kernel_family *family, const char *name, size_t length)
{
    sqa_text known = SQA_TEXT_INIT;
    for (size_t i = 0; i < family->parameter_count; i++)
        sqa_text_format(&known, "%s%s", i ? ", " : "", family->parameters[i].name);
    sqa_fail(SQA_INVALID_ARGUMENT, "config: '%.*s' is not a parameter of %s (%s)",
             (int)(length < 40 ? length : 40), name, family->name, sqa_text_get(&known));
    sqa_text_free(&known);
    return SQA_INVALID_ARGUMENT;
}

static sqa_status fail_value(const sqa_parameter *parameter, const char *value, size_t length)
{
    sqa_text allowed = SQA_TEXT_INIT;
    for (size_t i = 0; i < parameter->value_count; i++)
        sqa_text_format(&allowed, "%s%d", i ? ", " : "", (int)parameter->values[i]);
    sqa_fail(SQA_INVALID_ARGUMENT, "config: %s=%.*s is not one of %s", parameter->name,
             (int)(length < 40 ? length : 40), value, sqa_text_get(&allowed));
    sqa_text_free(&allowed);
    return SQA_INVALID_ARGUMENT;
}

sqa_status sqa_config_parse(const sqa_kernel_family *family, const char *text, sqa_config *config)
{
    sqa_config result = *config;
    while (*text) {
        size_t item = strcspn(text, ",");
        size_t name = strcspn(text, "=,");
        size_t index = find_parameter(family, text, name);
        if (index == family->parameter_count)
            return fail_name(family, text, name);
        const char *value = text + name + 1;
        size_t value_length = item > name ? item - name - 1 : 0;
        char *end = NULL;
        errno = 0;
        long number = value_length ? strtol(value, &end, 10) : 0;
        if (!value_length || errno || end != value + value_length ||
            !is_allowed(&family->parameters[index], number))
            return fail_value(&family->parameters[index], value_length ? value : "", value_length);
        result.value[index] = (int32_t)number;
        text += item;
        text += *text == ',';
    }
    *config = result;
    return SQA_OK;
}

bool sqa_config_equal(const sqa_config *a, const sqa_config *b)
{
    return !memcmp(a, b, sizeof *a);
}
