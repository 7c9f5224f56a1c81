/* Writes .npy files, version 1.0: beside the final place first, then renamed. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"
#include "problem/storage.h"
#include "text/npy.h"

/* The data starts at a multiple of 64 bytes, as the format asks for. */
enum { PREAMBLE = 10, ALIGNMENT = 64 };

static sqa_status cannot_write(const char *path)
{
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: cannot be written: %s", path, strerror(errno));
}

static bool write_header(FILE *file, const sqa_npy *tensor)
{
    char shape[SQA_NPY_MAX_RANK * 24], header[SQA_NPY_MAX_RANK * 24 + 128];
    sqa_npy_shape_text(tensor, shape, sizeof shape);
    int length =
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                 tensor->element == SQA_ELEMENT_F16 ? "<f2" : "<f4", shape);
    int total = (PREAMBLE + length + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    int padded = total - PREAMBLE;
    unsigned char preamble[PREAMBLE] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    preamble[8] = (unsigned char)(padded & 0xff);
    preamble[9] = (unsigned char)(padded >> 8);
    fwrite(preamble, 1, sizeof preamble, file);
    return fprintf(file, "%s%*s\n", header, padded - length - 1, "") == padded;
}

static bool write_data(FILE *file, const sqa_npy *tensor)
{
    enum { CHUNK = 4096 };
    float stored[CHUNK];                                    /* aligned for every type */
    size_t element = sqa_element_bits(tensor->element) / 8; /* files have whole bytes */
    for (size_t start = 0; start < tensor->count; start += CHUNK) {
        size_t count = tensor->count - start < CHUNK ? tensor->count - start : CHUNK;
        sqa_storage_encode((sqa_dtype)tensor->element, tensor->data + start, stored, count);
        sqa_npy_turn_bytes(stored, count, element);
        if (fwrite(stored, element, count, file) != count)
            return false;
    }
    return true;
}

/* Whether files can be made in the folder that `path` lies in. */
static bool folder_takes_files(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) + 1 : 0;
    snprintf(folder, sizeof folder, "%.*s", slash ? length : 1, slash ? path : ".");
    return access(folder, W_OK | X_OK) == 0;
}

/* Only new and regular files: a rename would put a file in a device's place. */
sqa_status sqa_npy_draft_check(const char *path)
{
    struct stat info;
    if (!*path)
        return sqa_fail(SQA_INVALID_ARGUMENT, "an output's name is empty; expected a file name");
    bool found = stat(path, &info) == 0;
    if (found && !S_ISREG(info.st_mode))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s: not a regular file; expected a file to write or replace", path);
    if ((!found && errno != ENOENT) || !folder_takes_files(path))
        return cannot_write(path);
    return SQA_OK;
}

sqa_status sqa_npy_draft_write(sqa_npy_draft *out, const char *path, const sqa_npy *tensor)
{
    sqa_npy_draft draft = {.path = path};
    int length =
        snprintf(draft.temporary, sizeof draft.temporary, "%s.part-%ld", path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof draft.temporary)
        return sqa_fail(SQA_INVALID_ARGUMENT, "an output's name is longer than %zu characters",
                        sizeof draft.temporary - 32);
    int descriptor = open(draft.temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (!file) {
        sqa_status status = cannot_write(path);
        if (descriptor >= 0) {
            close(descriptor);
            unlink(draft.temporary);
        }
        return status;
    }
    bool written = write_header(file, tensor) && write_data(file, tensor) && fflush(file) == 0;
    sqa_status status = written ? SQA_OK : cannot_write(path);
    if (fclose(file) != 0 && !status)
        status = cannot_write(path);
    if (status)
        unlink(draft.temporary);
    else
        *out = draft;
    return status;
}

sqa_status sqa_npy_draft_keep(sqa_npy_draft *draft)
{
    if (rename(draft->temporary, draft->path) != 0)
        return cannot_write(draft->path);
    draft->temporary[0] = '\0';
    return SQA_OK;
}

void sqa_npy_draft_discard(sqa_npy_draft *draft)
{
    if (draft->temporary[0])
        unlink(draft->temporary);
    draft->temporary[0] = '\0';
}
