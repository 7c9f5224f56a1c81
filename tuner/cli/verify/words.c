/* See words.h. */
#include "cli/verify/words.h"

#include <string.h>

#include "base/status.h"
#include "cli/device_option.h"
#include "cli/operation_option.h"
#include "operations/operations.h"
#include "operations/shape.h"
#include "operations/tensors.h"
#include "operations/tuner_operations.h"
#include "problem/names.h"

/* Without a word for it, a property or a family is forward attention's. */
static sqa_status read_operation(sqa_verify_words *words)
{
    const sqa_operation_entry *entry = sqa_operation_at(0);
    words->all_operations =
        !words->operation_name && !words->shape && !words->property && !words->family;
    sqa_status status = sqa_operation_option(words->operation_name, &entry);
    if (status == SQA_OK)
        words->operation = entry->id;
    return status;
}

static sqa_status read_layout(sqa_verify_words *words)
{
    const sqa_tuner_operation *operation = sqa_tuner_operation_find(words->operation);
    if (!words->layout)
        return SQA_OK;
    if (!operation || !operation->lay_out)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "--layout: %s has no layouts by name; give strides in --shape",
                        sqa_operation_name(words->operation));
    return operation->lay_out(words->layout, &words->only_case);
}

static sqa_status read_shape(sqa_verify_words *words)
{
    sqa_tensor_shape first;
    if (!words->shape)
        return SQA_OK;
    const sqa_operation_entry *entry =
        words->operation_name ? sqa_operation_at((size_t)words->operation) : NULL;
    sqa_status status = sqa_shape_option(words->shape, entry, &words->only_case);
    if (status != SQA_OK)
        return status;
    words->operation = words->only_case.operation;
    sqa_tensor_shape_of(&words->only_case, 0, &first);
    words->only_dtype = (sqa_dtype)first.element;
    return read_layout(words);
}

static sqa_status read_property(sqa_verify_words *words)
{
    const sqa_tuner_operation *operation = sqa_tuner_operation_find(words->operation);
    if (!words->property)
        return SQA_OK;
    words->only_property = sqa_property_find(operation, words->property);
    if (words->only_property)
        return SQA_OK;
    sqa_text names = SQA_TEXT_INIT;
    for (size_t i = 0; i < operation->property_count; i++)
        sqa_text_format(&names, "%s%s", i ? ", " : "", operation->properties[i].name);
    sqa_status status = sqa_fail(SQA_INVALID_ARGUMENT, "--property: '%s' is not one of %s",
                                 words->property, sqa_text_get(&names));
    sqa_text_free(&names);
    return status;
}

/* And the values of --set, which otherwise every single check would refuse. */
static sqa_status read_family(const sqa_verify_words *words)
{
    sqa_config config;
    memset(&config, 0, sizeof config);
    const sqa_operation_entry *operation = sqa_operation_at((size_t)words->operation);
    const sqa_kernel_family *family = NULL;
    if (words->configs && operation->recipe)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--configs: %s has no parameters of its own",
                        operation->name);
    if (!words->family)
        return SQA_OK;
    sqa_status status = sqa_family_option(words->family, operation, &family);
    if (status == SQA_OK && words->set && sqa_config_parse(family, words->set, &config) != SQA_OK)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--set: %s", sqa_last_error());
    return status;
}

static sqa_status read_dtype(sqa_verify_words *words)
{
    if (words->dtype && !sqa_dtype_from_name(words->dtype, &words->only_dtype))
        return sqa_fail(SQA_INVALID_ARGUMENT, "--dtype: '%s' is not one of f32, f16, bf16",
                        words->dtype);
    return SQA_OK;
}

sqa_status sqa_verify_words_read(sqa_verify_words *words)
{
    words->size = words->tiny ? SQA_GRID_TINY : words->full ? SQA_GRID_FULL : SQA_GRID_QUICK;
    sqa_status status = read_operation(words);
    if (status == SQA_OK)
        status = read_shape(words);
    if (status == SQA_OK)
        status = read_property(words);
    if (status == SQA_OK)
        status = read_dtype(words);
    if (status == SQA_OK)
        status = read_family(words);
    return status == SQA_OK
               ? sqa_device_option(words->device, &words->platform_index, &words->device_index)
               : status;
}
