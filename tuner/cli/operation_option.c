#include "cli/operation_option.h"

#include <string.h>

#include "base/status.h"
#include "base/text.h"
#include "kernels/registry.h"
#include "operations/operations.h"
#include "operations/shape.h"

sqa_status sqa_operation_option(const char *name, const sqa_operation_entry **out)
{
    const sqa_operation_entry *found = name ? sqa_operation_find(name) : *out;
    if (found || !name) {
        *out = found;
        return SQA_OK;
    }
    sqa_text names = SQA_TEXT_INIT;
    sqa_operation_names(&names);
    sqa_fail(SQA_INVALID_ARGUMENT, "--operation is '%.40s'; expected one of %s", name,
             sqa_text_get(&names));
    sqa_text_free(&names);
    return SQA_INVALID_ARGUMENT;
}

sqa_status sqa_family_option(const char *name, const sqa_operation_entry *operation,
                             const sqa_kernel_family **out)
{
    *out = sqa_family_find(operation->id, name);
    if (*out)
        return SQA_OK;
    sqa_text names = SQA_TEXT_INIT;
    sqa_family_names(operation->id, &names);
    if (names.length)
        sqa_fail(SQA_INVALID_ARGUMENT, "--family is '%.40s'; of %s, expected one of %s", name,
                 operation->name, sqa_text_get(&names));
    else
        sqa_fail(SQA_INVALID_ARGUMENT, "--family is '%.40s'; %s has no kernels of its own", name,
                 operation->name);
    sqa_text_free(&names);
    return SQA_INVALID_ARGUMENT;
}

sqa_status sqa_shape_option(const char *shape, const sqa_operation_entry *operation,
                            sqa_problem *out)
{
    sqa_text text = SQA_TEXT_INIT;
    if (operation && strncmp(shape, "op=", 3) != 0)
        sqa_text_format(&text, "op=%s,", operation->name);
    sqa_text_append(&text, shape);
    sqa_status status = sqa_text_status(&text);
    if (status == SQA_OK)
        status = sqa_problem_parse(sqa_text_get(&text), out);
    sqa_text_free(&text);
    if (status == SQA_OK && operation && out->operation != operation->id)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "--operation is %s, but the shape says op=%s",
                          operation->name, sqa_operation_of(out)->name);
    return status;
}
