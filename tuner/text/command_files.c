#include "text/command_files.h"

#include <errno.h>
#include <string.h>

#include "text/place.h"

/* false: it is not given, or leads nowhere, which is another's to say. */
static bool find(const sqa_command_file *file, sqa_place *out)
{
    if (file->use == SQA_FILE_PRINTED) {
        *out = sqa_place_of_stdout();
        return true;
    }
    return file->path && sqa_place_find(out, file->path) == 0;
}

static sqa_status check_place(const sqa_command_file *file, sqa_place *place)
{
    if (!*file->path)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s is empty; expected the name of a file",
                        file->option);
    int failure = sqa_place_find(place, file->path);
    if (failure == EISDIR)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s is a folder; expected the name of a file",
                        file->option, file->path);
    if (!failure)
        failure = sqa_place_check(place, file->path);
    return failure ? sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s cannot be written: %s", file->option,
                              file->path, strerror(failure))
                   : SQA_OK;
}

static sqa_status refuse(const sqa_command_file *file, const sqa_command_file *other)
{
    static const char *const uses[] = {[SQA_FILE_READ] = "is read as",
                                       [SQA_FILE_WRITTEN] = "is written as",
                                       [SQA_FILE_PRINTED] = "is also"};
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s %s %s; expected a file of its own", file->option,
                    file->path, uses[other->use], other->option);
}

sqa_status sqa_command_files_check(const sqa_command_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const sqa_command_file *file = &files[i];
        sqa_place place, other;
        if (file->use != SQA_FILE_WRITTEN || !file->path)
            continue;
        sqa_status status = check_place(file, &place);
        if (status != SQA_OK)
            return status;
        for (size_t j = 0; j < count; j++)
            if (j != i && find(&files[j], &other) && sqa_place_is_same(&place, &other))
                return refuse(file, &files[j]);
    }
    return SQA_OK;
}
